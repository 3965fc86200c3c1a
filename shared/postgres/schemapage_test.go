package postgres_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
)

var update = flag.Bool("update", false, "write docs/database-schema.md")

// schemaPage is where the schema is written down.
const schemaPage = "../../docs/database-schema.md"

// TestSchemaPageIsCurrent compares the page with a database that has every migration.
func TestSchemaPageIsCurrent(t *testing.T) {
	t.Parallel()
	tables := catalogue(t, pgtest.New(t))
	if names := unexplained(tables); len(names) > 0 {
		t.Fatalf("nothing says what these are for; add `comment on` to the migration that makes them: %q", names)
	}
	want := page(tables)
	if *update {
		if err := os.WriteFile(schemaPage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(schemaPage)
	if err != nil || string(got) != want {
		t.Errorf("docs/database-schema.md is not what the migrations make (%v); run: make schema", err)
	}
}

// TestWhatNobodyExplainedIsFound: a migration adds a table, or a column to one that is explained.
func TestWhatNobodyExplainedIsFound(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Empty(t)
	execute(t, dsn, `create table known (a int, b int); comment on table known is 'k'; comment on column known.a is 'a';
		comment on column known.b is ' '; create table new (c int); comment on column new.c is 'c'`)
	if got, want := unexplained(catalogue(t, dsn)), []string{"known.b", "new"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

const introduction = `# Database schema

Every table of schedgen's PostgreSQL database, for those who look into it or change it. ` + "`make schema`" + ` writes this page: it
applies the migrations in [shared/postgres/migrations](../shared/postgres/migrations) to an empty database and reads
what they made. The explanations are comments in the database, so psql shows them, too (` + "`\\d+ jobs`" + `). To change one, add
a migration; [CONTRIBUTING.md](../CONTRIBUTING.md#add-a-migration) says how.

Columns named ` + "`owner`" + ` are no foreign keys, because a visitor who did not sign in has no row of their own.
[Architecture](architecture.md#data) says which function uses the data and how; [privacy](privacy.md) says who keeps
what, why and how long.

## Diagram

Foreign keys, and the columns that keys are made of.

`

// page is the document.
func page(tables []table) string {
	var b strings.Builder
	b.WriteString(introduction)
	diagram(&b, tables)
	b.WriteString("\n## Tables\n\n| table | what it holds |\n|---|---|\n")
	for _, t := range tables {
		fmt.Fprintf(&b, "| [%s](#%s) | %s |\n", t.Name, t.Name, cell(t.Comment))
	}
	for _, t := range tables {
		t.write(&b)
	}
	return b.String()
}

// diagram draws the foreign keys (https://mermaid.js.org/syntax/entityRelationshipDiagram.html).
func diagram(b *strings.Builder, tables []table) {
	b.WriteString("```mermaid\nerDiagram\n")
	for _, t := range tables {
		for _, k := range t.foreignKeys() {
			parent := "||"
			if slices.ContainsFunc(k.Columns, func(name string) bool { return t.column(name).Nullable }) {
				parent = "|o"
			}
			fmt.Fprintf(b, "  %s %s--o{ %s : \"%s\"\n", k.Target, parent, t.Name, strings.Join(k.Columns, ", "))
		}
		fmt.Fprintf(b, "  %s", t.Name)
		if keys := t.keys(); keys != "" {
			fmt.Fprintf(b, " {\n%s  }", keys)
		}
		b.WriteString("\n")
	}
	b.WriteString("```\n")
}

// keys are the columns of a table that the drawing shows, a line each.
func (t table) keys() string {
	var lines strings.Builder
	for _, c := range t.columns {
		var marks []string
		if c.Key {
			marks = append(marks, "PK")
		}
		if slices.ContainsFunc(t.foreignKeys(), func(k constraint) bool { return slices.Contains(k.Columns, c.Name) }) {
			marks = append(marks, "FK")
		}
		if len(marks) > 0 {
			fmt.Fprintf(&lines, "    %s %s %s\n", strings.ReplaceAll(c.Type, " ", "_"), c.Name, strings.Join(marks, ", "))
		}
	}
	return lines.String()
}

// write is a table's part of the page.
func (t table) write(b *strings.Builder) {
	fmt.Fprintf(b, "\n## %s\n\n%s\n\n| column | type | null | default | what it is |\n|---|---|---|---|---|\n", t.Name, t.Comment)
	for _, c := range t.columns {
		null, value := "", ""
		if c.Nullable {
			null = "yes"
		}
		if c.Default != "" {
			value = code(c.Default)
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s | %s |\n", c.Name, c.Type, null, value, cell(c.Comment))
	}
	kinds := map[string]string{"p": "primary key", "u": "unique", "f": "foreign key", "c": "check"}
	if len(t.constraints)+len(t.indexes) > 0 {
		b.WriteString("\n| kind | name | definition |\n|---|---|---|\n")
	}
	for _, c := range t.constraints {
		fmt.Fprintf(b, "| %s | `%s` | %s |\n", kinds[c.Kind], c.Name, code(c.Definition))
	}
	for _, i := range t.indexes {
		kind := "index"
		if strings.HasPrefix(i.Definition, "CREATE UNIQUE") {
			kind = "unique index"
		}
		_, columns, _ := strings.Cut(i.Definition, " USING ")
		fmt.Fprintf(b, "| %s | `%s` | %s |\n", kind, i.Name, code(columns))
	}
}

func (t table) foreignKeys() []constraint {
	return of(t.constraints, "f", func(c constraint) string { return c.Kind })
}

func (t table) column(name string) column {
	return t.columns[slices.IndexFunc(t.columns, func(c column) bool { return c.Name == name })]
}

// cell is text as it stands in a table of Markdown.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "\n", " ").Replace(text)
}

func code(text string) string { return "`" + strings.ReplaceAll(text, "|", `\|`) + "`" }
