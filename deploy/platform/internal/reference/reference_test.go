package reference

import (
	"bytes"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/deploy/platform/internal/repo"
	"github.com/schedgen/schedgen/deploy/platform/internal/settings"
)

// TestThePageIsCurrent compares the page with the source.
func TestThePageIsCurrent(t *testing.T) {
	t.Parallel()
	_, tree, err := repo.Here("functions", "shared", Path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := Page(tree)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(tree[Path], want) {
		t.Errorf("%s is not current: run make generate", Path)
	}
	for _, name := range settings.Functions(tree) {
		all, err := settings.Of(tree, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range all {
			if !strings.Contains(string(want), "| `"+s.Name+"` |") {
				t.Errorf("%s of %s is not on the page", s.Name, name)
			}
			if s.Meaning == "" {
				t.Errorf("%s has no comment that says what it means, in the Config of %s", s.Name, s.Package)
			}
		}
	}
}

// TestPageOfASmallTree writes the page of two functions with a package in common.
func TestPageOfASmallTree(t *testing.T) {
	t.Parallel()
	tree := repo.Tree{
		"functions/a/function.go":   []byte("package a\nimport \"github.com/schedgen/schedgen/shared/db\"\n// Config is it.\ntype Config struct {\n\tDB db.Config\n\t// How much.\n\tMost int `env:\"MOST, default=4\"` // at once\n\tOther Target `env:\", prefix=OTHER_\"`\n}\n// Target is another.\ntype Target struct {\n\tURL string `env:\"URL\"`\n}\n"),
		"functions/b/function.go":   []byte("package b\nimport \"github.com/schedgen/schedgen/shared/db\"\n// Config is it.\ntype Config struct {\n\tDB db.Config\n}\n"),
		"shared/db/db.go":           []byte("package db\n// Config is it.\ntype Config struct {\n\tURL string `env:\"DATABASE_URL, required\"` // a|b\n}\n"),
		"shared/faas/faas.go":       []byte("package faas\nimport \"log/slog\"\n// Config is it.\ntype Config struct {\n\tLevel slog.Level `env:\"LOG_LEVEL, overwrite, default=info\"`\n}\n"),
		"shared/faas/faas_test.go":  []byte("package faas\nthis is not read"),
		"functions/a/cmd/a/main.go": []byte("package main"),
	}
	page, err := Page(tree)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"## a\n", "| `MOST` | number | `4` | How much. at once |", "| `OTHER_URL` | text | none |  |", "## b\n\nNothing of its own.",
		"## shared/db\n\nRead by a, b.\n", "| `DATABASE_URL` | text | **required** | a\\|b |", "| `LOG_LEVEL` | debug, info, warn or error | `info` |  |",
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("no %q in\n%s", want, page)
		}
	}
	for _, broken := range []repo.Tree{
		tree.With("functions/b/function.go", []byte("package b\n")), tree.With("shared/db/db.go", []byte("package db {")), tree.With("shared/faas/faas.go", []byte("package faas")),
	} {
		if _, err := Page(broken); err == nil {
			t.Error("a broken source: got no error")
		}
	}
}
