package personal

import (
	"fmt"
	"strings"
)

// table is what one table of the schema has of a person: how it is exported, and how it is deleted.
type table struct {
	name string
	// rows gives an owner's rows after a key, in the order of keys, as key, JSON, and a packed calendar or null. What it
	// leaves out are secrets that act in the person's name, and the database's own books. Empty where there are none.
	rows string
	why  string // why nothing of it is exported

	owners      []string // columns of which each may name the owner; such rows are deleted
	ownedSince  string   // the column that says since when a row is the owner's; empty: a deletion of what is older keeps it
	erasedLater bool     // deleted by another step than [Store.Erase]: jobs after their objects, turns after the jobs
	deletedWith string   // the table whose rows these hang on: they go with them
	keptBecause string   // why a deletion leaves it
}

// eraseSQL deletes the rows of an owner, $1.
func (t table) eraseSQL() string {
	return fmt.Sprintf("delete from %s where $1::uuid in (%s)", t.name, strings.Join(t.owners, ", "))
}

// givenSQL are the deletions that a restore applies.
const givenSQL = `with given (hash, made_before, requested_at) as (select * from unnest($1::bytea[], $2::timestamptz[], $3::timestamptz[]))`

// isGiven is the condition that a row is of a given deletion.
func (t table) isGiven() string {
	whose := make([]string, len(t.owners))
	for i, column := range t.owners {
		whose[i] = fmt.Sprintf("sha256(convert_to(%s.%s::text, 'UTF8')) = hash", t.name, column)
	}
	older := ""
	if t.ownedSince != "" {
		older = fmt.Sprintf(" or %s.%s < made_before", t.name, t.ownedSince)
	}
	return fmt.Sprintf("(%s) and (made_before is null%s)", strings.Join(whose, " or "), older)
}

// reapplySQL deletes the rows of the given deletions.
func (t table) reapplySQL() string {
	return fmt.Sprintf("%s delete from %s using given where %s", givenSQL, t.name, t.isGiven())
}

// jobs is the table whose rows have objects.
var jobs = table{name: "jobs", owners: []string{"owner"}, ownedSince: "created_at", erasedLater: true, rows: `
select j.id::text, to_jsonb(j) - 'lease_token' || jsonb_build_object('entries',
	coalesce((select jsonb_agg(entry order by position) from entries where job_id = j.id), '[]')), null::bytea
from jobs j where owner = $1::uuid and id > coalesce(nullif($2::text, ''), '00000000-0000-0000-0000-000000000000')::uuid
order by id limit 10`}

// accounts is the table whose tokens are left for google-sync, which ends the access.
var accounts = table{name: "google_accounts", owners: []string{"id"}, ownedSince: "created_at", rows: `
select id::text, to_jsonb(a) - 'refresh_token' - 'key_id' - 'lease_token', null::bytea
from google_accounts a where id = $1::uuid and id::text > $2::text`}

// tables are all tables. What hangs on a row of another table is exported inside it.
var tables = []table{
	jobs,
	{name: "entries", why: "inside jobs", deletedWith: "jobs"},
	{name: "dead_letters", deletedWith: "jobs", rows: `
select lpad(id::text, 20, '0'), to_jsonb(d), null::bytea
from dead_letters d where job_id in (select id from jobs where owner = $1::uuid) and lpad(id::text, 20, '0') > $2::text
order by 1 limit 10`},
	{name: "turns", owners: []string{"owner", "share"}, ownedSince: "used_at", erasedLater: true, rows: `
select priority || share || owner, to_jsonb(t), null::bytea
from turns t where (owner = $1::uuid or share = $1::uuid) and priority || share || owner > $2::text order by 1 limit 100`},
	{name: "feeds", owners: []string{"owner"}, ownedSince: "created_at", rows: `
select f.id::text, to_jsonb(f) - 'token_hash' - 'body' || jsonb_build_object('events',
	coalesce((select jsonb_agg(to_jsonb(e) - 'feed_id' order by uid) from feed_events e where feed_id = f.id), '[]')), body
from feeds f where owner = $1::uuid and id::text > $2::text order by 1 limit 5`},
	{name: "feed_events", why: "inside feeds", deletedWith: "feeds"},
	{name: "typed_terms", owners: []string{"owner"}, ownedSince: "typed_at", rows: `
select year::text, to_jsonb(t), null::bytea from typed_terms t where owner = $1::uuid and year::text > $2::text order by 1 limit 100`},
	// Without a time: sessions that were ended go on being ended where not everything is deleted.
	{name: "session_generations", owners: []string{"owner"}, rows: `
select owner::text, to_jsonb(g), null::bytea from session_generations g where owner = $1::uuid and owner::text > $2::text`},
	{name: "ended_sessions", why: "names no owner", keptBecause: "names no owner"},
	{name: "former_owners", owners: []string{"owner"}, ownedSince: "moved_at", rows: `
select former::text, to_jsonb(f), null::bytea from former_owners f where owner = $1::uuid and former::text > $2::text order by 1 limit 100`},
	accounts,
	{name: "google_calendars", deletedWith: "google_accounts", rows: `
select calendar_id, to_jsonb(c) || jsonb_build_object('events',
	coalesce((select jsonb_object_agg(event_id, state) from google_events e where (e.account_id, e.calendar_id) = (c.account_id, c.calendar_id)), '{}')), null::bytea
from google_calendars c where account_id = $1::uuid and calendar_id > $2::text order by 1 limit 5`},
	{name: "google_events", why: "inside google_calendars", deletedWith: "google_calendars"},
	{name: "google_syncs", deletedWith: "google_accounts", rows: `
select id::text, to_jsonb(s), null::bytea
from google_syncs s where account_id = $1::uuid and id > coalesce(nullif($2::text, ''), '00000000-0000-0000-0000-000000000000')::uuid
order by s.id limit 5`},
	{name: "google_recipes", deletedWith: "google_calendars", rows: `
select r.id::text, to_jsonb(r) || jsonb_build_object('parts',
	coalesce((select jsonb_agg(to_jsonb(p) - 'recipe_id' order by position) from google_recipe_parts p where recipe_id = r.id), '[]')), null::bytea
from google_recipes r where account_id = $1::uuid and id::text > $2::text order by 1 limit 5`},
	{name: "google_recipe_parts", why: "inside google_recipes", deletedWith: "google_recipes"},
	{name: "google_revocations", why: "of people who deleted everything", keptBecause: "until Google has ended the access"},
	{name: "deletions", why: "of people who deleted everything", keptBecause: "names only a hash, once nothing is left"},
	{name: "academic_years", why: "of the university", keptBecause: "of the university"},
	{name: "sweeps", why: "of the program", keptBecause: "of the program"},
	{name: "schema_version", why: "of the program", keptBecause: "of the program"},
}
