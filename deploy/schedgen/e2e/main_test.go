package e2e_test

import (
	"os"
	"testing"

	"github.com/schedgen/schedgen/functions/pdf-parse/sandbox"
)

// TestMain lets this program be the parser's child, as every program that parses must.
func TestMain(m *testing.M) {
	sandbox.MaybeChild()
	os.Exit(m.Run())
}
