package readiness

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

var noCheckout = notLooked{"there is no checkout of the project here", "run it in a checkout, or with --checkout FOLDER"}

// FindCheckout returns the checkout that holds a folder, or nothing.
func FindCheckout(folder string) string {
	folder, err := filepath.Abs(folder)
	for err == nil {
		if _, err := os.Stat(filepath.Join(folder, "docs", "architecture.md")); err == nil {
			if _, err := os.Stat(filepath.Join(folder, "go.work")); err == nil {
				return folder
			}
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return ""
		}
		folder = parent
	}
	return ""
}

// fresh is how old a document may be until somebody must have read it again.
const fresh = 365 * 24 * time.Hour

// document looks at the file of an item: it says what the item is about, and is not old. Of the days after the launch it is
// one that was changed since.
func (s *system) document(ctx context.Context, item Item) Finding {
	if s.Checkout == "" {
		return from(noCheckout)
	}
	if item.Phase == "launch" && s.Launched.IsZero() {
		return from(notLooked{"when the system was launched is not known", "schedgen readiness --launched 2026-02-01"})
	}
	name := item.file()
	text, err := os.ReadFile(filepath.Join(s.Checkout, name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return failed("%s does not exist", name)
	case err != nil:
		return from(err)
	}
	if why := unsaid(string(text), item.Document); why != "" {
		return failed("%s", why)
	}
	changed, err := s.changedAt(ctx, name)
	switch {
	case err != nil:
		return from(err)
	case s.Now().Sub(changed) > fresh:
		return failed("%s was last changed on %s, more than a year ago", name, changed.Format(time.DateOnly))
	case item.Phase == "launch" && changed.Before(s.Launched):
		return failed("%s was last changed on %s, before the launch", name, changed.Format(time.DateOnly))
	}
	return ok("%s, last changed on %s", strings.Fields(item.Document)[0], changed.Format(time.DateOnly))
}

// unsaid is what is missing in a text that "FILE#HEADING WORD..." names: the section has the heading, some text, each of the
// words, and none of those that begin with !. A ~ in a word stands for a space.
func unsaid(text, what string) string {
	words := strings.Fields(what)
	name, anchor, _ := strings.Cut(words[0], "#")
	if anchor != "" {
		var found bool
		if text, found = section(text, anchor); !found {
			return name + " has no section #" + anchor
		}
	}
	said := strings.Fields(text)
	if len(said) < 10 {
		return words[0] + " is empty"
	}
	whole := strings.Join(said, " ")
	for _, word := range words[1:] {
		word, not := strings.CutPrefix(strings.ReplaceAll(word, "~", " "), "!")
		switch found := strings.Contains(whole, word); {
		case !found && !not:
			return fmt.Sprintf("%s does not speak of %q", words[0], word)
		case found && not:
			return fmt.Sprintf("%s has %q, which must not be there", words[0], word)
		}
	}
	return ""
}

var (
	headingLine = regexp.MustCompile(`^(#+) +(.+)$`)
	noAnchor    = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// section is what a Markdown text has under the heading of an anchor, with the sections below it. Code has no headings.
func section(text, anchor string) (under string, found bool) {
	var b strings.Builder
	level, code := 0, false
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			code = !code
		}
		if h := headingLine.FindStringSubmatch(strings.TrimRight(line, "\r\n")); h != nil && !code {
			if level > 0 && len(h[1]) <= level {
				break
			}
			if level == 0 && strings.ReplaceAll(noAnchor.ReplaceAllString(strings.ToLower(h[2]), ""), " ", "-") == anchor {
				level = len(h[1])
				continue
			}
		}
		if level > 0 {
			b.WriteString(line)
		}
	}
	return b.String(), level > 0
}

// changedAt is when a file was last committed, or written, where it never was committed. A checkout of git whose history
// cannot be read tells nothing: its files were written when it was cloned.
func (s *system) changedAt(ctx context.Context, name string) (time.Time, error) {
	path := filepath.Join(s.Checkout, name)
	if _, err := os.Stat(filepath.Join(s.Checkout, ".git")); err == nil {
		out, err := s.git(ctx, "log", "-1", "--format=%H %cI", "--", name)
		if err != nil {
			return time.Time{}, notLooked{"git does not say when " + name + " was last changed: " + err.Error(), "git -C " + s.Checkout + " log -1 -- " + name}
		}
		if commit, date, committed := strings.Cut(out, " "); committed {
			if shallow, err := s.git(ctx, "rev-parse", "--git-path", "shallow"); err == nil && lists(s.Checkout, shallow, commit) {
				return time.Time{}, notLooked{"this clone has no history from before " + name + " was last changed", "git fetch --unshallow"}
			}
			return time.Parse(time.RFC3339, date)
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}, err
	}
	return info.ModTime(), nil
}

