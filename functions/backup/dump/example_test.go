package dump_test

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/schedgen/schedgen/functions/backup/dump"
)

// The tables are counted and hashed in the snapshot that is dumped, so a restored copy can be compared with it.
func Example() {
	ctx, dsn := context.Background(), os.Getenv("DATABASE_URL") // the server's own address, not PgBouncer's
	snapshot, err := dump.Open(ctx, dsn)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer snapshot.Close()
	tools, err := dump.FindTools(ctx, snapshot.Major)
	if err != nil {
		fmt.Println(err)
		return
	}
	tables, err := snapshot.Tables(ctx, func(t dump.Table) { fmt.Println(t.Name, t.Rows) })
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := tools.Write(ctx, dsn, snapshot.ID, io.Discard); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(dump.Compare(tables, tables)) // nil: no table differs
}
