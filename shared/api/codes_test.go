package api

import (
	"testing"

	"github.com/schedgen/schedgen/shared/dev/testkit/plaintest"
)

// TestEachCodeHasASentenceOfItsOwn, in plain English, that says what to do.
func TestEachCodeHasASentenceOfItsOwn(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for code, e := range codes {
		if err := plaintest.CheckAdvice(e.sentence); err != nil {
			t.Errorf("%s: %v", code, err)
		}
		if other, taken := seen[e.sentence]; taken {
			t.Errorf("%s and %s say the same: %s", code, other, e.sentence)
		}
		seen[e.sentence] = code
	}
}
