package feed

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/functions/calendar-generate/ics"
	"github.com/schedgen/schedgen/shared/calendar"
)

// Rendering is what a feed shall say from now on.
type Rendering struct {
	Sources      string // names what Calendar was made of
	Years        string // the stamp of the academic years that it was made by
	YearsVersion int64  // of the database's part of these
	Calendar     calendar.Calendar
	Refresh      time.Duration // how often programs are asked to fetch it
	Now          time.Time     // LAST-MODIFIED of what changed
}

// ErrOldYears means that a rendering was made by academic years that have been corrected since. The feed may show the
// newer ones already, so it is not written.
var ErrOldYears = errors.New("feed: the academic years have been corrected meanwhile")

const newerYearsSQL = `select exists (select from academic_years where version > $1::bigint)`

const lockSQL = `select ` + columns + ` from feeds where id = $1::uuid for update`

const eventsSQL = `select uid, sequence, fingerprint, last_modified from feed_events where feed_id = $1::uuid`

const saveEventsSQL = `
insert into feed_events (feed_id, uid, sequence, fingerprint, last_modified)
select $1::uuid, e.uid, e.sequence, e.fingerprint, $5::timestamptz
from unnest($2::text[], $3::int[], $4::text[]) as e (uid, sequence, fingerprint)
on conflict (feed_id, uid) do update
set sequence = excluded.sequence, fingerprint = excluded.fingerprint, last_modified = excluded.last_modified`

const saveSQL = `
update feeds set sources = $2, years = $6, body = $3::bytea, last_modified = $4::timestamptz, options = $5::jsonb, updated_at = now()
where id = $1::uuid`

// Refresh renders the feed anew and keeps what it says. An event that changed since the last time
// gets the next SEQUENCE; one that did not keeps its own, and where nothing changed at all, Body and
// LastModified stay as they are. What is known of an event that vanished is kept, so that its
// SEQUENCE goes on rising should it come back. Of several at once, the others wait for the first and
// find its work done. ErrNotFound means that the feed was deleted meanwhile, and ErrOldYears that r must be
// made again. [pack.ErrTooLong] means that the feed stays as it was.
func (s *Store) Refresh(ctx context.Context, id string, r Rendering) (Feed, error) {
	var feed Feed
	err := s.pool.Tx(ctx, func(ctx context.Context, tx pgx.Tx) (err error) {
		if feed, err = lock(ctx, tx, id); err != nil || feed.Sources == r.Sources && feed.Years == r.Years {
			return err
		}
		// Under the lock: any earlier writer of the feed has committed, so the years that it used are visible.
		var newer bool
		if err := tx.QueryRow(ctx, newerYearsSQL, r.YearsVersion).Scan(&newer); err != nil {
			return err
		}
		if newer {
			return ErrOldYears
		}
		return feed.render(ctx, tx, r)
	})
	if errors.Is(err, ErrOldYears) {
		return Feed{}, ErrOldYears
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return Feed{}, ErrNotFound
	}
	if err != nil {
		return Feed{}, fmt.Errorf("refresh feed %s: %w", id, err)
	}
	return feed, nil
}

