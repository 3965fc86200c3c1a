package calendar_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/dev/testkit/tabletest"
	"github.com/schedgen/schedgen/shared/timetable"
)

// merge gives the events of merged uploads.
func merge(uploads []calendar.Upload) (events []calendar.Event) {
	for _, m := range calendar.Merge(uploads) {
		events = append(events, m.Event)
	}
	return events
}

// upload is a timetable that was uploaded at noon of a day. Each row is "module term day" of a lecture or
// "module date" of a test or an exam; a module may be followed by ":" and an activity.
func upload(t *testing.T, day string, kind timetable.Kind, rows ...string) calendar.Upload {
	t.Helper()
	date, err := calendar.ParseDate(day)
	if err != nil {
		t.Fatal(err)
	}
	doc := timetable.Document{Kind: kind}
	for _, row := range rows {
		words := strings.Fields(row)
		module, activity, _ := strings.Cut(words[0], ":")
		e := timetable.Entry{Module: module, Activity: activity, StartTime: "08:30", EndTime: "09:20"}
		if kind == timetable.Lecture {
			e.Offered, e.Day = words[1], words[2]
		} else {
			e.Date = words[1]
		}
		doc.Entries = append(doc.Entries, e)
	}
	return calendar.Upload{At: date.At(12 * 60), Year: date.Year, Events: calendar.Events(doc)}
}

func merged(uploads ...calendar.Upload) []string {
	all := []string{}
	for _, e := range merge(uploads) {
		all = append(all, strings.Join(strings.Fields(fmt.Sprint(e.Module, " ", e.Semester, e.Date, " ", e.Day)), " "))
	}
	return all
}

