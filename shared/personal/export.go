package personal

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/pack"
	"github.com/schedgen/schedgen/shared/postgres"
)

// row is one of a table, with a calendar as the database keeps it.
type row struct {
	Key      string
	Data     json.RawMessage
	Calendar []byte
}

// Export gives what writes everything that the database has of an owner, as JSON:
//
//	{"owner":"...","exportedAt":"...","data":{"jobs":[{...}],"feeds":[{...,"calendar":"BEGIN:VCALENDAR..."}],...}}
//
// It is read in pieces while it is written, so memory does not grow with what a person has, and no connection to the
// database waits for a slow reader. What keeps it from beginning is an error here; after a later error, what was
// written ends in the middle and is no JSON.
func (s *Store) Export(ctx context.Context, owner string, now time.Time) (write func(io.Writer) error, err error) {
	first, err := s.page(ctx, tables[0], owner, "")
	if err != nil {
		return nil, err
	}
	return func(w io.Writer) error {
		out := bufio.NewWriterSize(w, 32<<10) // its first error comes again at the end
		fmt.Fprintf(out, `{"owner":%q,"exportedAt":%q,"data":{`, owner, now.UTC().Format(time.RFC3339))
		for i, t := range tables {
			if t.rows == "" {
				continue
			}
			if i > 0 {
				first = nil
				out.WriteString(",")
			}
			fmt.Fprintf(out, `%q:[`, t.name)
			if err := s.writeTable(ctx, out, t, owner, first); err != nil {
				return err
			}
			out.WriteString("]")
		}
		out.WriteString("}}\n")
		return out.Flush()
	}, nil
}

// page gives a table's rows after a key; none at the end.
func (s *Store) page(ctx context.Context, t table, owner, after string) ([]row, error) {
	rows, err := postgres.Query(ctx, s.pool, pgx.RowToStructByPos[row], t.rows, owner, after)
	if err != nil {
		return nil, fmt.Errorf("export %s: %w", t.name, err)
	}
	return rows, nil
}

// writeTable writes a table's rows: the given ones, if any, then those after them.
func (s *Store) writeTable(ctx context.Context, out *bufio.Writer, t table, owner string, rows []row) (err error) {
	separator, after := "", ""
	for {
		for _, r := range rows {
			out.WriteString(separator)
			separator, after = ",", r.Key
			if err := r.write(out); err != nil {
				return fmt.Errorf("export %s: %w", t.name, err)
			}
		}
		if rows, err = s.page(ctx, t, owner, after); err != nil || len(rows) == 0 {
			return err
		}
	}
}

// write writes a row, with its calendar as text.
func (r row) write(out *bufio.Writer) error {
	data := r.Data
	if r.Calendar != nil {
		text := r.Calendar
		if pack.IsPacked(text) {
			var err error
			if text, err = pack.Unpack(text); err != nil {
				return err
			}
		}
		calendar, err := json.Marshal(string(text))
		if err != nil {
			return err
		}
		data = append(append(data[:len(data)-1:len(data)-1], `, "calendar": `...), append(calendar, '}')...)
	}
	_, err := out.Write(data)
	return err
}
