package syncs

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/postgres"
)

// stampsSQL steps through the indexes from each stamp to the next: there are few, however many calendars there are.
const stampsSQL = `
with recursive following (years) as (
	(select years from google_calendars where following order by years limit 1)
	union all
	select (select c.years from google_calendars c where c.following and c.years > s.years order by c.years limit 1)
	from following s where s.years is not null),
recipes (years) as (
	(select years from google_recipes order by years limit 1)
	union all
	select (select r.years from google_recipes r where r.years > s.years order by r.years limit 1)
	from recipes s where s.years is not null)
select years from following where years is not null union select years from recipes where years is not null`

// Stamps are the different stamps of academic years that calendars which follow, and recipes, have.
func (s *Store) Stamps(ctx context.Context) ([]string, error) {
	stamps, err := postgres.Query(ctx, s.pool, pgx.RowTo[string], stampsSQL)
	if err != nil {
		return nil, fmt.Errorf("list the academic years of calendars: %w", err)
	}
	return stamps, nil
}

const stampedSQL = `select ` + calendarColumns + ` from google_calendars
where (account_id, calendar_id) in (
		select account_id, calendar_id from google_calendars where following and years = any($1::text[])
		union select account_id, calendar_id from google_recipes where years = any($1::text[]))
	and synced_at is not null
	and account_id in (select id from google_accounts where refresh_token is not null)
order by random() limit $2::int`

// Stamped are at most so many calendars that were synced, and that follow or have a recipe with one of the stamps.
// Those of people who are signed out are none: their time comes when these sign in. They come in no order, so that
// calendars that cannot be made again do not keep the others waiting.
func (s *Store) Stamped(ctx context.Context, stamps []string, most int) ([]Calendar, error) {
	all, err := postgres.Query(ctx, s.pool, scanCalendar, stampedSQL, stamps, most)
	if err != nil {
		return nil, fmt.Errorf("find calendars of changed academic years: %w", err)
	}
	return all, nil
}

const stampSQL = `update google_calendars set years = $3 where account_id = $1::uuid and calendar_id = $2`

// errChanged means that the calendar or its recipes were changed meanwhile.
var errChanged = errors.New("syncs: the calendar or its recipes changed")

// Rebuilt is a calendar whose recipes were built again by other academic years.
type Rebuilt struct {
	Calendar Calendar // as it was read
	Read     []Recipe // as they were read
	Recipes  []Recipe // as they are now
}

// Replan creates a sync if the calendar and its recipes are still as they were read. It saves their stamps in the
// same transaction, so that sweeps that are killed, or run at once, make each sync once. ok is false if another sweep
// made it already, or a request synced meanwhile.
func (s *Store) Replan(ctx context.Context, n New, change Rebuilt) (ok bool, err error) {
	err = s.pool.Tx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := n.create(ctx, tx); err != nil {
			return err
		}
		return change.stamp(ctx, tx, n.Years)
	})
	switch {
	case errors.Is(err, errChanged):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("make a sync again: %w", err)
	}
	return true, nil
}

// Restamp is Replan for a calendar in which there is nothing to make.
func (s *Store) Restamp(ctx context.Context, change Rebuilt, years string) error {
	err := s.pool.Tx(ctx, func(ctx context.Context, tx pgx.Tx) error { return change.stamp(ctx, tx, years) })
	if err != nil && !errors.Is(err, errChanged) {
		return fmt.Errorf("note the academic years of a calendar: %w", err)
	}
	return nil
}

const followingSQL = `
select years, following from google_calendars where account_id = $1::uuid and calendar_id = $2 for update`

// stamp notes by what the calendar and its recipes are made now. It lets one of several at once win: the others wait
// for the row and find other stamps.
func (r Rebuilt) stamp(ctx context.Context, tx pgx.Tx, years string) error {
	c := r.Calendar
	var stamp string
	var following bool
	err := tx.QueryRow(ctx, followingSQL, c.AccountID, c.ID).Scan(&stamp, &following)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && (stamp != c.Years || following != c.Following) {
		return errChanged
	}
	if err != nil {
		return err
	}
	same, err := unchanged(ctx, tx, c.AccountID, c.ID, r.Read)
	if err == nil && !same {
		err = errChanged
	}
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, stampSQL, c.AccountID, c.ID, years); err != nil {
		return err
	}
	return saveRebuilt(ctx, tx, r.Recipes)
}
