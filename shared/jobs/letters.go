package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/postgres"
)

const letterByIDSQL = `
select id, received_at, source, reason, coalesce(job_id::text, ''), event::text from dead_letters where id = $1::bigint`

// DeadLetter is one letter; ErrNotFound when there is none of that id.
func (s *Store) DeadLetter(ctx context.Context, id int64) (DeadLetter, error) {
	letter, err := postgres.QueryOne(ctx, s.pool, func(row pgx.CollectableRow) (l DeadLetter, err error) {
		var event string
		err = row.Scan(&l.ID, &l.ReceivedAt, &l.Source, &l.Reason, &l.JobID, &event)
		l.Event = json.RawMessage(event)
		return l, err
	}, letterByIDSQL, id)
	if errors.Is(err, pgx.ErrNoRows) {
		return DeadLetter{}, ErrNotFound
	}
	if err != nil {
		return DeadLetter{}, fmt.Errorf("read dead letter %d: %w", id, err)
	}
	return letter, nil
}

const discardSQL = `delete from dead_letters where id = $1::bigint`

// Discard deletes a letter that was dealt with; ErrNotFound when there is none of that id.
func (s *Store) Discard(ctx context.Context, id int64) error {
	touched, err := s.pool.Exec(ctx, discardSQL, id)
	if err != nil {
		return fmt.Errorf("delete dead letter %d: %w", id, err)
	}
	if touched == 0 {
		return ErrNotFound
	}
	return nil
}

const discardOldSQL = `
delete from dead_letters where id in (
	select id from dead_letters where received_at <= now() - make_interval(secs => $1::float8)
	order by received_at limit $2::int for update skip locked)`

// DiscardOld deletes at most limit letters that are older than retention, and says how many.
func (s *Store) DiscardOld(ctx context.Context, retention time.Duration, limit int) (int64, error) {
	gone, err := s.pool.Exec(ctx, discardOldSQL, retention.Seconds(), limit)
	if err != nil {
		return 0, fmt.Errorf("delete old dead letters: %w", err)
	}
	return gone, nil
}
