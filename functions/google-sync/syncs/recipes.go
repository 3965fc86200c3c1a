package syncs

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/postgres"
)

// Recipe is of what a sync made lectures, so that these can be made again by a corrected academic year. It goes with
// its calendar, and what is of a job goes with the job: nothing of a timetable outlives it here.
type Recipe struct {
	ID      string
	Options calendar.Options // the choices
	Scopes  []string         // that the sync spoke for
	Years   string           // the stamp of the academic years that it was last made by
	Parts   []Part
}

// Part is what a recipe has of one job, or of events that a person sent.
type Part struct {
	JobID   string           // empty for events that a person sent
	Events  []calendar.Event // nil where they are too long to be kept: these stay as they were written
	Written []string         // ids of the lectures at Google
	Scopes  []string         // of these
}

const (
	maxRecipe    = 1 << 20 // bytes of what is kept of one request
	maxRecipes   = 20      // of one calendar
	maxOfRecipes = 4 << 20 // bytes of what is kept of one calendar
)

// keptEvent is an event with the academic year that package calendar gave it.
type keptEvent struct {
	calendar.Event
	Year int `json:"year,omitempty"`
}

// encode gives the choices and each part's events as text. What is too long in all is not kept.
func (r Recipe) encode() (options string, events []*string, err error) {
	data, err := json.Marshal(r.Options)
	if err != nil {
		return "", nil, fmt.Errorf("encode the choices of a sync: %w", err)
	}
	options, length := string(data), len(data)
	events = make([]*string, len(r.Parts))
	for i, p := range r.Parts {
		kept := make([]keptEvent, len(p.Events))
		for n, e := range p.Events {
			kept[n] = keptEvent{e, e.Year}
		}
		if data, err = json.Marshal(kept); err != nil {
			return "", nil, fmt.Errorf("encode the events of a sync: %w", err)
		}
		text := string(data)
		length += len(text)
		events[i] = &text
	}
	if length > maxRecipe {
		return "{}", make([]*string, len(r.Parts)), nil
	}
	return options, events, nil
}

const lockCalendarSQL = `select years from google_calendars where account_id = $1::uuid and calendar_id = $2 for update`

const addRecipeSQL = `
insert into google_recipes (id, account_id, calendar_id, options, scopes, years)
values ($1::uuid, $2::uuid, $3, $4::jsonb, $5::text[], $6)`

// addPartSQL adds nothing of a job that was deleted meanwhile.
const addPartSQL = `
insert into google_recipe_parts (recipe_id, position, job_id, events, written, scopes)
select $1::uuid, $2::int, nullif($3, '')::uuid, $4::jsonb, $5::text[], $6::text[]
where $3 = '' or exists (select 1 from jobs where id = nullif($3, '')::uuid for key share)`

// overSQL ends older recipes of which nothing is left: the new one wrote or spoke for all of it.
const overSQL = `
delete from google_recipes r where account_id = $2::uuid and calendar_id = $3 and id <> $1::uuid and scopes <@ $4::text[]
	and not exists (select 1 from google_recipe_parts p where p.recipe_id = r.id and not (p.scopes <@ $4::text[] or p.written <@ $5::text[]))`

// boundSQL ends the oldest recipes beyond what one calendar may keep.
const boundSQL = `
delete from google_recipes where id in (select id from (
	select r.id, row_number() over newest as n, sum(length(r.options::text) + p.bytes) over newest as bytes
	from google_recipes r cross join lateral (
		select coalesce(sum(length(events::text)), 0) as bytes from google_recipe_parts where recipe_id = r.id) p
	where r.account_id = $1::uuid and r.calendar_id = $2 window newest as (order by r.id desc)) all_of_it
	where n > $3::int or bytes > $4::bigint)`

// add keeps a recipe as the calendar's newest. The calendar's row is locked, so that nothing is made of its recipes
// meanwhile.
func (r Recipe) add(ctx context.Context, tx pgx.Tx, account, calendarID string) error {
	if _, err := tx.Exec(ctx, lockCalendarSQL, account, calendarID); err != nil {
		return err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make a recipe id: %w", err)
	}
	options, events, err := r.encode()
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, addRecipeSQL, id.String(), account, calendarID, options, notNil(r.Scopes), r.Years); err != nil {
		return err
	}
	var written []string
	for i, p := range r.Parts {
		written = append(written, p.Written...)
		if _, err := tx.Exec(ctx, addPartSQL, id.String(), i, p.JobID, events[i], notNil(p.Written), notNil(p.Scopes)); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, overSQL, id.String(), account, calendarID, notNil(r.Scopes), notNil(written)); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, boundSQL, account, calendarID, maxRecipes, maxOfRecipes)
	return err
}

// notNil is the list as SQL has it, where an empty one is not null.
func notNil(list []string) []string { return append([]string{}, list...) }

