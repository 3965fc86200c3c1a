package parse_test

import (
	"context"
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/schedgen/schedgen/functions/pdf-parse/parse"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/timetable"
)

// sheets are ways to style a table on a web page.
var sheets = map[string]string{
	"borders":       "table { border-collapse: collapse } td, th { border: 1px solid black; padding: 2px 5px }",
	"separate":      "td, th { border: 1px solid #999; padding: 3px }",
	"level":         "table { border-collapse: collapse } td, th { border-bottom: 1px solid #333; padding: 2px 8px; text-align: left }",
	"striped":       "table { border-collapse: collapse } td, th { padding: 2px 8px; text-align: left; vertical-align: top } tr:nth-child(even) { background: #eee }",
	"middle, serif": "table { border-collapse: collapse; font-family: serif } td, th { border: 2px solid black; padding: 4px; vertical-align: middle }",
	"dotted":        "table { border-collapse: collapse } td, th { border: 1px dotted black; padding: 4px 8px }",
	"dashed":        "table { border-collapse: collapse } td, th { border: 1px dashed black; padding: 4px 8px }",
	"justified":     "table { border-collapse: collapse } td, th { border: 1px solid black; padding: 2px 5px; text-align: justify; font-size: 9pt; letter-spacing: 0.3px }",
}

// TestPrintedByChromium reads timetables that a browser laid out by itself.
func TestPrintedByChromium(t *testing.T) {
	t.Parallel()
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not installed: run `make setup`")
	}
	for _, kind := range []timetable.Kind{timetable.Lecture, timetable.Test, timetable.Exam} {
		for name, sheet := range sheets {
			t.Run(fmt.Sprintf("%s %s", kind, name), func(t *testing.T) {
				t.Parallel()
				_, want, err := fixture.Generate(fixture.Options{Kind: kind, Seed: 12, Modules: 14})
				if err != nil {
					t.Fatal(err)
				}
				pdf := printedPage(t, chromium, webPage(want, sheet))
				got, err := parse.Parse(pdf)
				if err != nil {
					t.Fatal(err)
				}
				if diff := fixture.Equal(pageless(got), pageless(want)); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

// pageless is a document without what the browser decides: on which page a row stands, and which
// of a cell's lines may be one venue.
func pageless(doc timetable.Document) timetable.Document {
	out := timetable.Document{Kind: doc.Kind}
	for _, e := range doc.Entries {
		e.Page = 0
		e.Venues = []string{strings.Join(e.Venues, " ")}
		e.Warnings = nil
		out.Entries = append(out.Entries, e)
	}
	return out
}

// webPage writes a timetable as a table of HTML, a row for each entry.
func webPage(doc timetable.Document, sheet string) string {
	var page strings.Builder
	fmt.Fprintf(&page, "<!doctype html><meta charset=utf-8><style>@page { size: A4 landscape } %s</style><h1>Timetable</h1><table>", sheet)
	row := func(tag string, cells ...string) {
		page.WriteString("<tr>")
		for _, cell := range cells {
			fmt.Fprintf(&page, "<%s>%s</%[1]s>", tag, strings.ReplaceAll(html.EscapeString(cell), "\n", "<br>"))
		}
		page.WriteString("</tr>")
	}
	page.WriteString("<thead>")
	switch doc.Kind {
	case timetable.Lecture:
		row("th", "Module", "Offered", "Group", "Lang", "Activity", "Day", "Time", "Venue", "Campus", "Study Prog")
	case timetable.Test:
		row("th", "Module", "Test", "Day", "Date", "Time", "Campus", "Venue")
	default:
		row("th", "Status", "Module", "Paper", "Activity", "Date", "Start Time", "Module Campus", "Exam Campus", "Venue", "Exam Comments")
	}
	page.WriteString("</thead><tbody>")
	for _, e := range doc.Entries {
		venues, times := strings.Join(e.Venues, "\n"), e.StartTime+" - "+e.EndTime
		switch doc.Kind {
		case timetable.Lecture:
			row("td", e.Module, e.Offered, e.Group, e.Lang, e.Activity, e.Day, times, venues, e.Campus, e.StudyProg)
		case timetable.Test:
			row("td", e.Module, e.Test, e.Day, e.Date, times, e.Campus, venues)
		default:
			row("td", e.Status, e.Module, e.Paper, e.Activity, e.Date, e.StartTime, e.ModuleCampus, e.Campus, venues, e.Comments)
		}
	}
	return page.String()
}

// printedPage has the browser print a page to PDF.
func printedPage(t *testing.T, chromium, page string) []byte {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "page.html"), filepath.Join(dir, "page.pdf")
	if err := os.WriteFile(in, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer",
		"--user-data-dir="+filepath.Join(dir, "profile"), "--print-to-pdf="+out, "file://"+in)
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("chromium: %v: %s", err, msg)
	}
	pdf, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return pdf
}
