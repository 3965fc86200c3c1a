package e2e_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// TestFunctionsAnswerWithoutAnyDependency starts each function where nothing else is: it lives, says
// that it is not ready and why, and shows no secret.
func TestFunctionsAnswerWithoutAnyDependency(t *testing.T) {
	t.Parallel()
	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"upload-ingest", "pdf-parse", "calendar-generate", "google-sync", "backup"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fleet{t: t, settings: nowhere()}
			function := f.instance(filepath.Join(dir, name))
			for path, want := range map[string]int{"/health": http.StatusOK, "/ready": http.StatusServiceUnavailable, "/metrics": http.StatusOK} {
				got, err := get(t.Context(), http.DefaultClient, function.url+path)
				if err != nil {
					t.Fatal(err)
				}
				if got.StatusCode != want || strings.Contains(string(got.body), "secret") {
					t.Errorf("%s: got %d, want %d: %.300s", path, got.StatusCode, want, got.body)
				}
			}
		})
	}
}