const recipesSQL = `
select r.id::text, r.options::text, r.scopes, r.years, coalesce(p.job_id::text, ''), p.events::text, p.written, p.scopes
from google_recipes r left join google_recipe_parts p on p.recipe_id = r.id
where r.account_id = $1::uuid and r.calendar_id = $2 order by r.id, p.position`

// Recipes are the calendar's, the oldest first.
func (s *Store) Recipes(ctx context.Context, account, calendarID string) ([]Recipe, error) {
	type row struct {
		ID, Options     string
		Scopes          []string
		Years, JobID    string
		Events          *string
		Written, Spoken []string
	}
	rows, err := postgres.Query(ctx, s.pool, pgx.RowToStructByPos[row], recipesSQL, account, calendarID)
	if err != nil {
		return nil, fmt.Errorf("read of what a calendar was made: %w", err)
	}
	var all []Recipe
	for _, line := range rows {
		if n := len(all); n == 0 || all[n-1].ID != line.ID {
			r := Recipe{ID: line.ID, Scopes: line.Scopes, Years: line.Years}
			if err := json.Unmarshal([]byte(line.Options), &r.Options); err != nil {
				return nil, fmt.Errorf("decode the choices of a sync: %w", err)
			}
			all = append(all, r)
		}
		if line.Written == nil {
			continue // a recipe of which all jobs are gone
		}
		events, err := decodeEvents(line.Events)
		if err != nil {
			return nil, err
		}
		r := &all[len(all)-1]
		r.Parts = append(r.Parts, Part{line.JobID, events, line.Written, line.Spoken})
	}
	return all, nil
}

func decodeEvents(text *string) ([]calendar.Event, error) {
	if text == nil {
		return nil, nil
	}
	var kept []keptEvent
	if err := json.Unmarshal([]byte(*text), &kept); err != nil {
		return nil, fmt.Errorf("decode the events of a sync: %w", err)
	}
	events := make([]calendar.Event, len(kept))
	for i, e := range kept {
		events[i] = e.Event
		events[i].Year = e.Year
	}
	return events, nil
}

const restampRecipeSQL = `update google_recipes set years = $2 where id = $1::uuid`

const writtenSQL = `
update google_recipe_parts set written = $3::text[], scopes = $4::text[]
where recipe_id = $1::uuid and coalesce(job_id::text, '') = $2`

const recipeIDsSQL = `
select coalesce(string_agg(r.id::text || ' ' || r.years || ' ' || (select count(*) from google_recipe_parts where recipe_id = r.id), ',' order by r.id), '')
from google_recipes r where r.account_id = $1::uuid and r.calendar_id = $2`

// unchanged reports whether a calendar's recipes are still those that were read.
func unchanged(ctx context.Context, tx pgx.Tx, account, calendarID string, read []Recipe) (bool, error) {
	want := ""
	for i, r := range read {
		if i > 0 {
			want += ","
		}
		want += fmt.Sprintf("%s %s %d", r.ID, r.Years, len(r.Parts))
	}
	var now string
	err := tx.QueryRow(ctx, recipeIDsSQL, account, calendarID).Scan(&now)
	return now == want, err
}

// saveRebuilt notes what recipes were made by now, and what was written of them.
func saveRebuilt(ctx context.Context, tx pgx.Tx, rebuilt []Recipe) error {
	for _, r := range rebuilt {
		if _, err := tx.Exec(ctx, restampRecipeSQL, r.ID, r.Years); err != nil {
			return err
		}
		for _, p := range r.Parts {
			if _, err := tx.Exec(ctx, writtenSQL, r.ID, p.JobID, notNil(p.Written), notNil(p.Scopes)); err != nil {
				return err
			}
		}
	}
	return nil
}

const deleteRecipesSQL = `delete from google_recipes where account_id = $1::uuid and calendar_id = $2`

// DeleteRecipes deletes of what a calendar was made: it stays as it is, or is cleared.
func (s *Store) DeleteRecipes(ctx context.Context, account, calendarID string) error {
	if _, err := s.pool.Exec(ctx, deleteRecipesSQL, account, calendarID); err != nil {
		return fmt.Errorf("forget of what a calendar was made: %w", err)
	}
	return nil
}

const deleteOldRecipesSQL = `delete from google_recipes where created_at < now() - make_interval(secs => $1::float8)`

// DeleteOldRecipes deletes what was made longer ago, of all accounts; 0 keeps it.
func (s *Store) DeleteOldRecipes(ctx context.Context, age time.Duration) error {
	if age <= 0 {
		return nil
	}
	if _, err := s.pool.Exec(ctx, deleteOldRecipesSQL, age.Seconds()); err != nil {
		return fmt.Errorf("forget of what old syncs were made: %w", err)
	}
	return nil
}
