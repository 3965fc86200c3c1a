package google

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// TestListsAreReadToTheirEnd, page after page, of which each may be asked for again; and one without an end is
// an error, for half of a list would look like a whole one.
func TestListsAreReadToTheirEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ pages, want int }{"of one page": {1, 1}, "of three": {3, 3}, "without an end": {1 << 30, 0}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			failed := false
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				page := 1
				_, _ = fmt.Sscan(r.URL.Query().Get("pageToken"), &page) // the first has none
				if page == 2 && !failed {
					failed = true
					w.WriteHeader(http.StatusServiceUnavailable)
					return
				}
				next := ""
				if page < c.pages {
					next = fmt.Sprintf(`,"nextPageToken":"%d"`, page+1)
				}
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprintf(w, `{"items":[{"id":"%d"}]%s}`, page, next)
			}))
			defer server.Close()
			one, _ := client(t, Config{CalendarURL: server.URL, Backoff: time.Millisecond, PerMinute: 1 << 30, Burst: 1 << 20}, fixed{})
			all, err := one.Calendars(t.Context())
			if c.want == 0 {
				if !errors.Is(err, errEndless) || !Is(err, Refused) {
					t.Errorf("got %d calendars and %v, want %v", len(all), err, errEndless)
				}
				return
			}
			if err != nil || len(all) != c.want || all[len(all)-1].ID != fmt.Sprint(c.want) {
				t.Errorf("got %+v (%v), want %d calendars in order", all, err, c.want)
			}
		})
	}
}
