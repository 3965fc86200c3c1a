package api

import (
	"cmp"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
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

var literal = regexp.MustCompile(`"([A-Z]+(?:_[A-Z]+)*)"`)

// TestCodesHaveOneHome: no other package writes a code out. Package calendar may, for it imports nothing of ours.
func TestCodesHaveOneHome(t *testing.T) {
	t.Parallel()
	for _, root := range []string{"../../functions", "../../shared"} {
		files := os.DirFS(root)
		err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() && (name == "dev" || name == "api" || name == "calendar" || entry.Name() == "node_modules") {
				return cmp.Or(err, fs.SkipDir)
			}
			if path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
				return nil
			}
			text, err := fs.ReadFile(files, name)
			for _, found := range literal.FindAllStringSubmatch(string(text), -1) {
				if _, known := codes[found[1]]; known {
					t.Errorf("%s/%s writes out %s", root, name, found[1])
				}
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}
