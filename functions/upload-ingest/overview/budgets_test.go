package overview

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestBudgetCountsEachSystemFault compares the codes that the alerts of the error budget count with those that are ours.
func TestBudgetCountsEachSystemFault(t *testing.T) {
	t.Parallel()
	rules, err := os.ReadFile("../../../deploy/monitoring/rules/budgets.yml")
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Sorted(slices.Values(systemFaults))
	for _, metric := range []string{`schedgen_parse_jobs_total\{outcome="failed",`, `schedgen_jobs_failed_total\{`} {
		found := regexp.MustCompile(metric+`code=~"([^"]*)"\}`).FindAllStringSubmatch(string(rules), -1)
		if len(found) == 0 {
			t.Errorf("the rules do not count %s by its codes", metric)
		}
		for _, f := range found {
			if got := slices.Sorted(strings.SplitSeq(f[1], "|")); !slices.Equal(got, want) {
				t.Errorf("%s: got %q, want %q", metric, got, want)
			}
		}
	}
}
