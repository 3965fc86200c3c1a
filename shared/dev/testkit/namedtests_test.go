package testkit_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	testFunc = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Z]\w*)\(`)
	// namedTest is a test in a document, with its folder where that is said: `shared/api: TestDecodeJSON`.
	namedTest = regexp.MustCompile("(?:`([a-z][a-z0-9/-]+): )?\\b((?:Test|Fuzz)[A-Z]\\w*)")
)

// TestDocumentsNameTestsThatExist looks for each test that a document names, in the folder that it says. Each point of the
// lists in docs/security.md names a test, or says that it does not apply.
func TestDocumentsNameTestsThatExist(t *testing.T) {
	t.Parallel()
	const root = "../../.."
	folders := testFolders(t, root)
	documents, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil || len(documents) == 0 {
		t.Fatalf("found no documents: %v", err)
	}
	points := 0
	for _, document := range documents {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		tested := false // in a table whose last column is of tests
		for line := range strings.Lines(string(text)) {
			row := strings.HasPrefix(line, "|")
			heading := strings.HasSuffix(strings.TrimSpace(line), "| test |")
			tested = row && (tested || heading)
			named := namedTest.FindAllStringSubmatch(line, -1)
			if tested && !heading && !strings.HasPrefix(line, "|---") {
				points++
				if len(named) == 0 && !strings.Contains(line, "does not apply") {
					t.Errorf("%s: no test is named, and it does not say that the point does not apply: %s", document, line)
				}
			}
			for _, found := range named {
				folder, name := found[1], found[2]
				if folder == "" && tested {
					folder = "functions/upload-ingest"
				}
				if in := folders[name]; len(in) == 0 || folder != "" && !slices.Contains(in, folder) {
					t.Errorf("%s names %s in %q; it is in %q", document, name, folder, in)
				}
			}
		}
	}
	if points < 20 {
		t.Errorf("found %d points with tests, want those of docs/security.md", points)
	}
}

// testFolders are the folders of each test, as paths from the root.
func testFolders(t *testing.T, root string) map[string][]string {
	t.Helper()
	folders := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && path != root && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "node_modules") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		for _, found := range testFunc.FindAllStringSubmatch(string(text), -1) {
			folders[found[1]] = append(folders[found[1]], filepath.ToSlash(folder))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return folders
}
