package syncs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/functions/google-sync/plan"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/postgres"
)

// Calendar is a calendar that schedgen made, or has synced to.
type Calendar struct {
	AccountID string
	ID        string // Google's
	Summary   string
	Created   bool // by schedgen
	Following bool
	Options   calendar.Options     // the choices of the last sync
	ChosenAt  time.Time            // when they were chosen
	Colors    calendar.SavedColors // of modules, so that they stay
	SyncedAt  *time.Time           // the end of the last one; nil before the first
	Years     string               // the stamp of the academic years that the last one was made by
}

const calendarColumns = `account_id::text, calendar_id, summary, created, following, options::text, chosen_at, colors::text, synced_at, years`

func scanCalendar(row pgx.CollectableRow) (c Calendar, err error) {
	var options, colors string
	if err := row.Scan(&c.AccountID, &c.ID, &c.Summary, &c.Created, &c.Following, &options, &c.ChosenAt, &colors, &c.SyncedAt, &c.Years); err != nil {
		return c, err
	}
	if err := json.Unmarshal([]byte(colors), &c.Colors); err != nil {
		return c, fmt.Errorf("decode stored colours: %w", err)
	}
	if err := json.Unmarshal([]byte(options), &c.Options); err != nil {
		return c, fmt.Errorf("decode stored options: %w", err)
	}
	return c, nil
}

const calendarsSQL = `select ` + calendarColumns + ` from google_calendars where account_id = $1::uuid order by calendar_id`

// Calendars are the account's.
func (s *Store) Calendars(ctx context.Context, account string) ([]Calendar, error) {
	all, err := postgres.Query(ctx, s.pool, scanCalendar, calendarsSQL, account)
	if err != nil {
		return nil, fmt.Errorf("list an account's calendars: %w", err)
	}
	return all, nil
}

const calendarSQL = `select ` + calendarColumns + ` from google_calendars where account_id = $1::uuid and calendar_id = $2`

// Calendar is one of the account's; ok is false for one that it has nothing to do with yet.
func (s *Store) Calendar(ctx context.Context, account, id string) (c Calendar, ok bool, err error) {
	c, err = postgres.QueryOne(ctx, s.pool, scanCalendar, calendarSQL, account, id)
	if errors.Is(err, pgx.ErrNoRows) {
		return Calendar{}, false, nil
	}
	if err != nil {
		return Calendar{}, false, fmt.Errorf("read a calendar: %w", err)
	}
	return c, true, nil
}

const saveCalendarSQL = `
insert into google_calendars (account_id, calendar_id, summary, created, following, options)
values ($1::uuid, $2, $3, $4::boolean, $5::boolean, $6::jsonb)
on conflict (account_id, calendar_id) do update
set summary = coalesce(nullif(excluded.summary, ''), google_calendars.summary),
	following = excluded.following, options = excluded.options,
	chosen_at = case when google_calendars.options = excluded.options then google_calendars.chosen_at else now() end`

// SaveCalendar notes a calendar, or its new choices. What was created by schedgen stays so.
func (s *Store) SaveCalendar(ctx context.Context, c Calendar) error {
	options, err := json.Marshal(c.Options)
	if err != nil {
		return fmt.Errorf("encode options: %w", err)
	}
	if _, err := s.pool.Exec(ctx, saveCalendarSQL, c.AccountID, c.ID, c.Summary, c.Created, c.Following, string(options)); err != nil {
		return fmt.Errorf("save a calendar: %w", err)
	}
	return nil
}

const saveColorsSQL = `update google_calendars set colors = $3::jsonb where account_id = $1::uuid and calendar_id = $2`

// SaveColors saves the colours in which a calendar shows modules.
func (s *Store) SaveColors(ctx context.Context, account, id string, colors calendar.SavedColors) error {
	text, err := json.Marshal(colors)
	if err != nil {
		return fmt.Errorf("encode colours: %w", err)
	}
	if _, err := s.pool.Exec(ctx, saveColorsSQL, account, id, string(text)); err != nil {
		return fmt.Errorf("note the colours of a calendar: %w", err)
	}
	return nil
}

const markGoneSQL = `
with never as (
	delete from google_calendars where account_id = $1::uuid and calendar_id = $2 and synced_at is null and not created),
recipes as (delete from google_recipes where account_id = $1::uuid and calendar_id = $2)
update google_calendars set following = false
where account_id = $1::uuid and calendar_id = $2 and (synced_at is not null or created)`

// MarkGone ends the following of a calendar that is gone, and deletes one that was never synced.
func (s *Store) MarkGone(ctx context.Context, account, id string) error {
	if _, err := s.pool.Exec(ctx, markGoneSQL, account, id); err != nil {
		return fmt.Errorf("note that a calendar is gone: %w", err)
	}
	return nil
}

// clearSQL deletes what is known of a calendar from which all that schedgen added was removed.
const clearSQL = `
with gone as (delete from google_events where account_id = $1::uuid and calendar_id = $2)
update google_calendars set following = false, synced_at = null where account_id = $1::uuid and calendar_id = $2`

const deleteCalendarsSQL = `delete from google_calendars`

// DeleteCalendars deletes every calendar of every account, with what became of their events.
func (s *Store) DeleteCalendars(ctx context.Context) error {
	if _, err := s.pool.Exec(ctx, deleteCalendarsSQL); err != nil {
		return fmt.Errorf("delete all calendars: %w", err)
	}
	return nil
}

const memorySQL = `select event_id, state from google_events where account_id = $1::uuid and calendar_id = $2`

const knownSQL = `
select coalesce((select synced_at is not null from google_calendars where account_id = $1::uuid and calendar_id = $2), false)`

// Memory is what became of the events in a calendar.
func (s *Store) Memory(ctx context.Context, account, id string) (plan.Memory, error) {
	m := plan.Memory{States: make(map[string]plan.State)}
	known, err := postgres.QueryOne(ctx, s.pool, pgx.RowTo[bool], knownSQL, account, id)
	if err != nil {
		return m, fmt.Errorf("read whether a calendar was synced: %w", err)
	}
	m.Known = known
	type remembered struct {
		ID    string
		State plan.State
	}
	all, err := postgres.Query(ctx, s.pool, pgx.RowToStructByPos[remembered], memorySQL, account, id)
	if err != nil {
		return m, fmt.Errorf("read what became of events: %w", err)
	}
	for _, r := range all {
		m.States[r.ID] = r.State
	}
	return m, nil
}

const rememberSQL = `
insert into google_events (account_id, calendar_id, event_id, state)
select $1::uuid, $2, e.id, $4 from unnest($3::text[]) as e (id)
on conflict (account_id, calendar_id, event_id) do update set state = excluded.state`

// Remember notes what became of events.
func (s *Store) Remember(ctx context.Context, account, id string, state plan.State, events []string) error {
	if len(events) == 0 {
		return nil
	}
	if _, err := s.pool.Exec(ctx, rememberSQL, account, id, events, string(state)); err != nil {
		return fmt.Errorf("note what became of events: %w", err)
	}
	return nil
}