// SetOptions gives the feed other options, chosen then, and what it says with them. The kinds that it shows and the
// colours in which modules were shown stay.
func (s *Store) SetOptions(ctx context.Context, id string, options calendar.Options, chosen time.Time, r Rendering) (Feed, error) {
	var feed Feed
	err := s.pool.Tx(ctx, func(ctx context.Context, tx pgx.Tx) (err error) {
		if feed, err = lock(ctx, tx, id); err != nil {
			return err
		}
		feed.Options.Options, feed.Options.Chosen = options, chosen
		return feed.render(ctx, tx, r)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return Feed{}, ErrNotFound
	}
	if err != nil {
		return Feed{}, fmt.Errorf("give feed %s other options: %w", id, err)
	}
	return feed, nil
}

func lock(ctx context.Context, tx pgx.Tx, id string) (Feed, error) {
	rows, err := tx.Query(ctx, lockSQL, id)
	if err != nil {
		return Feed{}, err
	}
	return pgx.CollectOneRow(rows, scanFeed)
}

// render makes the body, and saves it with the revisions of the events that changed.
func (f *Feed) render(ctx context.Context, tx pgx.Tx, r Rendering) error {
	known, err := savedEvents(ctx, tx, f.ID)
	if err != nil {
		return err
	}
	now := r.Now.UTC().Truncate(time.Second) // what a file can tell
	if !now.After(f.LastModified) {
		now = f.LastModified.UTC().Add(time.Second) // two changes never have one time, whatever the clocks say
	}
	revisions, changed := revise(known, r.Calendar, now)
	var body bytes.Buffer
	if err := (ics.Feed{Stamp: now, Refresh: r.Refresh, Revisions: revisions}).Write(&body, r.Calendar); err != nil {
		return err
	}
	f.Sources, f.Years = r.Sources, r.Years
	if !bytes.Equal(f.Body, body.Bytes()) {
		f.Body, f.LastModified = body.Bytes(), now
	}
	if len(changed.uids) > 0 {
		if _, err := tx.Exec(ctx, saveEventsSQL, f.ID, changed.uids, changed.sequences, changed.fingerprints, now); err != nil {
			return fmt.Errorf("save the revisions: %w", err)
		}
	}
	f.Options.SavedColors = f.Options.SavedColors.With(r.Calendar)
	options, err := json.Marshal(f.Options)
	if err != nil {
		return fmt.Errorf("encode a feed's options: %w", err)
	}
	kept, err := packBody(f.Body)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, saveSQL, f.ID, f.Sources, kept, f.LastModified, string(options), f.Years); err != nil {
		return fmt.Errorf("save the rendering: %w", err)
	}
	return nil
}

// Calendar is what the options ask of package calendar: the caller's choice, and for other modules
// the colours that they had.
func (o Options) Calendar() calendar.Options { return o.SavedColors.Apply(o.Options) }

// known is an event as subscribers last saw it.
type known struct {
	ics.Revision
	fingerprint string
}

func savedEvents(ctx context.Context, tx pgx.Tx, id string) (map[string]known, error) {
	rows, err := tx.Query(ctx, eventsSQL, id)
	if err != nil {
		return nil, err
	}
	events := make(map[string]known)
	var uid string
	var k known
	_, err = pgx.ForEachRow(rows, []any{&uid, &k.Sequence, &k.fingerprint, &k.Modified}, func() error {
		events[uid] = k
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the revisions: %w", err)
	}
	return events, nil
}

// changes are the events to save, column by column.
type changes struct {
	uids         []string
	sequences    []int32
	fingerprints []string
}

// fingerprintLength is how much of an event's hash is kept, in hexadecimal digits: with 96 bits none is met twice by chance.
// Earlier versions kept all of it.
const fingerprintLength = 24

// revise gives each event its revision, and those that are new or differ from what is known.
func revise(events map[string]known, cal calendar.Calendar, now time.Time) (map[string]ics.Revision, changes) {
	revisions := make(map[string]ics.Revision, len(cal.Items))
	var changed changes
	for _, item := range cal.Items {
		fingerprint := hex.EncodeToString(ics.Fingerprint(item, cal.Reminders))[:fingerprintLength]
		before, seen := events[item.UID]
		if seen && strings.HasPrefix(before.fingerprint, fingerprint) {
			revisions[item.UID] = before.Revision
			continue
		}
		revision := ics.Revision{Modified: now}
		if seen {
			revision.Sequence = before.Sequence + 1
		}
		revisions[item.UID] = revision
		changed.uids = append(changed.uids, item.UID)
		changed.sequences = append(changed.sequences, int32(revision.Sequence))
		changed.fingerprints = append(changed.fingerprints, fingerprint)
	}
	return revisions, changed
}
