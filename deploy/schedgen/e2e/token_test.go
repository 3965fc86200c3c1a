package e2e_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/schedgen/schedgen/deploy/schedgen/internal/stack"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/timetable"
)

// TestASystemWithAnEmptyTokenMakesItsOwn: nobody is let in with none, and yet events arrive, for no sweep comes.
func TestASystemWithAnEmptyTokenMakesItsOwn(t *testing.T) {
	t.Parallel()
	w := start(t, stack.Config{SweepEvery: time.Hour}, "EVENT_TOKEN", "")
	s := w.student(t)
	for _, header := range []string{"", "Bearer "} {
		s.call(http.StatusUnauthorized, "POST", "/events/s3", "{}", "Authorization", header)
	}
	if got := s.upload(generated(t, fixture.Options{Kind: timetable.Test, Seed: 4, Modules: 2}).pdf); got.Status != "completed" {
		t.Errorf("the upload is %q, want completed by its event", got.Status)
	}
}
