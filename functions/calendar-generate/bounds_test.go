package calendargenerate

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/schedgen/schedgen/shared/xtest/openapitest"
)

// TestEveryBoundThatIsDescribedHolds tries each bound of what is described for a calendar: a body within it is not refused for
// its size, and one beyond is, with the field's name.
func TestEveryBoundThatIsDescribedHolds(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("../upload-ingest/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	f := newFunction(t, nowhere)
	base := map[string]any{"events": []any{}}
	tried := 0
	for _, o := range openapitest.New(t, document).Operations() {
		if o.Method != "POST" || o.Path != "/api/generate/ics" {
			continue
		}
		edges, unbounded := o.Edges(base)
		for _, field := range unbounded {
			t.Errorf("%s has no bound", field)
		}
		for _, edge := range edges {
			tried++
			var refusal struct {
				Details struct {
					Field string
					Most  int
				}
			}
			for n, body := range [][]byte{edge.Within, edge.Beyond} {
				refusal.Details.Most = 0
				answer := call(t, f, o.Method, o.Path, string(body))
				err := json.NewDecoder(answer.Body).Decode(&refusal)
				refused := err == nil && answer.StatusCode == 400 && refusal.Details.Most > 0
				if beyond := n == 1; refused != beyond || beyond && refusal.Details.Field != edge.Field {
					t.Errorf("%s, beyond its bound: %v: got %d, %+v", edge.Field, beyond, answer.StatusCode, refusal.Details)
				}
			}
		}
	}
	if tried < 50 {
		t.Errorf("%d bounds were tried, want all", tried)
	}
}
