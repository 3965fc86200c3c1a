package calendargenerate

import (
	"io"
	"os"
	"testing"

	"github.com/schedgen/schedgen/shared/dev/testkit/openapitest"
)

// TestEveryBoundThatIsDescribedHolds tries each bound of what is described for a calendar.
func TestEveryBoundThatIsDescribedHolds(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("../upload-ingest/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	f := newFunction(t, nowhere)
	tried := 0
	for _, o := range openapitest.New(t, document).Operations() {
		if o.Method != "POST" || o.Path != "/api/generate/ics" {
			continue
		}
		tried += o.HoldEdges(t, map[string]any{"events": []any{}}, func(body string) (int, []byte) {
			response := call(t, f, o.Method, o.Path, body)
			answer, err := io.ReadAll(response.Body)
			if err != nil {
				t.Error(err)
			}
			return response.StatusCode, answer
		})
	}
	if tried < 50 {
		t.Errorf("%d bounds were tried, want all", tried)
	}
}
