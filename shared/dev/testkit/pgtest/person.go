package pgtest

import (
	"testing"

	"github.com/schedgen/schedgen/shared/postgres"
)

// FillPerson gives an owner, who has a job, a row in every other table that can have one. Feeds have the body.
func FillPerson(t testing.TB, pool *postgres.Pool, owner string, body []byte) {
	t.Helper()
	for _, sql := range []string{
		`insert into feeds (id, token_hash, owner, options, body) select gen_random_uuid(), sha256($1::uuid::text::bytea), $1::uuid, '{}', $2::bytea`,
		`insert into feed_events (feed_id, uid, fingerprint, last_modified) select id, 'uid', 'f', now() from feeds where owner = $1::uuid and $2::bytea is not null`,
		`insert into typed_terms (owner, year, terms) select $1::uuid, 2031, '{}' where $2::bytea is not null`,
		`insert into former_owners (owner, former) select $1::uuid, gen_random_uuid() where $2::bytea is not null`,
		`insert into session_generations (owner, generation) select $1::uuid, 0 where $2::bytea is not null`,
		`insert into turns (priority, share, owner) select 'low', $1::uuid, $1::uuid where $2::bytea is not null`,
		`insert into dead_letters (source, reason, job_id, event) select 's', 'r', id, '{}' from jobs where owner = $1::uuid and $2::bytea is not null`,
		`insert into google_accounts (id, subject, email, refresh_token, key_id) select $1::uuid, 'subject of ' || $1::uuid, 'a@example.org', $2::bytea, 'k'`,
		`insert into google_calendars (account_id, calendar_id) select $1::uuid, 'c' where $2::bytea is not null`,
		`insert into google_events (account_id, calendar_id, event_id, state) select $1::uuid, 'c', 'e', 'written' where $2::bytea is not null`,
		`insert into google_syncs (id, account_id, calendar_id, request) select gen_random_uuid(), $1::uuid, 'c', '{}' where $2::bytea is not null`,
		`insert into google_recipes (id, account_id, calendar_id, options, scopes, years) select gen_random_uuid(), $1::uuid, 'c', '{}', '{}', '' where $2::bytea is not null`,
		`insert into google_recipe_parts (recipe_id, position, written, scopes) select id, 0, '{}', '{}' from google_recipes where account_id = $1::uuid and $2::bytea is not null`,
	} {
		if rows, err := pool.Exec(t.Context(), sql, owner, body); err != nil || rows == 0 {
			t.Fatalf("%d rows, %v, by %s", rows, err, sql)
		}
	}
}
