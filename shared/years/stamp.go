package years

import (
	"slices"
	"strconv"
	"strings"
)

// NoYears is the stamp of a calendar that depends on no year.
const NoYears = "none"

// Stamp names the years that a calendar was made with and what they were then, as in
// "2026=0123456789abcdef 2027=". It is never empty: an empty stamp means that there is none yet.
func (s Snapshot) Stamp(used []int) string {
	used = slices.Compact(slices.Sorted(slices.Values(used)))
	if len(used) == 0 {
		return NoYears
	}
	parts := make([]string, len(used))
	for i, year := range used {
		parts[i] = strconv.Itoa(year) + "=" + s.Years[year].Fingerprint()
	}
	return strings.Join(parts, " ")
}

// Stale reports whether a calendar with that stamp would be another now, as far as years are concerned.
func (s Snapshot) Stale(stamp string) bool {
	if stamp == NoYears {
		return false
	}
	for part := range strings.FieldsSeq(stamp) {
		text, fingerprint, _ := strings.Cut(part, "=")
		year, err := strconv.Atoi(text)
		if err != nil || s.Years[year].Fingerprint() != fingerprint {
			return true
		}
	}
	return stamp == ""
}

// StaleOf returns the stamps that are [Snapshot.Stale].
func (s Snapshot) StaleOf(stamps []string) []string {
	stale := make([]string, 0, len(stamps))
	for _, stamp := range stamps {
		if s.Stale(stamp) {
			stale = append(stale, stamp)
		}
	}
	return stale
}
