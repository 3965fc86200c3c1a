package feed

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/postgres"
)

// stampsSQL steps through the index from each stamp to the next: there are few, however many feeds there are.
const stampsSQL = `
with recursive stamps (years) as (
	(select years from feeds order by years limit 1)
	union all
	select (select f.years from feeds f where f.years > s.years order by f.years limit 1) from stamps s where s.years is not null)
select years from stamps where years is not null`

// Stamps are the different stamps of academic years that feeds have.
func (s *Store) Stamps(ctx context.Context) ([]string, error) {
	stamps, err := postgres.Query(ctx, s.pool, pgx.RowTo[string], stampsSQL)
	if err != nil {
		return nil, fmt.Errorf("list the academic years of feeds: %w", err)
	}
	return stamps, nil
}

// stampedSQL leaves out what another sweep is writing at this moment.
const stampedSQL = `select ` + columns + `, token_hash from feeds
where years = any($1::text[]) and token_hash > $2::bytea and ($3::bytea is null or token_hash <= $3::bytea)
order by token_hash limit $4::int for update skip locked`

// Cursor is where in the order of their tokens' hashes feeds were read up to. The hashes are as good as random,
// so sweeps that begin at random places share the work.
type Cursor []byte

// RandomCursor is a Cursor anywhere among the feeds.
func RandomCursor() Cursor { return NewToken().hash() }

// Stamped returns at most limit feeds that have one of the stamps, after one place and up to another, and the place of
// the last. Without a place it begins at the first feed, or ends at the last.
func (s *Store) Stamped(ctx context.Context, stamps []string, after, upTo Cursor, limit int) ([]Feed, Cursor, error) {
	if after == nil {
		after = Cursor{} // before all
	}
	last := after
	read := func(row pgx.CollectableRow) (Feed, error) { return scan(row, &last) }
	feeds, err := postgres.Query(ctx, s.pool, read, stampedSQL, stamps, []byte(after), []byte(upTo), limit)
	if err != nil {
		return nil, nil, fmt.Errorf("find feeds of changed academic years: %w", err)
	}
	return feeds, last, nil
}

const restampSQL = `update feeds set years = $2 where id = $1::uuid`

// Restamp marks a feed as made by the academic years of a stamp, and leaves it otherwise as it is.
func (s *Store) Restamp(ctx context.Context, id, stamp string) error {
	if _, err := s.pool.Exec(ctx, restampSQL, id, stamp); err != nil {
		return fmt.Errorf("mark a feed with its academic years: %w", err)
	}
	return nil
}
