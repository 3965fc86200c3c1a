// Package parse reads a timetable PDF: extract, table and schedule, one after the other, with one
// kind of error. It runs in the calling process; foreign bytes belong into package sandbox.
package parse

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/schedgen/schedgen/functions/pdf-parse/draw"
	"github.com/schedgen/schedgen/functions/pdf-parse/extract"
	"github.com/schedgen/schedgen/functions/pdf-parse/schedule"
	"github.com/schedgen/schedgen/functions/pdf-parse/table"
	"github.com/schedgen/schedgen/shared/timetable"
)

// Parse gives the timetable that a PDF prints, or an *Error. It panics or runs out of memory on
// some hostile files.
func Parse(pdf []byte) (timetable.Document, error) {
	pages, err := extract.Pages(context.Background(), pdf)
	if err != nil {
		return timetable.Document{}, typed(err)
	}
	t, err := table.Find(table.Pages(pages, schedule.Layouts()), schedule.Layouts())
	if err == nil {
		switch doc := schedule.Read(t); {
		case !fits(doc):
			return timetable.Document{}, New(TooComplex)
		case len(doc.Entries) > 0:
			return doc, nil
		}
		err = table.ErrNoTable
	}
	if errors.Is(err, table.ErrNoTable) && slices.ContainsFunc(pages, func(p extract.Page) bool { return p.Incomplete }) {
		err = extract.ErrDamaged // the table may be on what could not be read
	}
	return timetable.Document{}, typed(err)
}

// Draw writes an SVG of what is seen on the pages of a PDF, timetable or not, or fails with an *Error.
func Draw(w io.Writer, pdf []byte) error {
	pages, err := extract.Pages(context.Background(), pdf)
	if err != nil {
		return typed(err)
	}
	pages = table.Pages(pages, schedule.Layouts())
	// A document without a table is drawn without one: why there is none is what one wants to see.
	t, err := table.Find(pages, schedule.Layouts())
	if err != nil && !errors.Is(err, table.ErrNoTable) && !errors.Is(err, table.ErrMixed) {
		return typed(err)
	}
	var svg bytes.Buffer
	draw.SVG(&svg, pages, t)
	if _, err := svg.WriteTo(w); err != nil {
		return fmt.Errorf("write the drawing: %w", err)
	}
	return nil
}
