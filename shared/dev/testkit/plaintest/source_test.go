package plaintest_test

import (
	"os"
	"testing"

	"github.com/schedgen/schedgen/shared/dev/testkit/plaintest"
)

// TestMessagesArePlainEnglish walks every error and every warning of the functions that a person may see: each says what to do.
func TestMessagesArePlainEnglish(t *testing.T) {
	t.Parallel()
	all, err := plaintest.Of(os.DirFS("../../../.."), "functions", "shared")
	if err != nil {
		t.Fatal(err)
	}
	const atLeast = 60 // there were more when this was written: fewer mean that they are not found any more
	if len(all) < atLeast {
		t.Errorf("%d messages were found, want at least %d", len(all), atLeast)
	}
	for _, s := range all {
		if err := plaintest.CheckAdvice(s.Text); err != nil {
			t.Errorf("%s: %v", s.Where, err)
		}
	}
}