// git asks git about the checkout.
func (s *system) git(ctx context.Context, args ...string) (string, error) {
	out, err := s.Runner(ctx, "git", append([]string{"-C", s.Checkout}, args...)...)
	return strings.TrimSpace(string(out)), err
}

// lists says whether a file, which git names from the checkout, has a line. Without the file it does not.
func lists(checkout, name, line string) bool {
	if !filepath.IsAbs(name) {
		name = filepath.Join(checkout, name)
	}
	text, err := os.ReadFile(name)
	return err == nil && slices.Contains(strings.Fields(string(text)), line)
}

// namedTest is a test and its folder.
type namedTest struct{ folder, name string }

// testsOf reads "FOLDER TEST... FOLDER TEST...".
func testsOf(what string) (all []namedTest) {
	folder := ""
	for _, word := range strings.Fields(what) {
		if strings.HasPrefix(word, "Test") {
			all = append(all, namedTest{folder, word})
		} else {
			folder = word
		}
	}
	return all
}

// missingTest is the first of tests that is not in its folder.
func missingTest(checkout string, tests []namedTest) (missing namedTest, err error) {
	for _, test := range tests {
		source, err := testSource(filepath.Join(checkout, test.folder))
		if err != nil {
			return test, err
		}
		if !strings.Contains(source, "\nfunc "+test.name+"(") {
			return test, nil
		}
	}
	return missing, nil
}

// test looks at the tests of an item: they are in the tree, and passed in a run of what is checked out. That they are there
// says nothing of what they would find.
func (s *system) test(ctx context.Context, what string) Finding {
	if s.Checkout == "" {
		return from(noCheckout)
	}
	tests := testsOf(what)
	switch missing, err := missingTest(s.Checkout, tests); {
	case err != nil:
		return from(err)
	case missing.name != "":
		return failed("%s has no test %s", missing.folder, missing.name)
	case s.Results == "":
		return from(notLooked{"whether tests pass is known from a run alone", "go test -json work >results.json; schedgen readiness --results results.json"})
	}
	results, err := s.results.get(s.readResults)
	if err != nil {
		return from(err)
	}
	commit, err := s.committed(ctx)
	if err != nil {
		return from(err)
	}
	oldest := s.Now()
	for _, test := range tests {
		const again = "go test -json work >results.json, with all that the tests need (CONTRIBUTING.md)"
		got := results[test.folder+" "+test.name]
		switch got.outcome {
		case "fail":
			return failed("%s failed in %s", test.name, s.Results)
		case "skip":
			return from(notLooked{fmt.Sprintf("%s was skipped in %s", test.name, s.Results), again})
		case "":
			return from(notLooked{fmt.Sprintf("%s does not say how %s in %s ended", s.Results, test.name, test.folder), again})
		}
		if got.at.Before(commit) {
			return from(notLooked{fmt.Sprintf("%s passed on %s, before the last commit", test.name, got.at.Format(time.DateTime)), again})
		}
		if got.at.Before(oldest) {
			oldest = got.at
		}
	}
	return ok("%d tests passed in %s, of %s: %s", len(tests), s.Results, oldest.Format(time.DateOnly), what)
}

// committed is when the last commit of the checkout was made; nothing where it is none of git.
func (s *system) committed(ctx context.Context) (at time.Time, err error) {
	if _, err := os.Stat(filepath.Join(s.Checkout, ".git")); err != nil {
		return at, nil
	}
	out, err := s.git(ctx, "log", "-1", "--format=%cI")
	if err == nil {
		at, err = time.Parse(time.RFC3339, out)
	}
	if err != nil {
		return at, notLooked{"git does not say when the last commit was made: " + err.Error(), "git -C " + s.Checkout + " log -1"}
	}
	return at, nil
}

// testSource is the text of all tests of a folder.
func testSource(folder string) (string, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		return "", err
	}
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		all.Write(text)
	}
	return all.String(), nil
}

// module is the path that the packages of the checkout begin with.
const module = "github.com/schedgen/schedgen/"

// result is how a test ended: pass, fail or skip.
type result struct {
	outcome string
	at      time.Time
}

// readResults reads how each test ended, by "FOLDER TEST". Of one that ran several times a failure counts.
func (s *system) readResults() (map[string]result, error) {
	file, err := os.Open(s.Results)
	if err != nil {
		return nil, notLooked{"the results of tests cannot be read: " + err.Error(), "schedgen readiness --results FILE, which go test -json wrote"}
	}
	defer file.Close() // only read
	all := map[string]result{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var event struct {
			Action, Package, Test string
			Time                  time.Time
		}
		if json.Unmarshal(lines.Bytes(), &event) != nil || event.Test == "" {
			continue // what a build or a program prints stands between
		}
		if event.Action == "pass" || event.Action == "fail" || event.Action == "skip" {
			name := strings.TrimPrefix(event.Package, module) + " " + event.Test
			if all[name].outcome != "fail" {
				all[name] = result{event.Action, event.Time}
			}
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read the results of tests: %w", err)
	}
	return all, nil
}
