package parse_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/timetable"
)

// TestSheets reads timetables of which several pages are on one sheet of paper: each page is read as
// the page that it was.
func TestSheets(t *testing.T) {
	t.Parallel()
	first := firstSeed(t)
	for _, kind := range []timetable.Kind{timetable.Lecture, timetable.Test, timetable.Exam} {
		for _, style := range []fixture.Style{fixture.Oracle, fixture.Stroked, fixture.Borderless, fixture.Sparse} {
			for _, sheets := range []int{2, 4, 9} {
				t.Run(fmt.Sprintf("%s %s %d", kind, style, sheets), func(t *testing.T) {
					t.Parallel()
					for i := range uint64(2) {
						o := fixture.Options{Kind: kind, Style: style, Sheets: sheets, Seed: first + i, Pages: 1 + int((first+i)%11), RepeatHeader: i%3 == 0, Compress: true}
						if diff := difference(o); diff != "" {
							t.Errorf("%+v\n%s", o, diff)
						}
					}
				})
			}
		}
	}
}

// TestSheetsOfOtherPrograms has pdfcpu put pages on sheets, in forms, and other programs write these anew.
func TestSheetsOfOtherPrograms(t *testing.T) {
	t.Parallel()
	first := firstSeed(t)
	for i, kind := range []timetable.Kind{timetable.Lecture, timetable.Test, timetable.Exam} {
		o := fixture.Options{Kind: kind, Seed: first, Pages: 3 + i, Plain: true, Style: []fixture.Style{fixture.Oracle, fixture.Stroked, fixture.Borderless}[i]}
		pdf, truth, err := fixture.Generate(o)
		if err != nil {
			t.Fatalf("%+v: %v", o, err)
		}
		compareOnSheets(t, fmt.Sprintf("%s %d", kind, o.Seed), upright(t, pdf), truth)
	}
	for _, path := range samples(t) {
		pdf, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		compareOnSheets(t, filepath.Base(path), pdf, truth(t, path))
	}
}

// upright is a file whose pages begin at the origin and are not turned: of others, pdfcpu cuts off a part.
func upright(t *testing.T, pdf []byte) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "upright.pdf")
	if err := os.WriteFile(path, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := os.ReadFile(rewritten(t, path, rewrites["pdftocairo"]))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// compareOnSheets puts the pages of a file on sheets in several ways and reads each of them.
func compareOnSheets(t *testing.T, name string, pdf []byte, want timetable.Document) {
	t.Helper()
	for _, layout := range []string{"form:A4L, border:off", "form:A4, border:on, margin:10", "form:A4L, border:on, margin:0, orientation:rd"} {
		for _, n := range []int{2, 4, 9} {
			t.Run(fmt.Sprintf("%s, %d on a sheet, %s", name, n, layout), func(t *testing.T) {
				t.Parallel()
				conf := model.NewDefaultConfiguration()
				nup, err := api.PDFNUpConfig(n, layout, conf)
				if err != nil {
					t.Fatal(err)
				}
				var out bytes.Buffer
				if err := api.NUp(bytes.NewReader(pdf), &out, nil, nil, nup, conf); err != nil {
					t.Fatalf("pdfcpu: %v", err)
				}
				path := filepath.Join(t.TempDir(), "sheets.pdf")
				if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
				compare(t, path, want)
				for _, program := range []string{"pdftocairo", "Ghostscript"} {
					t.Run(program, func(t *testing.T) { compare(t, rewritten(t, path, rewrites[program]), want) })
				}
			})
		}
	}
}
