package personal

import (
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/postgres"
)

// TestEveryTableIsListed: a new table needs an answer to what it holds of a person.
func TestEveryTableIsListed(t *testing.T) {
	t.Parallel()
	there, err := postgres.Query(t.Context(), pgtest.Pool(t), pgx.RowTo[string],
		`select table_name::text from information_schema.tables where table_schema = 'public' order by 1`)
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, table := range tables {
		listed = append(listed, table.name)
		if (table.rows == "") != (table.why != "") {
			t.Errorf("%s needs rows to export, or a reason why not", table.name)
		}
	}
	if slices.Sort(listed); !slices.Equal(there, listed) {
		t.Errorf("the database has the tables\n%q\nlisted are\n%q", there, listed)
	}
}
