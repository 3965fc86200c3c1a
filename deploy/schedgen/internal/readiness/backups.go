package readiness

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/schedgen/schedgen/functions/backup"
	"github.com/schedgen/schedgen/functions/backup/store"
)

// backupChecks look at the backups that there are. Where the list is not public, the metrics tell of the newest.
func backupChecks() map[string]check {
	const now = "schedgen backup now"
	return map[string]check{
		"backup-recent": {run: backupRecent, says: "the newest good backup is at most 26 hours old",
			fix: "Make a backup now, and find out from the log why none was made (docs/runbooks/BackupMissing.md).", command: now},
		"backup-verified": {run: backupVerified, says: "the newest backup was proved by restoring it into a scratch database",
			fix: "Give the system the identity to prove backups with, and prove the newest.", command: "schedgen backup verify --identity identity.txt"},
		"backups-since-launch": {run: backupsSinceLaunch, says: "since --launched each day has a backup that was found good, and none is less than half as large as the one before",
			fix: "Make a backup now, and find out why a night has none (docs/runbooks/BackupMissing.md).", command: now},
	}
}

// listing is the list of backups, the newest first.
func (s *system) listing(ctx context.Context) (backup.Listing, error) {
	return s.backups.get(func() (backup.Listing, error) {
		var list backup.Listing
		answer, err := s.operator(ctx, "/api/admin/backups")
		switch {
		case err != nil:
			return list, err
		case answer.status == http.StatusNotFound || answer.status == http.StatusMethodNotAllowed:
			return list, notLooked{"the list of backups is not public here", "schedgen readiness --prometheus ADDRESS; docker compose run --rm --no-deps backup list"}
		case answer.status == http.StatusUnauthorized || answer.status == http.StatusForbidden:
			return list, notLooked{"the token is not that of the system's operators", "schedgen readiness --token-file FILE, a file with its ADMIN_TOKEN"}
		case answer.status != http.StatusOK:
			return list, fmt.Errorf("GET /api/admin/backups answers %d", answer.status)
		}
		if err := json.Unmarshal(answer.body, &list); err != nil {
			return list, fmt.Errorf("read the list of backups: %w", err)
		}
		slices.SortStableFunc(list.Backups, func(a, b store.Summary) int { return b.CreatedAt.Compare(a.CreatedAt) })
		return list, nil
	})
}

// late is the age of the newest good backup at which the function itself alerts.
const late = 26 * time.Hour

func backupRecent(ctx context.Context, s *system, _ []string) Finding {
	list, err := s.listing(ctx)
	at := time.Time{}
	if err == nil {
		if list.LastGoodAt != nil {
			at = *list.LastGoodAt
		}
	} else {
		all, other := s.metrics(ctx)
		_, seconds, n := all.ends("schedgen_backup_last_success_timestamp_seconds")
		if other != nil || n == 0 {
			return from(err)
		}
		if seconds > 0 {
			at = time.Unix(int64(seconds), 0)
		}
	}
	switch age := s.Now().Sub(at); {
	case at.IsZero():
		return failed("there is no good backup")
	case age < -store.ClockTolerance:
		return failed("the newest good backup is of %s, which is still to come: a clock is wrong", at.UTC().Format("2006-01-02 15:04Z"))
	case age > late:
		return failed("the newest good backup is %.0f hours old", age.Hours())
	default:
		return ok("the newest good backup is of %s", at.UTC().Format("2006-01-02 15:04Z"))
	}
}

func backupVerified(ctx context.Context, s *system, _ []string) Finding {
	list, err := s.listing(ctx)
	if err != nil {
		all, other := s.metrics(ctx)
		verified, _, n := all.ends("schedgen_backup_verified")
		switch {
		case other != nil || n == 0:
			return from(err)
		case verified == 0:
			return failed("the newest backup was not proved by a restore")
		}
		return ok("the newest backup was proved by a restore")
	}
	if len(list.Backups) == 0 {
		return failed("there is no backup")
	}
	newest := list.Backups[0]
	if newest.Status != store.Verified {
		return failed("the newest backup, %s, is %s, not proved by a restore", newest.ID, newest.Status)
	}
	return ok("%s was restored and compared: %d rows, %d PDFs", newest.ID, newest.Rows, newest.Objects)
}

func backupsSinceLaunch(ctx context.Context, s *system, _ []string) Finding {
	if s.Launched.IsZero() {
		return from(notLooked{"when the system was launched is not known", "schedgen readiness --launched 2026-02-01"})
	}
	now := s.Now()
	if now.Before(s.Launched) {
		return from(notLooked{"the launch is still to come", "ask again after " + s.Launched.Format(time.DateOnly)})
	}
	list, err := s.listing(ctx)
	if err != nil {
		return from(err)
	}
	days := map[string]bool{}
	var since []store.Summary
	for _, b := range list.Backups {
		if b.Good() && !b.CreatedAt.Before(s.Launched) && !b.CreatedAt.After(now.Add(store.ClockTolerance)) {
			since = append(since, b)
			days[b.CreatedAt.In(s.Launched.Location()).Format(time.DateOnly)] = true
		}
	}
	missing := missingDays(s.Launched, now, days)
	switch {
	case len(missing) > 0:
		return failed("there is no good backup of %s", strings.Join(missing, ", "))
	case len(since) == 0 && now.Sub(s.Launched) > late:
		return failed("no good backup was made since the launch")
	case len(since) == 0:
		return from(notLooked{"the first night after the launch has not passed", "ask again tomorrow"})
	}
	return sizes(since, fmt.Sprintf("%d days since the launch have a good backup, and none of the last %d lacks one", len(days), mostDays))
}

// mostDays is how many days back each must have a backup: the policy keeps one of each of seven days, then fewer.
const mostDays = 6

// missingDays are the days between the launch and today, both left out, that are not among days.
func missingDays(launched, now time.Time, days map[string]bool) (missing []string) {
	today := now.In(launched.Location())
	for back := 1; back <= mostDays; back++ {
		day := today.AddDate(0, 0, -back).Format(time.DateOnly)
		if day > launched.Format(time.DateOnly) && !days[day] {
			missing = append(missing, day)
		}
	}
	return missing
}

// sizes looks for a backup that is far smaller than the one before, which may have lost something.
func sizes(list []store.Summary, otherwise string) Finding {
	for i := 0; i+1 < len(list); i++ {
		newer, older := list[i], list[i+1]
		if 2*newer.DumpBytes < older.DumpBytes {
			f := failed("the dump of %s has %d bytes, that of %s before it %d", newer.ID, newer.DumpBytes, older.ID, older.DumpBytes)
			f.Fix, f.Command = "Compare what the two backups hold, and verify the newest.", "schedgen backup list"
			return f
		}
	}
	return ok("%s; the newest dump has %d bytes", otherwise, list[0].DumpBytes)
}
