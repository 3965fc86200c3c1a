package ics_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/schedgen/schedgen/functions/calendar-generate/ics"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/timetable"
)

var stamp = time.Date(2026, 7, 1, 9, 30, 0, 0, time.UTC)

// row is a line of a real printed timetable.
type row struct {
	Module, Offered, Group, Lang, Campus, Activity, Day, Date, Start, End, Venue, Test, Paper, Status, Comments string
	Venues                                                                                                      []string
	Page                                                                                                        int
}

// truth reads what a real printed timetable holds, as rows and as the document they make.
func truth(t testing.TB, name string) ([]row, timetable.Document) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "calendar", "testdata", name+".truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	var printed struct {
		Type timetable.Kind
		Rows []row
	}
	if err := json.Unmarshal(data, &printed); err != nil {
		t.Fatal(err)
	}
	doc := timetable.Document{Kind: printed.Type}
	for _, r := range printed.Rows {
		venues := r.Venues
		if r.Venue != "" {
			venues = []string{r.Venue}
		}
		doc.Entries = append(doc.Entries, timetable.Entry{
			Module: r.Module, Offered: r.Offered, Group: r.Group, Lang: r.Lang, Campus: r.Campus, Activity: r.Activity,
			Day: r.Day, Date: r.Date, StartTime: r.Start, EndTime: r.End, Venues: venues, Test: r.Test,
			Paper: r.Paper, Status: r.Status, Comments: r.Comments, Page: r.Page,
		})
	}
	return printed.Rows, doc
}

// write builds and writes the calendar of events.
func write(t testing.TB, opts calendar.Options, events ...calendar.Event) []byte {
	t.Helper()
	c, err := calendar.Build(events, opts)
	if err != nil {
		t.Fatalf("build: %v", err)
	}
	var file bytes.Buffer
	if err := ics.Write(&file, c, stamp); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}
