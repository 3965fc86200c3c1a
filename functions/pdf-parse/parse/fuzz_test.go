package parse_test

import (
	"errors"
	"runtime/debug"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/schedgen/schedgen/functions/pdf-parse/parse"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/timetable"
)

// FuzzParse reads foreign files: a timetable with entries, or an error that says why there is none.
func FuzzParse(f *testing.F) {
	for seed, kind := range []timetable.Kind{timetable.Lecture, timetable.Test, timetable.Exam} {
		for _, style := range []fixture.Style{fixture.Oracle, fixture.Borderless} {
			pdf, _, err := fixture.Generate(fixture.Options{Kind: kind, Style: style, Seed: uint64(seed), Modules: 1, Plain: true})
			if err != nil {
				f.Fatal(err)
			}
			f.Add(pdf)
		}
	}
	f.Fuzz(func(t *testing.T, pdf []byte) {
		defer func() { // what panics is the library below, which the sandbox is for
			if r := recover(); r != nil && !strings.Contains(string(debug.Stack()), "/pdfcpu@") {
				panic(r)
			}
		}()
		doc, err := parse.Parse(pdf)
		var e *parse.Error
		switch {
		case errors.As(err, &e):
			if e.Code == "" || e.Message == "" {
				t.Errorf("error without code or sentence: %+v", e)
			}
		case err != nil:
			t.Errorf("%v is no *parse.Error", err)
		case len(doc.Entries) == 0:
			t.Error("a timetable without entries")
		}
		for _, entry := range doc.Entries {
			if entry.Page < 1 || entry.Venues == nil || !utf8.ValidString(entry.Module+entry.Comments) {
				t.Errorf("entry %+v", entry)
			}
		}
	})
}
