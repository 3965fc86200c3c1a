package uploadingest

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/schedgen/schedgen/shared/events"
)

// TestOnlyOpenPathsNeedNoToken asks each path of the platform with and without a token.
func TestOnlyOpenPathsNeedNoToken(t *testing.T) {
	t.Parallel()
	f := &Function{cfg: Config{Events: events.Config{Token: "token"}, OpenPaths: []string{"/tasks/sweep"}}}
	mux := http.NewServeMux()
	done := func(*http.Request) (any, error) { return struct{}{}, nil }
	f.internal(mux, "/tasks/sweep", done, "token")
	f.internal(mux, "/events/s3", done, "token")
	f.internal(mux, "/events/none", done, "")
	for _, c := range []struct {
		path, token string
		want        int
	}{
		{"/tasks/sweep", "", 200}, {"/tasks/sweep", "token", 200}, {"/events/s3", "", 401}, {"/events/s3", "other", 401},
		{"/events/s3", "token", 200}, {"/events/none", "", 401}, {"/events/none", "token", 401},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, c.path, nil)
		if c.token != "" {
			r.Header.Set("Authorization", "Bearer "+c.token)
		}
		answer := httptest.NewRecorder()
		mux.ServeHTTP(answer, r)
		if answer.Code != c.want {
			t.Errorf("%s with token %q: got %d, want %d", c.path, c.token, answer.Code, c.want)
		}
	}
}
