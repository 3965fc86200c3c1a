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

// document looks at "FILE#HEADING WORD...": the file is there, has the heading and each of the words, none
// that begins with !, and is not old.
func (s *system) document(ctx context.Context, what string) Finding {
	if s.Checkout == "" {
		return from(noCheckout)
	}
	words := strings.Fields(what)
	name, anchor, _ := strings.Cut(words[0], "#")
	text, err := os.ReadFile(filepath.Join(s.Checkout, name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return failed("%s does not exist", name)
	case err != nil:
		return from(err)
	case len(strings.Fields(string(text))) < 10:
		return failed("%s is empty", name)
	case anchor != "" && !hasHeading(string(text), anchor):
		return failed("%s has no section #%s", name, anchor)
	}
	for _, word := range words[1:] {
		not, word := strings.HasPrefix(word, "!"), strings.TrimPrefix(word, "!")
		switch found := strings.Contains(string(text), word); {
		case !found && !not:
			return failed("%s does not speak of %s", name, word)
		case found && not:
			return failed("%s has %q, which is a threshold that was not kept", name, word)
		}
	}
	changed, err := s.changedAt(ctx, name)
	if err != nil {
		return from(err)
	}
	if age := s.Now().Sub(changed); age > fresh {
		return failed("%s was last changed on %s, more than a year ago", name, changed.Format(time.DateOnly))
	}
	return ok("%s, %d lines, last changed on %s", words[0], strings.Count(string(text), "\n"), changed.Format(time.DateOnly))
}

var (
	headingLine = regexp.MustCompile(`(?m)^#+ +(.+)$`)
	noAnchor    = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// hasHeading says whether a Markdown text has a heading of that anchor.
func hasHeading(text, anchor string) bool {
	for _, h := range headingLine.FindAllStringSubmatch(text, -1) {
		if strings.ReplaceAll(noAnchor.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-") == anchor {
			return true
		}
	}
	return false
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

// test looks at "FOLDER TEST... FOLDER TEST...": each test is in its folder and, where results are given, passed.
func (s *system) test(what string, mustPass bool) Finding {
	if s.Checkout == "" {
		return from(noCheckout)
	}
	if mustPass && s.Results == "" {
		return from(notLooked{"whether tests pass is known from a run alone", "go test -json work >results.json; schedgen readiness --results results.json"})
	}
	results, err := s.results.get(s.readResults)
	if err != nil {
		return from(err)
	}
	folder, there, passed := "", "", 0
	tests := 0
	for _, word := range strings.Fields(what) {
		if !strings.HasPrefix(word, "Test") {
			folder = word
			if there, err = testSource(filepath.Join(s.Checkout, folder)); err != nil {
				return from(err)
			}
			continue
		}
		tests++
		if !strings.Contains(there, "func "+word+"(") {
			return failed("%s has no test %s", folder, word)
		}
		switch outcome := results[folder+" "+word]; {
		case outcome == "pass":
			passed++
		case outcome == "fail":
			return failed("%s failed in %s", word, s.Results)
		case mustPass:
			return from(notLooked{fmt.Sprintf("%s does not say how %s in %s ended", s.Results, word, folder), "run all tests with go test -json"})
		}
	}
	if s.Results != "" {
		return ok("%d tests are in the tree, %d of them passed in %s: %s", tests, passed, s.Results, what)
	}
	return ok("%d tests are in the tree: %s", tests, what)
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

// readResults reads how each test ended: by "FOLDER TEST", pass, fail or skip.
func (s *system) readResults() (map[string]string, error) {
	if s.Results == "" {
		return nil, nil
	}
	file, err := os.Open(s.Results)
	if err != nil {
		return nil, fmt.Errorf("read the results of tests: %w", err)
	}
	defer file.Close()
	all := map[string]string{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var event struct{ Action, Package, Test string }
		if json.Unmarshal(lines.Bytes(), &event) != nil || event.Test == "" {
			continue // what a build or a program prints stands between
		}
		if event.Action == "pass" || event.Action == "fail" || event.Action == "skip" {
			all[strings.TrimPrefix(event.Package, module)+" "+event.Test] = event.Action
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read the results of tests: %w", err)
	}
	return all, nil
}