func TestAnUploadSpeaksForItsScopesAlone(t *testing.T) {
	t.Parallel()
	const lecture, test, exam = timetable.Lecture, timetable.Test, timetable.Exam
	for _, c := range []struct {
		name    string
		uploads []calendar.Upload
		want    []string
	}{
		{"November leaves June", []calendar.Upload{
			upload(t, "2026-05-01", exam, "A 2026-06-12", "B 2026-06-13"), upload(t, "2026-10-01", exam, "A 2026-11-12"),
		}, []string{"A 2026-06-12", "B 2026-06-13", "A 2026-11-12"}},
		{"an older session that comes later", []calendar.Upload{
			upload(t, "2026-05-01", exam, "A 2026-11-12"), upload(t, "2026-05-02", exam, "A 2026-06-12"),
		}, []string{"A 2026-11-12", "A 2026-06-12"}},
		{"a correction removes what it does not list, the last paper too", []calendar.Upload{
			upload(t, "2026-05-01", exam, "A 2026-06-12", "B 2026-07-01"), upload(t, "2026-05-02", exam, "A 2026-06-12", "C 2026-06-01"),
		}, []string{"A 2026-06-12", "C 2026-06-01"}},
		{"what is over stays", []calendar.Upload{
			upload(t, "2026-05-01", exam, "A 2026-06-01", "B 2026-06-20"), upload(t, "2026-06-10", exam, "C 2026-06-12"),
		}, []string{"A 2026-06-01", "C 2026-06-12"}},
		{"what was removed in time does not come back", []calendar.Upload{
			upload(t, "2026-03-01", test, "A 2026-04-01", "B 2026-04-02"), upload(t, "2026-03-10", test, "B 2026-04-02"), upload(t, "2026-05-10", test, "B 2026-04-02"),
		}, []string{"B 2026-04-02"}},
		{"a paper that moved is one", []calendar.Upload{
			upload(t, "2026-05-01", exam, "A 2026-06-01"), upload(t, "2026-06-10", exam, "A 2026-06-22"),
		}, []string{"A 2026-06-22"}},
		{"supplementary papers beside the main ones", []calendar.Upload{
			upload(t, "2026-05-01", exam, "A:Written 2026-06-20"), upload(t, "2026-06-10", exam, "B:Supplementary 2026-06-29"),
		}, []string{"A 2026-06-20", "B 2026-06-29"}},
		{"tests of two halves and of two years", []calendar.Upload{
			upload(t, "2026-02-01", test, "A 2026-03-01"), upload(t, "2026-02-02", test, "A 2026-08-01"), upload(t, "2026-02-03", test, "A 2027-03-01"),
		}, []string{"A 2026-03-01", "A 2026-08-01", "A 2027-03-01"}},
		{"kinds", []calendar.Upload{
			upload(t, "2026-02-01", test, "A 2026-03-01"), upload(t, "2026-02-02", lecture, "A S1 Monday"), upload(t, "2026-02-03", exam, "A 2026-06-01"),
		}, []string{"A S1 Monday", "A 2026-03-01", "A 2026-06-01"}},
		{"semesters, and a dropped module of one", []calendar.Upload{
			upload(t, "2026-01-20", lecture, "A S1 Monday", "B Q2 Monday"), upload(t, "2026-07-01", lecture, "C S2 Monday", "D Q3 Monday"), upload(t, "2026-07-02", lecture, "C S2 Tuesday"),
		}, []string{"A S1 Monday", "B Q2 Monday", "C S2 Tuesday"}},
		{"a quarter is part of its semester", []calendar.Upload{
			upload(t, "2026-01-20", lecture, "A S1 Monday", "B Q2 Monday"), upload(t, "2026-01-21", lecture, "A S1 Monday"),
		}, []string{"A S1 Monday"}},
		{"a year module beside the second semester", []calendar.Upload{
			upload(t, "2026-01-20", lecture, "A S1 Monday", "B Y Monday"), upload(t, "2026-07-01", lecture, "C S2 Monday"),
		}, []string{"A S1 Monday", "B Y Monday", "C S2 Monday"}},
		{"a year module that was dropped", []calendar.Upload{
			upload(t, "2026-01-20", lecture, "A S1 Monday", "B Y Monday"), upload(t, "2026-01-21", lecture, "A S1 Monday"),
		}, []string{"A S1 Monday"}},
		{"a lecture of which nobody knows when it is", []calendar.Upload{
			upload(t, "2026-01-20", lecture, "A S1 Monday", "B W1 Monday"), upload(t, "2026-07-01", lecture, "C S2 Monday"),
		}, []string{"A S1 Monday", "C S2 Monday"}},
		{"the next year", []calendar.Upload{
			upload(t, "2026-01-20", lecture, "A S1 Monday"), upload(t, "2027-01-20", lecture, "A S1 Monday"),
		}, []string{"A S1 Monday", "A S1 Monday"}},
		{"no date is of no scope", []calendar.Upload{
			upload(t, "2026-01-20", exam, "A soon"), upload(t, "2026-01-20", exam, "B later"),
		}, []string{"B later"}},
	} {
		if got := merged(c.uploads...); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
		again := append(slices.Clone(c.uploads), c.uploads[len(c.uploads)-1])
		if got := merged(again...); !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(c.want))) {
			t.Errorf("%s: the last one uploaded again gives %q, want %q", c.name, got, c.want)
		}
	}
}

// TestASlotKeepsItsIDFromUploadToUpload: whatever is added, removed, moved beside it or printed in another
// order, a slot that is in two uploads one after the other has one id, and no two events share a UID.
func TestASlotKeepsItsIDFromUploadToUpload(t *testing.T) {
	t.Parallel()
	seed := tabletest.Seed(t)
	for n := range uint64(300) {
		random := rand.New(rand.NewPCG(seed+n, 2))
		var uploads []calendar.Upload
		var before map[string]string
		for range 6 {
			uploads = append(uploads, calendar.Upload{At: time.Unix(int64(len(uploads)), 0), Year: 2026, Events: randomWeek(random)})
			now := make(map[string]string)
			uids := make(map[string]bool)
			for _, e := range merge(uploads) {
				now[fmt.Sprint(e.Module, e.Semester, e.Activity, e.Day, e.StartTime)] = e.ID
				uids[fmt.Sprint(e.ID, e.Year)] = true
			}
			if len(uids) != len(now) {
				t.Fatalf("seed %d: %d slots have %d ids", seed+n, len(now), len(uids))
			}
			for slot, id := range before {
				if now[slot] != "" && now[slot] != id {
					t.Fatalf("seed %d: after %d uploads %s has the id %s, and had %s", seed+n, len(uploads), slot, now[slot], id)
				}
			}
			before = now
		}
	}
}

