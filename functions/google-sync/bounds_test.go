package googlesync

import (
	"encoding/json"
	"net/http"
	"os"
	"testing"

	"github.com/schedgen/schedgen/shared/xtest/openapitest"
)

// TestEveryBoundThatIsDescribedHolds tries each bound of what is described: a body within it is not refused for its size,
// and one beyond is, with the field's name.
func TestEveryBoundThatIsDescribedHolds(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("../upload-ingest/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	b := newWorld(t).browser()
	b.signIn(student)
	tried := map[string]int{}
	for _, o := range openapitest.New(t, document).Operations() {
		if o.Path != "/api/calendars/follow" && (o.Path != "/api/calendars/events" || o.Method != "POST") {
			continue
		}
		edges, unbounded := o.Edges(map[string]any{"calendarId": "unknown", "events": []any{}, "dryRun": true})
		if o.Path == "/api/calendars/follow" {
			edges, unbounded = o.Edges(map[string]any{"calendarId": "unknown", "follow": false})
		}
		for _, field := range unbounded {
			t.Errorf("%s: %s has no bound", o.Path, field)
		}
		for _, edge := range edges {
			tried[o.Path]++
			for body, beyond := range map[*[]byte]bool{&edge.Within: false, &edge.Beyond: true} {
				var refusal struct {
					Details struct {
						Field string
						Most  int
					}
				}
				response := b.do(o.Method, o.Path, string(*body))
				err := json.Unmarshal([]byte(response.body), &refusal)
				refused := err == nil && response.status == http.StatusBadRequest && refusal.Details.Most > 0
				if refused != beyond || beyond && refusal.Details.Field != edge.Field {
					t.Errorf("%s: %s, beyond its bound: %v: got %d, %+v", o.Path, edge.Field, beyond, response.status, refusal.Details)
				}
			}
		}
	}
	if tried["/api/calendars/follow"] < 25 || tried["/api/calendars/events"] < 50 {
		t.Errorf("%v bounds were tried, want all", tried)
	}
}
