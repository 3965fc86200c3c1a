// Package retention says which backups to keep. It counts backups, not days on a calendar: a clock
// that jumps, or a month without backups, makes nothing too old.
package retention

import (
	"fmt"
	"slices"
	"time"
)

// Policy is how many days, weeks and months keep their newest backup. Days, weeks and months without
// a good backup do not count. Beside them everything from the day before the newest backup is kept: one
// that was made before a deployment must survive the one after it.
type Policy struct {
	Daily   int `env:"BACKUP_KEEP_DAILY, default=7" zero:"allowed"`   // number of days whose newest good backup is kept
	Weekly  int `env:"BACKUP_KEEP_WEEKLY, default=4" zero:"allowed"`  // number of weeks whose newest good backup is kept
	Monthly int `env:"BACKUP_KEEP_MONTHLY, default=6" zero:"allowed"` // number of months whose newest good backup is kept
}

// Backup is what matters of one here.
type Backup struct {
	ID   string
	At   time.Time
	Good bool // verified and found whole
}

// Expired returns the ids of those that the policy does not keep. The newest good backup is always
// kept, and so is the newest good one that is not of the future: a clock that was wrong must not make
// its backup the only one. A bad one is kept for a person to look at until as many good ones as the
// policy's days are newer.
func Expired(all []Backup, p Policy, now time.Time) []string {
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b Backup) int { return b.At.Compare(a.At) }) // the newest first
	keep := map[string]bool{}
	periods := []struct {
		limit int
		name  func(time.Time) string
	}{
		{max(p.Daily, 1), func(t time.Time) string { return t.Format(time.DateOnly) }},
		{p.Weekly, func(t time.Time) string { year, week := t.ISOWeek(); return fmt.Sprint(year, "W", week) }},
		{p.Monthly, func(t time.Time) string { return t.Format("2006-01") }},
	}
	for _, period := range periods {
		seen := map[string]bool{}
		for _, b := range sorted {
			name := period.name(b.At.UTC())
			if b.Good && !seen[name] && len(seen) < period.limit {
				seen[name] = true
				keep[b.ID] = true
			}
		}
	}
	keepRecent(sorted, now, keep)
	var gone []string
	newer := 0 // good ones, so far
	for _, b := range sorted {
		if b.Good {
			newer++
		}
		if !keep[b.ID] && (b.Good || newer >= max(p.Daily, 1)) {
			gone = append(gone, b.ID)
		}
	}
	return gone
}

// recent is how long before the newest backup all others are kept.
const recent = 24 * time.Hour

// keepRecent keeps the newest good backup that is not of the future, and those shortly before it.
func keepRecent(sorted []Backup, now time.Time, keep map[string]bool) {
	newest := slices.IndexFunc(sorted, func(b Backup) bool { return b.Good && !b.At.After(now) })
	if newest < 0 {
		return
	}
	for _, b := range sorted[newest:] {
		if b.Good && sorted[newest].At.Sub(b.At) <= recent {
			keep[b.ID] = true
		}
	}
}