// randomWeek is a timetable of few names and many slots.
func randomWeek(random *rand.Rand) []calendar.Event {
	var doc timetable.Document
	doc.Kind = timetable.Lecture
	for _, place := range random.Perm(4 * 2 * 5)[:3+random.IntN(12)] {
		doc.Entries = append(doc.Entries, timetable.Entry{
			Module: "COS 110", Offered: []string{"S1", "S2"}[place%2], Activity: "P1", Group: "P01",
			Day: time.Weekday(1 + place/2%5).String(), StartTime: fmt.Sprintf("%02d:30", 7+place/10), EndTime: fmt.Sprintf("%02d:20", 8+place/10),
		})
	}
	return calendar.Events(doc)
}

func TestAMovedSlotTakesItsIDAlong(t *testing.T) {
	t.Parallel()
	first := upload(t, "2026-01-20", timetable.Lecture, "A S1 Monday", "A S1 Wednesday")
	second := upload(t, "2026-01-21", timetable.Lecture, "A S1 Wednesday", "A S1 Friday")
	before, after := merge([]calendar.Upload{first}), merge([]calendar.Upload{first, second})
	if len(after) != 2 || after[0].ID != before[1].ID || after[1].ID != before[0].ID {
		t.Errorf("Monday and Wednesday were %s and %s; Wednesday and Friday are %+v", before[0].ID, before[1].ID, after)
	}
	third := upload(t, "2026-01-22", timetable.Lecture, "A S1 Monday", "A S1 Friday", "A S1 Wednesday")
	again := merge([]calendar.Upload{first, second, third})
	if len(again) != 3 || again[1].ID != after[1].ID || again[2].ID != after[0].ID {
		t.Errorf("an earlier slot that was added changed ids: %+v", again)
	}
}

// TestLecturesWithoutATermAreOfTheirDates: they replace those of the semester in which the student placed them.
func TestLecturesWithoutATermAreOfTheirDates(t *testing.T) {
	t.Parallel()
	options := calendar.Options{}
	options.UseSemester(mustRange(t, "2026-07-20..2026-10-16"))
	first := upload(t, "2026-01-20", timetable.Lecture, "A S1 Monday", "B S2 Monday")
	second := upload(t, "2026-07-20", timetable.Lecture, "C S2 Monday")
	second.Events[0].Semester, second.Terms = "", options.Terms
	events := merge([]calendar.Upload{first, second})
	if len(events) != 2 || events[0].Module != "A" || events[1].Module != "C" {
		t.Fatalf("the events are %+v, want A of the first semester and C", events)
	}
	c := build(t, options, events...)
	if got := c.Items[1].Scope().String(); got != "lecture/2026/S2" {
		t.Errorf("C is of %s", got)
	}
}

// TestOneLectureInTwoYears: what is the same by name in two years is two series, of two UIDs.
func TestOneLectureInTwoYears(t *testing.T) {
	t.Parallel()
	events := merge([]calendar.Upload{
		upload(t, "2025-01-20", timetable.Lecture, "A S1 Monday"), upload(t, "2026-01-20", timetable.Lecture, "A S1 Monday"), upload(t, "2027-01-20", timetable.Lecture, "A S1 Monday"),
	})
	range27 := calendar.Range{Start: calendar.Date{Year: 2027, Month: 2, Day: 8}, End: calendar.Date{Year: 2027, Month: 5, Day: 21}}
	c := build(t, calendar.Options{Year: 2027, Terms: calendar.Terms{"S1": range27}}, events...)
	if len(c.Items) != 2 || c.Items[0].Year() != 2026 || c.Items[1].Year() != 2027 {
		t.Fatalf("the items are %+v, want those of 2026 and 2027", c.Items)
	}
	alone := build(t, calendar.Options{Year: 2026}, upload(t, "2026-01-20", timetable.Lecture, "A S1 Monday").Events...)
	if c.Items[0].UID != alone.Items[0].UID || c.Items[0].Event.ID == c.Items[1].Event.ID {
		t.Errorf("the UIDs are %s and %s, want %s for 2026; the ids are %s and %s", c.Items[0].UID, c.Items[1].UID, alone.Items[0].UID, c.Items[0].Event.ID, c.Items[1].Event.ID)
	}
	if len(c.Warnings) != 1 || c.Warnings[0].Code != calendar.MissingSemesterDates {
		t.Errorf("the warnings are %+v, want one of 2025, whose dates nobody gave", c.Warnings)
	}
	if _, err := calendar.Build(events, calendar.Options{Year: 2027}); err == nil {
		t.Error("the newest year's dates are missing, and nothing says so")
	}
}
