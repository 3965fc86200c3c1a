package googlesync

import (
	"os"
	"testing"

	"github.com/schedgen/schedgen/shared/dev/testkit/openapitest"
)

// TestEveryBoundThatIsDescribedHolds tries each bound of what is described.
func TestEveryBoundThatIsDescribedHolds(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("../upload-ingest/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	b := newWorld(t).browser()
	b.signIn(student)
	bases := map[string]map[string]any{
		"/api/calendars/events": {"calendarId": "unknown", "events": []any{}, "dryRun": true},
		"/api/calendars/follow": {"calendarId": "unknown", "follow": false},
	}
	tried := map[string]int{}
	for _, o := range openapitest.New(t, document).Operations() {
		base, ok := bases[o.Path]
		if !ok || o.Method != "POST" {
			continue
		}
		tried[o.Path] += o.HoldEdges(t, base, func(body string) (int, []byte) {
			response := b.do(o.Method, o.Path, body)
			return response.status, []byte(response.body)
		})
	}
	if tried["/api/calendars/follow"] < 25 || tried["/api/calendars/events"] < 50 {
		t.Errorf("%v bounds were tried, want all", tried)
	}
}
