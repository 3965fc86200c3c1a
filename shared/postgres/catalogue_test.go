package postgres_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/secret"
)

// column is a column of a table, in the server's words.
type column struct {
	Table, Name, Type string
	Nullable          bool
	Default           string // empty: none
	Comment           string // empty: none
	Key               bool   // of the primary key
}

// constraint is a key, a foreign key, or a check.
type constraint struct {
	Table, Kind, Name, Definition string
	Target                        string   // of a foreign key: the other table
	Columns                       []string // in its order
}

// index is one that no constraint made.
type index struct{ Table, Name, Definition string }

// table is all that the catalogue tells of one.
type table struct {
	Name, Comment string

	columns     []column
	constraints []constraint
	indexes     []index
}

const (
	tablesSQL = `
select relname::text, coalesce(obj_description(oid, 'pg_class'), '') from pg_class
where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace order by 1`

	columnsSQL = `
select c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod), not a.attnotnull,
	case when a.attidentity <> '' then 'generated always as identity' else coalesce(pg_get_expr(d.adbin, d.adrelid), '') end,
	coalesce(col_description(c.oid, a.attnum), ''),
	exists (select from pg_constraint k where k.conrelid = c.oid and k.contype = 'p' and a.attnum = any(k.conkey))
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace order by c.relname, a.attnum`

	constraintsSQL = `
select c.relname::text, k.contype::text, k.conname::text, pg_get_constraintdef(k.oid), coalesce(f.relname::text, ''),
	(select array_agg(a.attname::text order by n) from unnest(k.conkey) with ordinality as u (attnum, n)
		join pg_attribute a on a.attrelid = c.oid and a.attnum = u.attnum)
from pg_constraint k join pg_class c on c.oid = k.conrelid left join pg_class f on f.oid = k.confrelid
where k.contype in ('p', 'u', 'f', 'c') and c.relnamespace = 'public'::regnamespace
order by c.relname, array_position(array['p', 'u', 'f', 'c'], k.contype::text), k.conname`

	indexesSQL = `
select c.relname::text, i.relname::text, pg_get_indexdef(i.oid)
from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class c on c.oid = x.indrelid
where c.relnamespace = 'public'::regnamespace and not exists (select from pg_constraint where conindid = i.oid and contype in ('p', 'u'))
order by c.relname, i.relname`
)

// catalogue reads what the tables of a database are.
func catalogue(t *testing.T, dsn string) (tables []table) {
	t.Helper()
	pool := open(t, postgres.Config{URL: secret.New(dsn)})
	rows, err := postgres.Query(t.Context(), pool, pgx.RowToStructByPos[struct{ Name, Comment string }], tablesSQL)
	if err != nil {
		t.Fatal(err)
	}
	columns := all[column](t, pool, columnsSQL)
	constraints := all[constraint](t, pool, constraintsSQL)
	indexes := all[index](t, pool, indexesSQL)
	for _, row := range rows {
		tables = append(tables, table{row.Name, row.Comment,
			of(columns, row.Name, func(c column) string { return c.Table }),
			of(constraints, row.Name, func(c constraint) string { return c.Table }),
			of(indexes, row.Name, func(i index) string { return i.Table })})
	}
	return tables
}

func all[T any](t *testing.T, pool *postgres.Pool, sql string) []T {
	t.Helper()
	rows, err := postgres.Query(t.Context(), pool, pgx.RowToStructByPos[T], sql)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// of are those rows that are of a table.
func of[T any](rows []T, name string, tableOf func(T) string) (found []T) {
	for _, row := range rows {
		if tableOf(row) == name {
			found = append(found, row)
		}
	}
	return found
}

// unexplained are the tables and columns without a comment.
func unexplained(tables []table) (names []string) {
	for _, t := range tables {
		if strings.TrimSpace(t.Comment) == "" {
			names = append(names, t.Name)
		}
		for _, c := range t.columns {
			if strings.TrimSpace(c.Comment) == "" {
				names = append(names, t.Name+"."+c.Name)
			}
		}
	}
	return names
}
