package years

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/postgres"
)

// ErrNotImported means that the database has no such year.
var ErrNotImported = errors.New("years: the database has no such year")

// Store is the academic years in one database. It is safe for concurrent use, by any number of processes.
type Store struct{ pool *postgres.Pool }

// NewStore is the Store of pool.
func NewStore(pool *postgres.Pool) *Store { return &Store{pool} }

// lockSQL lets imports wait for each other: of two at once, the one with the lower version must not be seen
// after the other. Readers do not wait.
const lockSQL = `lock table academic_years in share row exclusive mode`

const importSQL = `
insert into academic_years (year, content, version)
select y.year, y.content::jsonb, 1 + (select coalesce(max(version), 0) from academic_years)
from unnest($1::int[], $2::text[]) as y (year, content)
on conflict (year) do update set content = excluded.content, version = excluded.version, imported_at = now()
where academic_years.content is distinct from excluded.content
returning year`

// Import puts all of the years into the database, or none, and gives those that were not there as they are
// now. It replaces each as a whole and leaves others alone.
func (s *Store) Import(ctx context.Context, all calendar.Years) (changed []int, err error) {
	numbers := all.Numbers()
	contents := make([]string, len(numbers))
	for i, year := range numbers {
		data, err := json.Marshal(all[year])
		if err != nil {
			return nil, fmt.Errorf("encode the academic year %d: %w", year, err)
		}
		contents[i] = string(data)
	}
	return s.write(ctx, "import academic years", importSQL, numbers, contents)
}

const removeSQL = `
update academic_years set content = null, version = 1 + (select max(version) from academic_years), imported_at = now()
where year = $1::int and content is not null
returning year`

// Remove takes a year out of the database: the file's is used again, else the shipped one.
func (s *Store) Remove(ctx context.Context, year int) error {
	changed, err := s.write(ctx, "remove an academic year", removeSQL, year)
	if err == nil && len(changed) == 0 {
		return ErrNotImported
	}
	return err
}

func (s *Store) write(ctx context.Context, what, sql string, args ...any) (changed []int, err error) {
	err = s.pool.Tx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lockSQL); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		changed, err = pgx.CollectRows(rows, pgx.RowTo[int])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	slices.Sort(changed)
	return changed, nil
}

const versionSQL = `select coalesce(max(version), 0) from academic_years`

const allSQL = `select year, content::text, version from academic_years`

// All are the years in the database.
func (s *Store) All(ctx context.Context) (calendar.Years, error) {
	all, err := s.load(ctx, databaseState{})
	return all.years, err
}

// load gives what is in the database now. Where its version is that of before, it asks no more.
func (s *Store) load(ctx context.Context, before databaseState) (databaseState, error) {
	if before.read {
		version, err := postgres.QueryOne(ctx, s.pool, pgx.RowTo[int64], versionSQL)
		if err != nil || version == before.version {
			return before, wrap(err)
		}
	}
	type row struct {
		Year    int
		Content *string
		Version int64
	}
	// One statement, so one moment: no import is seen in part.
	rows, err := postgres.Query(ctx, s.pool, pgx.RowToStructByPos[row], allSQL)
	if err != nil {
		return before, wrap(err)
	}
	now := databaseState{read: true}
	contents := make(map[string]json.RawMessage, len(rows))
	for _, r := range rows {
		now.version = max(now.version, r.Version)
		if r.Content != nil {
			contents[strconv.Itoa(r.Year)] = json.RawMessage(*r.Content)
		}
	}
	if now.years, err = decode(contents); err != nil {
		return before, wrap(err)
	}
	return now, nil
}

// decode reads stored years by the rules for files: an older program refuses what only a newer one knows.
func decode(contents map[string]json.RawMessage) (calendar.Years, error) {
	all := make(calendar.Years, len(contents))
	for _, year := range slices.Sorted(maps.Keys(contents)) {
		data, err := json.Marshal(map[string]json.RawMessage{year: contents[year]})
		if err != nil {
			return nil, fmt.Errorf("encode a stored year: %w", err)
		}
		read, err := calendar.ParseYears(data)
		if err != nil {
			return nil, fmt.Errorf("the stored year %s: %w", year, err)
		}
		maps.Copy(all, read)
	}
	return all, nil
}

func wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("read the academic years: %w", err)
}
