package events_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/cloudevents/sdk-go/v2/event"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/events"
)

func TestReceiveTakesAllOrAnswersWhy(t *testing.T) {
	t.Parallel()
	one := `{"specversion":"1.0","id":"%s","source":"/x","type":"t"}`
	batch := func(ids ...string) string {
		for i, id := range ids {
			ids[i] = fmt.Sprintf(one, id)
		}
		return "[" + strings.Join(ids, ",") + "]"
	}
	for name, c := range map[string]struct {
		body   string
		status int
		code   string
		taken  []string
	}{
		"all":              {batch("1", "2"), 204, "", []string{"1", "2"}},
		"one cannot be":    {`[` + fmt.Sprintf(one, "1") + `,{}]`, 400, api.InvalidEvent, nil},
		"one means naught": {batch("1", "strange", "3"), 400, api.InvalidEvent, []string{"1", "strange"}},
		"away":             {batch("away", "2"), 503, api.DatabaseUnavailable, []string{"away"}},
		"a bug":            {batch("bug", "2"), 500, api.Internal, []string{"bug"}},
		"endless":          {strings.Repeat(" ", 1<<20+1), 413, api.PayloadTooLarge, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var taken []string
			take := func(_ context.Context, e event.Event) error {
				taken = append(taken, e.ID())
				return map[string]error{
					"strange": fmt.Errorf("%w: strange", events.ErrInvalid), "away": api.New(api.DatabaseUnavailable), "bug": errors.New("bug"),
				}[e.ID()]
			}
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(c.body))
			r.Header.Set("Content-Type", event.ApplicationCloudEventsBatchJSON)
			w := httptest.NewRecorder()
			api.Handler(events.Receive(take)).ServeHTTP(w, r)
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.code) || !slices.Equal(taken, c.taken) {
				t.Errorf("got %d %s after taking %q, want %d %s after %q", w.Code, w.Body, taken, c.status, c.code, c.taken)
			}
		})
	}
}
