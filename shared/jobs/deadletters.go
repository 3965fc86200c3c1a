package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/postgres"
)

// DeadLetter is an event that no handler could take.
type DeadLetter struct {
	ID         int64           `json:"id"`
	ReceivedAt time.Time       `json:"receivedAt"`
	Source     string          `json:"source"` // who sent it, or which handler gave it up
	Reason     string          `json:"reason"`
	JobID      string          `json:"jobId,omitempty"`
	Event      json.RawMessage `json:"event"` // what is not JSON is stored as a JSON string
}

// maxDeadLetter is how many bytes of one event are stored.
const maxDeadLetter = 64 << 10

const keepDeadLetterSQL = `
insert into dead_letters (source, reason, job_id, event)
values ($1, $2, nullif($3, '')::uuid, $4::jsonb) returning id`

// KeepDeadLetter stores a dead letter for a person to look at, and returns its id.
func (s *Store) KeepDeadLetter(ctx context.Context, letter DeadLetter) (int64, error) {
	if !validID(letter.JobID) {
		letter.JobID = ""
	}
	id, err := postgres.QueryOne(ctx, s.pool, pgx.RowTo[int64], keepDeadLetterSQL,
		letter.Source, letter.Reason, letter.JobID, storableJSON(letter.Event))
	if err != nil {
		return 0, fmt.Errorf("store a dead letter: %w", err)
	}
	return id, nil
}

// storableJSON returns the event as JSON that PostgreSQL accepts: jsonb refuses \u0000, and anything may arrive.
func storableJSON(event []byte) string {
	if len(event) <= maxDeadLetter && json.Valid(event) && utf8.Valid(event) && !hasNull(event) {
		return string(event)
	}
	kept := event[:min(len(event), maxDeadLetter)]
	clean := make([]rune, 0, len(kept))
	for _, r := range string(kept) {
		if r == 0 {
			r = utf8.RuneError
		}
		clean = append(clean, r)
	}
	body, err := json.Marshal(string(clean))
	if err != nil || hasNull(body) {
		return `"unreadable"`
	}
	return string(body)
}

const deadLetterColumns = `id, received_at, source, reason, coalesce(job_id::text, ''), event::text`

func scanDeadLetter(row pgx.CollectableRow) (l DeadLetter, err error) {
	var event string
	err = row.Scan(&l.ID, &l.ReceivedAt, &l.Source, &l.Reason, &l.JobID, &event)
	l.Event = json.RawMessage(event)
	return l, err
}

// maxListBytes is the limit of the events in one list.
const maxListBytes = 4 << 20

const deadLettersSQL = `
select ` + deadLetterColumns + ` from (
	select *, sum(octet_length(event::text)) over (order by id desc) as bytes_so_far
	from (select * from dead_letters where id < $1::bigint order by id desc limit $2::int) as newest) as letters
where bytes_so_far <= $3::bigint
order by id desc`

// DeadLetters returns the newest dead letters with an id below before, at most limit, and fewer if their events are long.
// It returns none only if none is left: one letter alone is never too long.
func (s *Store) DeadLetters(ctx context.Context, before int64, limit int) ([]DeadLetter, error) {
	letters, err := postgres.Query(ctx, s.pool, scanDeadLetter, deadLettersSQL, before, limit, maxListBytes)
	if err != nil {
		return nil, fmt.Errorf("read dead letters: %w", err)
	}
	return letters, nil
}

const deadLetterSQL = `select ` + deadLetterColumns + ` from dead_letters where id = $1::bigint`

// DeadLetter returns one dead letter; ErrNotFound if there is none with that id.
func (s *Store) DeadLetter(ctx context.Context, id int64) (DeadLetter, error) {
	letter, err := postgres.QueryOne(ctx, s.pool, scanDeadLetter, deadLetterSQL, id)
	if errors.Is(err, pgx.ErrNoRows) {
		return DeadLetter{}, ErrNotFound
	}
	if err != nil {
		return DeadLetter{}, fmt.Errorf("read dead letter %d: %w", id, err)
	}
	return letter, nil
}

const deleteDeadLetterSQL = `delete from dead_letters where id = $1::bigint`

// DeleteDeadLetter deletes a dead letter; ErrNotFound if there is none with that id.
func (s *Store) DeleteDeadLetter(ctx context.Context, id int64) error {
	deleted, err := s.pool.Exec(ctx, deleteDeadLetterSQL, id)
	if err != nil {
		return fmt.Errorf("delete dead letter %d: %w", id, err)
	}
	if deleted == 0 {
		return ErrNotFound
	}
	return nil
}

const deleteOldDeadLettersSQL = `
delete from dead_letters where id in (
	select id from dead_letters where received_at <= now() - make_interval(secs => $1::float8)
	order by received_at limit $2::int for update skip locked)`

// DeleteOldDeadLetters deletes at most limit dead letters that are older than retention. It returns how many.
func (s *Store) DeleteOldDeadLetters(ctx context.Context, retention time.Duration, limit int) (int64, error) {
	deleted, err := s.pool.Exec(ctx, deleteOldDeadLettersSQL, retention.Seconds(), limit)
	if err != nil {
		return 0, fmt.Errorf("delete old dead letters: %w", err)
	}
	return deleted, nil
}
