package session

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/postgres"
)

// Ends are the sessions that ended before their time. One is kept by its id until it would have expired; all of an
// owner's are a count, which every token carries as its generation: no clock has to agree with another.
type Ends struct{ pool *postgres.Pool }

const endedSQL = `
select exists (select from ended_sessions where id = $1::text)
	or exists (select from deletions where owner_hash = sha256(convert_to($2::uuid::text, 'UTF8')) and made_before is null)
	or coalesce((select generation from session_generations where owner = $2::uuid), 0) <> $3::int`

// ended says whether a session has ended. While the database is away none has: what a token opens is away as well.
func (e *Ends) ended(ctx context.Context, session Session) bool {
	if e == nil {
		return false
	}
	ended, err := postgres.QueryOne(ctx, e.pool, pgx.RowTo[bool], endedSQL, session.ID, session.Owner, session.Generation)
	if err != nil {
		slog.WarnContext(ctx, "ended sessions could not be looked up", "error", err.Error())
		return false
	}
	return ended
}

const endSQL = `insert into ended_sessions (id, expires_at) values ($1::text, $2::timestamptz) on conflict do nothing`

// End ends the session for good, wherever its token is kept.
func (s *Sessions) End(ctx context.Context, session Session) error {
	if s.ends == nil {
		return nil
	}
	if _, err := s.ends.pool.Exec(ctx, endSQL, session.ID, session.expires.Add(s.maxAge)); err != nil {
		return fmt.Errorf("end a session: %w", err)
	}
	return nil
}

const endAllSQL = `
insert into session_generations (owner, generation) values ($1::uuid, 1)
on conflict (owner) do update set generation = session_generations.generation + 1`

// EndAll ends every session of the owner that there is.
func (s *Sessions) EndAll(ctx context.Context, owner string) error {
	if s.ends == nil {
		return nil
	}
	if _, err := s.ends.pool.Exec(ctx, endAllSQL, owner); err != nil {
		return fmt.Errorf("end all sessions of an owner: %w", err)
	}
	return nil
}

const generationSQL = `select coalesce((select generation from session_generations where owner = $1::uuid), 0)`

// SignIn is the cookie of a new session of an owner who may have ended others.
func (s *Sessions) SignIn(ctx context.Context, owner string) (*http.Cookie, error) {
	session := Session{Owner: owner, ID: newID()}
	if s.ends != nil {
		var err error
		session.Generation, err = postgres.QueryOne(ctx, s.ends.pool, pgx.RowTo[int], generationSQL, owner)
		if err != nil {
			return nil, fmt.Errorf("find the generation of an owner's sessions: %w", err)
		}
	}
	return s.cookieOf(session), nil
}

const discardSQL = `
delete from ended_sessions where id in (select id from ended_sessions where expires_at < $1::timestamptz
	order by expires_at limit $2::int for update skip locked)`

// DiscardEnded deletes at most limit ended sessions that have expired since.
func DiscardEnded(ctx context.Context, pool *postgres.Pool, now time.Time, limit int) (int64, error) {
	gone, err := pool.Exec(ctx, discardSQL, now, limit)
	if err != nil {
		return 0, fmt.Errorf("delete ended sessions: %w", err)
	}
	return gone, nil
}
