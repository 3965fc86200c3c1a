package personal

// table is what one table of the schema has of a person.
type table struct {
	name string
	// rows gives an owner's rows after a key, in the order of keys, as key, JSON, and a packed calendar or null. What it
	// leaves out are secrets that act in the person's name, and the database's own books. Empty where there are none.
	rows string
	why  string // why nothing of it is exported
}

// tables are all tables. What hangs on a row of another table is exported inside it.
var tables = []table{
	{name: "jobs", rows: `
select j.id::text, to_jsonb(j) - 'lease_token' || jsonb_build_object('entries',
	coalesce((select jsonb_agg(entry order by position) from entries where job_id = j.id), '[]')), null::bytea
from jobs j where owner = $1::uuid and id > coalesce(nullif($2::text, ''), '00000000-0000-0000-0000-000000000000')::uuid
order by id limit 10`},
	{name: "entries", why: "inside jobs"},
	{name: "dead_letters", rows: `
select lpad(id::text, 20, '0'), to_jsonb(d), null::bytea
from dead_letters d where job_id in (select id from jobs where owner = $1::uuid) and lpad(id::text, 20, '0') > $2::text
order by 1 limit 10`},
	{name: "turns", rows: `
select priority || share || owner, to_jsonb(t), null::bytea
from turns t where (owner = $1::uuid or share = $1::uuid) and priority || share || owner > $2::text order by 1 limit 100`},
	{name: "feeds", rows: `
select f.id::text, to_jsonb(f) - 'token_hash' - 'body' || jsonb_build_object('events',
	coalesce((select jsonb_agg(to_jsonb(e) - 'feed_id' order by uid) from feed_events e where feed_id = f.id), '[]')), body
from feeds f where owner = $1::uuid and id::text > $2::text order by 1 limit 5`},
	{name: "feed_events", why: "inside feeds"},
	{name: "typed_terms", rows: `
select year::text, to_jsonb(t), null::bytea from typed_terms t where owner = $1::uuid and year::text > $2::text order by 1 limit 100`},
	{name: "session_generations", rows: `
select owner::text, to_jsonb(g), null::bytea from session_generations g where owner = $1::uuid and owner::text > $2::text`},
	{name: "ended_sessions", why: "names no owner"},
	{name: "former_owners", rows: `
select former::text, to_jsonb(f), null::bytea from former_owners f where owner = $1::uuid and former::text > $2::text order by 1 limit 100`},
	{name: "google_accounts", rows: `
select id::text, to_jsonb(a) - 'refresh_token' - 'key_id' - 'lease_token', null::bytea
from google_accounts a where id = $1::uuid and id::text > $2::text`},
	{name: "google_calendars", rows: `
select calendar_id, to_jsonb(c) || jsonb_build_object('events',
	coalesce((select jsonb_object_agg(event_id, state) from google_events e where (e.account_id, e.calendar_id) = (c.account_id, c.calendar_id)), '{}')), null::bytea
from google_calendars c where account_id = $1::uuid and calendar_id > $2::text order by 1 limit 5`},
	{name: "google_events", why: "inside google_calendars"},
	{name: "google_syncs", rows: `
select id::text, to_jsonb(s), null::bytea
from google_syncs s where account_id = $1::uuid and id > coalesce(nullif($2::text, ''), '00000000-0000-0000-0000-000000000000')::uuid
order by s.id limit 5`},
	{name: "google_recipes", rows: `
select r.id::text, to_jsonb(r) || jsonb_build_object('parts',
	coalesce((select jsonb_agg(to_jsonb(p) - 'recipe_id' order by position) from google_recipe_parts p where recipe_id = r.id), '[]')), null::bytea
from google_recipes r where account_id = $1::uuid and id::text > $2::text order by 1 limit 5`},
	{name: "google_recipe_parts", why: "inside google_recipes"},
	{name: "google_revocations", why: "of people who deleted everything"},
	{name: "deletions", why: "of people who deleted everything"},
	{name: "academic_years", why: "of the university"},
	{name: "sweeps", why: "of the program"},
	{name: "schema_version", why: "of the program"},
}
