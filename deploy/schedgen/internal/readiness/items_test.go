package readiness

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/production-readiness.md")

const checkout = "../../../.."

func items(t *testing.T) []Item {
	t.Helper()
	all, err := Items()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestTheListIsWhole holds the list to its structure: so many items in each section, and 240 in all.
func TestTheListIsWhole(t *testing.T) {
	t.Parallel()
	want := []string{
		"critical: workers 6, queue 6, database-pool 6, redis 6, rate-limits 6",
		"monitoring: metrics 6, health 6, logging 6",
		"load: load-setup 5, load-scenarios 5, load-runs 6",
		"deployment: pre-deployment 12, deployment-documents 6, deployment 6",
		"launch: first-day 6, first-week 6, first-month 6",
		"infrastructure: server 5, software 5, network 5, server-security 6",
		"services: web 5, backend 6, pdf-worker 5, postgresql 5, redis-server 5, object-store 5, proxy 5",
		"testing: unit-tests 4, integration-tests 4, e2e-tests 4, load-tests 5",
		"observation: application-metrics 6, infrastructure-metrics 5, business-metrics 5",
		"recovery: backups 6, restoring 6",
		"documentation: technical-documents 5, operations-documents 5, user-documents 4",
		"team: training 5, processes 5",
		"approval: technical-approval 4, business-approval 4",
	}
	all := items(t)
	var got []string
	for _, phase := range Phases(all) {
		var sections []string
		n := map[string]int{}
		for _, i := range all {
			if i.Phase == phase {
				if n[i.Section]++; n[i.Section] == 1 {
					sections = append(sections, i.Section)
				}
			}
		}
		for at, section := range sections {
			sections[at] = fmt.Sprintf("%s %d", section, n[section])
		}
		got = append(got, phase+": "+strings.Join(sections, ", "))
	}
	if !slices.Equal(got, want) {
		t.Errorf("got the sections\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(all) != 240 {
		t.Errorf("got %d items, want 240", len(all))
	}
}

func TestEachItemCanBeLookedAt(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, i := range items(t) {
		if err := i.valid(); err != nil {
			t.Errorf("%s: %v", i.ID, err)
		}
		if seen[i.ID] || !regexp.MustCompile(`^[a-z0-9-]+$`).MatchString(i.ID) {
			t.Errorf("the id %q is taken, or is none", i.ID)
		}
		seen[i.ID] = true
		if placeholder := regexp.MustCompile(`\$\d`).FindString(i.evidence()); placeholder != "" && i.Check != "" {
			t.Errorf("%s: %q is left in: %s", i.ID, placeholder, i.evidence())
		}
	}
}

// TestNamedTestsAreInTheTree fails where a test was renamed that an item names.
func TestNamedTestsAreInTheTree(t *testing.T) {
	t.Parallel()
	for _, i := range items(t) {
		tests := testsOf(i.Test)
		if missing, err := missingTest(checkout, tests); err != nil || missing.name != "" || i.Kind() == Test && len(tests) == 0 {
			t.Errorf("%s: %s has no %s (%v)", i.ID, missing.folder, missing.name, err)
		}
	}
}

// TestNamedDocumentsSpeakOfTheirItems fails where a heading was renamed, or a document does not say what its item asks. Reports of
// loads that were not run yet, or not for long enough, are red as they should be.
func TestNamedDocumentsSpeakOfTheirItems(t *testing.T) {
	t.Parallel()
	for _, i := range items(t) {
		if i.Kind() != Document || i.Section == "load-runs" && i.ID != "run-report" || i.Section == "load-tests" {
			continue
		}
		text, err := os.ReadFile(checkout + "/" + i.file())
		if err != nil {
			t.Errorf("%s: %v", i.ID, err)
			continue
		}
		if why := unsaid(string(text), i.Document); why != "" {
			t.Errorf("%s: %s", i.ID, why)
		}
		if !strings.Contains(i.Document, "#") && len(strings.Fields(i.Document)) < 2 {
			t.Errorf("%s: %s would be green whatever it says: name a section or words of it", i.ID, i.Document)
		}
	}
}

// TestDefaultsAreThoseOfTheSettings: a setting that is not deployed counts as its default, so the list must know it.
func TestDefaultsAreThoseOfTheSettings(t *testing.T) {
	t.Parallel()
	reference, err := os.ReadFile(checkout + "/docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range items(t) {
		name, args := i.check()
		if name != "setting" {
			continue
		}
		line := regexp.MustCompile("(?m)^\\| `" + args[1] + "` \\| [^|]+ \\| `([^`]*)`").FindSubmatch(reference)
		if line == nil || string(line[1]) != args[2] {
			t.Errorf("%s: %s is %q by default, and the list says %s", i.ID, args[1], line, args[2])
		}
	}
}

// TestThePageIsCurrent compares docs/production-readiness.md with the list; -update writes it.
func TestThePageIsCurrent(t *testing.T) {
	t.Parallel()
	const path = checkout + "/docs/production-readiness.md"
	want := []byte(Page(items(t)))
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("docs/production-readiness.md is not the list's (%v): run go test ./internal/readiness -update in deploy/schedgen", err)
	}
}
