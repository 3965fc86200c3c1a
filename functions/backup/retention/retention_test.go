package retention_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/schedgen/schedgen/functions/backup/retention"
)

var policy = retention.Policy{Daily: 7, Weekly: 4, Monthly: 6}

func at(text string) time.Time {
	t, err := time.Parse("2006-01-02 15:04", text)
	if err != nil {
		panic(err)
	}
	return t
}

// kept are the days of those that Delete leaves.
func kept(all []retention.Backup, p retention.Policy, now time.Time) (days []string) {
	gone := retention.Expired(all, p, now)
	for _, b := range all {
		if !slices.Contains(gone, b.ID) {
			days = append(days, b.At.Format(time.DateOnly))
		}
	}
	return days
}

// TestBackupsEndWithinTheTimeThatPeopleAreTold: what a person deletes is in no backup after BACKUP_RETENTION of
// upload-ingest, whose default is that of this policy.
func TestBackupsEndWithinTheTimeThatPeopleAreTold(t *testing.T) {
	t.Parallel()
	const told = 4488 * time.Hour // the default of BACKUP_RETENTION in functions/upload-ingest
	var all []retention.Backup
	for _, b := range daily("2026-01-01", 900) {
		all = append(all, b)
		gone := retention.Expired(all, policy, b.At)
		all = slices.DeleteFunc(all, func(old retention.Backup) bool { return slices.Contains(gone, old.ID) })
		for _, old := range all {
			if age := b.At.Sub(old.At); age > told {
				t.Errorf("on %s the backup %s is %s old, people are told %s", b.ID, old.ID, age, told)
			}
		}
	}
}

func daily(first string, n int) (all []retention.Backup) {
	for i := range n {
		day := at(first+" 02:00").AddDate(0, 0, i)
		all = append(all, retention.Backup{ID: day.Format(time.DateOnly), At: day, Good: true})
	}
	return all
}

func TestAYearOfDailyBackups(t *testing.T) {
	t.Parallel()
	all := daily("2025-07-01", 365) // until 2026-06-30, a Tuesday
	got := kept(all, policy, at("2026-06-30 03:00"))
	want := []string{
		"2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31", // months; June's is the newest
		"2026-06-14", "2026-06-21", // Sundays: the newest of their weeks
		"2026-06-24", "2026-06-25", "2026-06-26", "2026-06-27", "2026-06-28", "2026-06-29", "2026-06-30",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestOneDaysManyBackupsAreOneADayLater(t *testing.T) {
	t.Parallel()
	all := daily("2026-02-01", 3)
	for hour := range 20 {
		when := at("2026-02-03 02:30").Add(time.Duration(hour) * time.Hour)
		all = append(all, retention.Backup{ID: when.String(), At: when, Good: true})
	}
	if got := kept(all, policy, at("2026-02-04 00:00")); len(got) != 23 {
		t.Errorf("got %d on the same day, want all 23", len(got))
	}
	all = append(all, retention.Backup{ID: "later", At: at("2026-02-05 02:00"), Good: true})
	if got, want := kept(all, policy, at("2026-02-05 03:00")), []string{"2026-02-01", "2026-02-02", "2026-02-03", "2026-02-05"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want one of each day: %q", got, want)
	}
}

func TestThePauseOfAYearDeletesNothing(t *testing.T) {
	t.Parallel()
	all := daily("2025-02-01", 5)
	all = append(all, daily("2026-05-01", 1)...)
	if got := kept(all, policy, at("2026-05-01 03:00")); len(got) != 6 {
		t.Errorf("got %q, want all six", got)
	}
}

func TestAClockThatJumpsKeepsTheLastGoodOfThePresent(t *testing.T) {
	t.Parallel()
	one := retention.Policy{Daily: 1}
	all := append(daily("2026-02-01", 3), daily("2099-01-01", 1)...)
	want := []string{"2026-02-02", "2026-02-03", "2099-01-01"} // the first two are within a day
	if got := kept(all, one, at("2026-02-04 00:00")); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := kept(all, one, at("1990-01-01 00:00")); !slices.Equal(got, []string{"2099-01-01"}) {
		t.Errorf("a clock set far back: got %q, want the newest", got)
	}
}

func TestBadBackupsPushNoGoodOnesOut(t *testing.T) {
	t.Parallel()
	all := daily("2026-02-01", 2)
	bad := daily("2026-02-03", 40)
	for i := range bad {
		bad[i].Good = false
	}
	if got := kept(append(slices.Clone(all), bad...), policy, at("2026-04-01 00:00")); len(got) != 42 {
		t.Errorf("got %d kept, want both good ones and, until others follow, the bad ones: 42", len(got))
	}
	if got := kept(slices.Concat(all, bad, daily("2026-05-01", 7)), policy, at("2026-05-08 00:00")); slices.Contains(got, "2026-02-03") {
		t.Errorf("got %q, want no bad one that seven good ones followed", got)
	}
}

// Whatever there is and whatever the clock says: the newest good one stays, every day's rule is
// kept, and deleting again deletes nothing more.
func TestTheNewestGoodOneIsNeverDeleted(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 1))
	for range 300 {
		var all []retention.Backup
		newest := retention.Backup{}
		for i := range random.IntN(60) {
			b := retention.Backup{ID: fmt.Sprint(i), At: at("2026-01-01 00:00").Add(time.Duration(random.IntN(9000)) * time.Hour), Good: random.IntN(3) > 0}
			all = append(all, b)
			if b.Good && b.At.After(newest.At) {
				newest = b
			}
		}
		p := retention.Policy{Daily: random.IntN(9), Weekly: random.IntN(5), Monthly: random.IntN(4)}
		now := at("2026-01-01 00:00").Add(time.Duration(random.IntN(12000)) * time.Hour)
		gone := retention.Expired(all, p, now)
		if newest.ID != "" && slices.Contains(gone, newest.ID) {
			t.Fatalf("seed %d: the newest good backup, of %v, is deleted by %+v", seed, newest.At, p)
		}
		rest := slices.DeleteFunc(slices.Clone(all), func(b retention.Backup) bool { return slices.Contains(gone, b.ID) })
		if again := retention.Expired(rest, p, now); len(again) > 0 {
			t.Fatalf("seed %d: a second look deletes %q more", seed, again)
		}
	}
}
