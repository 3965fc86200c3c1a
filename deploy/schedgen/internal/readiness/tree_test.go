package readiness

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const guide = "# Guide\n\n## Before\n\nA first word of many, about the moon and the stars, and of the sun.\n\n```sh\n# After\n```\n\n" +
	"## The plan\n\nAt most a day is lost, which is the RPO of\nthis system, as everybody knows.\n\n### Below\n\nMore.\n\n## Empty\n\n## After\n\nOf the moon.\n"

func TestADocumentSpeaksOfItsItem(t *testing.T) {
	t.Parallel()
	for what, want := range map[string]string{
		"guide.md":                      "",
		"guide.md#the-plan RPO":         "",
		"guide.md#the-plan RPO~of~this": "",
		"guide.md#the-plan More.":       "",
		"guide.md#the-plan moon":        `does not speak of "moon"`,
		"guide.md#the-plan !RPO":        `has "RPO", which must not be there`,
		"guide.md#another":              "has no section #another",
		"guide.md#empty":                "is empty",
		"guide.md#after":                "is empty", // what stands in code is no heading
	} {
		if got := unsaid(guide, what); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", what, got, want)
		}
	}
}

// history is a checkout with a document that was committed at a time, and a test.
func history(t *testing.T, at time.Time) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range map[string]string{"guide.md": guide, "x/x_test.go": "package x\n\nfunc TestOne(t *testing.T) {}\n\nfunc TestTwo(t *testing.T) {}\n"} {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range []string{"init -q", "add .", "-c user.name=x -c user.email=x@x commit -q -m x"} {
		git := exec.Command("git", append([]string{"-C", folder}, strings.Fields(line)...)...)
		git.Env = append(os.Environ(), "GIT_COMMITTER_DATE="+at.Format(time.RFC3339), "GIT_AUTHOR_DATE="+at.Format(time.RFC3339))
		if out, err := git.CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v: %s", line, err, out)
		}
	}
	return folder
}

// TestADocumentIsFresh by its commit, whenever it was cloned; of the days after the launch by the launch.
func TestADocumentIsFresh(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	for age, want := range map[int]State{10: OK, 364: OK, 366: Failed} {
		s := newSystem(Options{Checkout: history(t, now.AddDate(0, 0, -age)), Now: func() time.Time { return now }})
		expect(t, s.look(t.Context(), Item{Document: "guide.md#the-plan RPO"}, nil), want, "last changed on")
	}
	folder := history(t, now.AddDate(0, 0, -10))
	launch := Item{Document: "guide.md", Phase: "launch"}
	for launched, want := range map[time.Time]State{{}: NotLooked, now.AddDate(0, 0, -20): OK, now.AddDate(0, 0, -5): Failed} {
		s := newSystem(Options{Checkout: folder, Launched: launched, Now: func() time.Time { return now }})
		expect(t, s.look(t.Context(), launch, nil), want, "")
	}
	shallow := filepath.Join(t.TempDir(), "shallow")
	if out, err := exec.Command("git", "clone", "-q", "--depth=1", "file://"+folder, shallow).CombinedOutput(); err != nil {
		t.Fatalf("git clone: %v: %s", err, out)
	}
	look := func(folder string) Finding {
		return newSystem(Options{Checkout: folder, Now: func() time.Time { return now }}).look(t.Context(), Item{Document: "guide.md"}, nil)
	}
	expect(t, look(shallow), NotLooked, "no history from before")
	expect(t, look(folder), OK, "guide.md")
	if err := os.WriteFile(filepath.Join(folder, ".git", "HEAD"), []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, look(folder), NotLooked, "git does not say")
	expect(t, newSystem(Options{Checkout: folder}).look(t.Context(), Item{Document: "none.md"}, nil), Failed, "does not exist")
}

// TestTestsMustHavePassed since the last commit: that they are in the tree says nothing.
func TestTestsMustHavePassed(t *testing.T) {
	t.Parallel()
	commit := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	folder := history(t, commit)
	const one, both = "x TestOne", "x TestOne TestTwo"
	event := func(action, test string, at time.Time) string {
		return fmt.Sprintf(`{"Time":%q,"Action":%q,"Package":"github.com/schedgen/schedgen/x","Test":%q}`+"\n", at.Format(time.RFC3339), action, test)
	}
	after, before := commit.Add(time.Hour), commit.Add(-time.Hour)
	for name, c := range map[string]struct {
		tests, results string
		want           State
		evidence       string
	}{
		"passed":           {both, event("pass", "TestOne", after) + "not JSON\n" + event("pass", "TestTwo", after), OK, "2 tests passed"},
		"one missing":      {both, event("pass", "TestOne", after), NotLooked, "does not say how TestTwo"},
		"skipped":          {one, event("skip", "TestOne", after), NotLooked, "was skipped"},
		"failed":           {one, event("fail", "TestOne", after), Failed, "failed in"},
		"failed, then not": {one, event("fail", "TestOne", after) + event("pass", "TestOne", after), Failed, "failed in"},
		"of before":        {one, event("pass", "TestOne", before), NotLooked, "before the last commit"},
		"of nothing":       {one, "", NotLooked, "does not say"},
		"not in the tree":  {"x TestOther", event("pass", "TestOther", after), Failed, "has no test TestOther"},
		"no such folder":   {"y TestOne", event("pass", "TestOne", after), Failed, "has no test TestOne"},
	} {
		results := filepath.Join(t.TempDir(), "results.json")
		if err := os.WriteFile(results, []byte(c.results), 0o600); err != nil {
			t.Fatal(err)
		}
		got := newSystem(Options{Checkout: folder, Results: results}).look(t.Context(), Item{Test: c.tests}, nil)
		if got.State != c.want || !strings.Contains(got.Evidence, c.evidence) {
			t.Errorf("%s: got %+v, want %s with %q", name, got, c.want, c.evidence)
		}
	}
	expect(t, newSystem(Options{Checkout: folder}).look(t.Context(), Item{Test: one}, nil), NotLooked, "known from a run alone")
	expect(t, newSystem(Options{Checkout: folder, Results: filepath.Join(folder, "none")}).look(t.Context(), Item{Test: one}, nil), NotLooked, "cannot be read")
}
