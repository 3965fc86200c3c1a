package testkit

import (
	"testing"
	"time"
)

// patience ends what is waited for. Nothing is right or wrong by it.
const patience = time.Minute

// Eventually waits until what is said is so.
func Eventually(t testing.TB, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !so(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("it never came true that %s", what)
		}
	}
}
