package testkit_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	markdownLink = regexp.MustCompile(`\]\(([^)\s]+)\)|<img src="([^"]+)"`)
	heading      = regexp.MustCompile(`(?m)^#+ +(.+)$`)
	fencedBlock  = regexp.MustCompile("(?ms)^ *```.*?^ *```")
	notInAnchor  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// TestDocumentsLinkToWhatExists follows the relative links of every document: the file is there, and so is the heading.
func TestDocumentsLinkToWhatExists(t *testing.T) {
	t.Parallel()
	const root = "../../.."
	documents := 0
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && path != root && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "node_modules") {
			return fs.SkipDir
		}
		if filepath.Ext(path) != ".md" {
			return nil
		}
		documents++
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, link := range markdownLink.FindAllStringSubmatch(string(text), -1) {
			expectTarget(t, path, link[1]+link[2])
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if documents < 10 {
		t.Errorf("found %d documents, want all of docs/", documents)
	}
}

// TestEveryDocumentIsFoundFromTheFirst follows links from the page that says where everything is.
func TestEveryDocumentIsFoundFromTheFirst(t *testing.T) {
	t.Parallel()
	const docs = "../../../docs"
	found, next := map[string]bool{}, []string{filepath.Join(docs, "README.md")}
	for len(next) > 0 {
		document := next[0]
		next = next[1:]
		if found[document] {
			continue
		}
		found[document] = true
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		for _, link := range markdownLink.FindAllStringSubmatch(string(text), -1) {
			if name, _, _ := strings.Cut(link[1], "#"); filepath.Ext(name) == ".md" && !strings.Contains(name, "://") {
				next = append(next, filepath.Join(filepath.Dir(document), name))
			}
		}
	}
	err := filepath.WalkDir(docs, func(path string, _ fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".md" && !found[path] {
			t.Errorf("no link leads from docs/README.md to %s: add one there", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// expectTarget fails the test where a link of a document leads to no file, or to no heading of it.
func expectTarget(t *testing.T, document, link string) {
	t.Helper()
	if strings.Contains(link, "://") || strings.HasPrefix(link, "mailto:") {
		return
	}
	name, anchor, _ := strings.Cut(link, "#")
	target := document
	if name != "" {
		target = filepath.Join(filepath.Dir(document), name)
	}
	if _, err := os.Stat(target); err != nil {
		t.Errorf("%s links to %s: %v", document, link, err)
		return
	}
	if anchor == "" {
		return
	}
	text, err := os.ReadFile(target)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range heading.FindAllStringSubmatch(fencedBlock.ReplaceAllString(string(text), ""), -1) {
		if strings.ReplaceAll(notInAnchor.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-") == anchor {
			return
		}
	}
	t.Errorf("%s links to %s, but %s has no such heading", document, link, target)
}
