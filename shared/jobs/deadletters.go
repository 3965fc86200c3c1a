package jobs

import (
	"context"
	"encoding/json"
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
	Source     string          `json:"source"` // who sent it, or which handler gave up
	Reason     string          `json:"reason"`
	JobID      string          `json:"jobId,omitempty"`
	Event      json.RawMessage `json:"event"` // what is not JSON is kept as a JSON string
}

// letterLimit bounds what is kept of one event.
const letterLimit = 64 << 10

const letterSQL = `
insert into dead_letters (source, reason, job_id, event)
values ($1, $2, nullif($3, '')::uuid, $4::jsonb) returning id`

// Bury keeps a dead letter for a person to look at, and returns its id.
func (s *Store) Bury(ctx context.Context, letter DeadLetter) (int64, error) {
	if !validID(letter.JobID) {
		letter.JobID = ""
	}
	id, err := postgres.QueryOne(ctx, s.pool, pgx.RowTo[int64], letterSQL,
		letter.Source, letter.Reason, letter.JobID, storable(letter.Event))
	if err != nil {
		return 0, fmt.Errorf("keep a dead letter: %w", err)
	}
	return id, nil
}

// storable is the event as JSON that PostgreSQL takes: jsonb refuses \u0000, and anything may come.
func storable(event []byte) string {
	if len(event) <= letterLimit && json.Valid(event) && utf8.Valid(event) && !hasNull(event) {
		return string(event)
	}
	kept := event[:min(len(event), letterLimit)]
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

// hasNull says that the JSON may escape U+0000 somewhere.
func hasNull(body []byte) bool {
	for i := 0; i+6 <= len(body); i++ {
		if string(body[i:i+6]) == `\u0000` {
			return true
		}
	}
	return false
}

// mostLetters bounds the events of one list, in bytes.
const mostLetters = 4 << 20

const lettersSQL = `
select id, received_at, source, reason, coalesce(job_id::text, ''), event::text from (
	select *, sum(octet_length(event::text)) over (order by received_at desc, id desc) as so_far
	from (select * from dead_letters order by received_at desc, id desc limit $1::int) as newest) as letters
where so_far <= $2::bigint
order by received_at desc, id desc`

// DeadLetters are the newest letters, at most limit, and fewer where their events are long.
func (s *Store) DeadLetters(ctx context.Context, limit int) ([]DeadLetter, error) {
	letters, err := postgres.Query(ctx, s.pool, func(row pgx.CollectableRow) (l DeadLetter, err error) {
		var event string
		err = row.Scan(&l.ID, &l.ReceivedAt, &l.Source, &l.Reason, &l.JobID, &event)
		l.Event = json.RawMessage(event)
		return l, err
	}, lettersSQL, limit, mostLetters)
	if err != nil {
		return nil, fmt.Errorf("read dead letters: %w", err)
	}
	return letters, nil
}
