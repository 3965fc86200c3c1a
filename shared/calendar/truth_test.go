package calendar_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/schedgen/schedgen/shared/timetable"
)

// truth reads what a real printed timetable holds.
func truth(t testing.TB, name string) timetable.Document {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	var printed struct {
		Type timetable.Kind
		Rows []struct {
			Module, Offered, Group, Lang, Campus, Activity, Day, Date, Start, End, Venue, Test, Paper, Status, Comments string
			Venues                                                                                                      []string
			Page                                                                                                        int
		}
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
	return doc
}
