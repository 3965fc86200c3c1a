package syncs

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/postgres"
)

// stampsSQL steps through the index from each stamp to the next: there are few, however many calendars there are.
const stampsSQL = `
with recursive stamps (years) as (
	(select years from google_calendars where following order by years limit 1)
	union all
	select (select c.years from google_calendars c where c.following and c.years > s.years order by c.years limit 1)
	from stamps s where s.years is not null)
select years from stamps where years is not null`

// Stamps are the different stamps of academic years that calendars which follow have.
func (s *Store) Stamps(ctx context.Context) ([]string, error) {
	stamps, err := postgres.Query(ctx, s.pool, pgx.RowTo[string], stampsSQL)
	if err != nil {
		return nil, fmt.Errorf("list the academic years of calendars: %w", err)
	}
	return stamps, nil
}

const stampedSQL = `select ` + calendarColumns + ` from google_calendars
where following and synced_at is not null and years = any($1::text[])
	and account_id in (select id from google_accounts where refresh_token is not null)
order by account_id, calendar_id limit $2::int`

// Stamped are at most so many calendars that follow, were synced, and have one of the stamps. Those of people who
// are signed out are none: they catch up when these sign in.
func (s *Store) Stamped(ctx context.Context, stamps []string, most int) ([]Calendar, error) {
	all, err := postgres.Query(ctx, s.pool, scanCalendar, stampedSQL, stamps, most)
	if err != nil {
		return nil, fmt.Errorf("find calendars of changed academic years: %w", err)
	}
	return all, nil
}

const stampSQL = `update google_calendars set years = $3 where account_id = $1::uuid and calendar_id = $2`

// Stamp notes by which academic years a calendar was made.
func (s *Store) Stamp(ctx context.Context, c Calendar, years string) error {
	if _, err := s.pool.Exec(ctx, stampSQL, c.AccountID, c.ID, years); err != nil {
		return fmt.Errorf("note the academic years of a calendar: %w", err)
	}
	return nil
}

// replanSQL lets one of several at once win: the others wait for the row and find another stamp.
const replanSQL = stampSQL + ` and years = $4 and following`

// Replan is Create for a calendar whose stamp is still the given one. The stamp and the sync are written
// together, so that a sweep that is killed, or several at once, make each sync once. ok is false where somebody
// made it already.
func (s *Store) Replan(ctx context.Context, n New, from string) (ok bool, err error) {
	_, ok, err = s.create(ctx, n, func(ctx context.Context, tx pgx.Tx) (bool, error) {
		stamped, err := tx.Exec(ctx, replanSQL, n.AccountID, n.CalendarID, n.Years, from)
		return stamped.RowsAffected() > 0, err
	})
	return ok, err
}
