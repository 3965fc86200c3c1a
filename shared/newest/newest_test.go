package newest_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/newest"
	"github.com/schedgen/schedgen/shared/timetable"
)

// uploaded is a completed job with an entry.
func uploaded(t *testing.T, store *jobs.Store, owner string, kind timetable.Kind, entry timetable.Entry) jobs.Job {
	t.Helper()
	job, err := store.Create(t.Context(), jobs.NewJob{Owner: owner})
	if err == nil {
		err = store.Uploaded(t.Context(), job.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	claim, err := store.Claim(t.Context(), job.ID, time.Minute)
	if err == nil {
		err = store.Complete(t.Context(), claim, timetable.Document{Kind: kind, Entries: []timetable.Entry{entry}})
	}
	if err != nil {
		t.Fatal(err)
	}
	job, err = newest.CompletedJob(t.Context(), store, owner, job.ID)
	if err != nil {
		t.Fatal(err)
	}
	return job
}

// TestTheEventsOfAJob: they have the ids that they have in the owner's calendar, though jobs of other kinds, which
// have ids of their own, are not read.
func TestTheEventsOfAJob(t *testing.T) {
	t.Parallel()
	pool, owner := pgtest.Pool(t), uuid.NewString()
	store := jobs.NewStore(pool)
	entries := map[timetable.Kind]timetable.Entry{
		timetable.Lecture: {Module: "COS 110", Offered: "S1", Group: "G01", Activity: "L1", Day: "Monday", StartTime: "08:30", EndTime: "09:20", Page: 1},
		timetable.Test:    {Module: "COS 110", Test: "Test 1", Date: "2026-03-12", StartTime: "17:30", EndTime: "19:30", Page: 1},
		timetable.Exam:    {Module: "COS 110", Activity: "Exam Written", Date: "2026-06-12", StartTime: "07:30", Page: 1},
	}
	last := map[timetable.Kind]jobs.Job{}
	for range 2 {
		for kind, entry := range entries {
			last[kind] = uploaded(t, store, owner, kind, entry)
			entry.StartTime, entry.Day = "10:30", "Tuesday" // moved, so that the slot's id is of the first upload
			entries[kind] = entry
		}
	}
	timetables, err := newest.Of(t.Context(), store, owner)
	if err != nil {
		t.Fatal(err)
	}
	merged, err := timetables.Merge(t.Context(), calendar.Options{}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	ids := map[timetable.Kind]string{}
	for _, e := range merged.Events {
		ids[e.Kind] = e.ID
	}
	for kind, job := range last {
		if _, err := pool.Exec(t.Context(), "update entries set entry = jsonb_build_array(entry) where job_id in (select id from jobs where kind::text <> $1)", string(kind)); err != nil {
			t.Fatal(err)
		}
		events, err := newest.JobEvents(t.Context(), store, job)
		if err != nil || len(events) != 1 || events[0].ID != ids[kind] {
			t.Errorf("%s: got %+v, %v, want the id %s", kind, events, err, ids[kind])
		}
		if _, err := pool.Exec(t.Context(), "update entries set entry = entry->0 where jsonb_typeof(entry) = 'array'"); err != nil {
			t.Fatal(err)
		}
	}
}

// TestNewestOfEachKind: an upload replaces those of its kind, and a choice of an earlier year does not bind
// this year's lectures.
func TestNewestOfEachKind(t *testing.T) {
	t.Parallel()
	store := jobs.NewStore(pgtest.Pool(t))
	owner := uuid.NewString()
	upload := func(kind timetable.Kind, entry timetable.Entry) { uploaded(t, store, owner, kind, entry) }
	lecture := timetable.Entry{Module: "COS 110", Offered: "S1", Group: "G01", Activity: "L1", Day: "Monday", StartTime: "08:30", EndTime: "09:20", Page: 1}
	upload(timetable.Lecture, lecture)
	lecture.Module = "COS 122"
	upload(timetable.Lecture, lecture)
	upload(timetable.Test, timetable.Entry{Module: "COS 110", Test: "Test 1", Date: "2026-03-12", StartTime: "17:30", EndTime: "19:30", Page: 1})

	if empty, err := newest.Of(t.Context(), store, uuid.NewString()); err != nil || len(empty.Jobs) != 0 {
		t.Errorf("a stranger has %d timetables (%v)", len(empty.Jobs), err)
	}
	timetables, err := newest.Of(t.Context(), store, owner)
	if err != nil || len(timetables.Jobs) != 3 {
		t.Fatalf("the owner has %d timetables (%v), want two of lectures and one of tests", len(timetables.Jobs), err)
	}
	year := timetables.Jobs[0].CreatedAt.In(calendar.Zone).Year()
	term := func(y int) calendar.Range {
		return calendar.Range{Start: calendar.Date{Year: y, Month: 2, Day: 9}, End: calendar.Date{Year: y, Month: 5, Day: 22}}
	}
	now := calendar.Options{Year: year, Terms: map[string]calendar.Range{"S1": term(year)}}
	cal, err := timetables.Build(t.Context(), now, time.Now())
	if err != nil || len(cal.Items) != 2 || cal.Items[0].Event.Module != "COS 122" || cal.Items[0].Year() != year {
		t.Errorf("the calendar is %+v (%v)", cal.Items, err)
	}
	if _, err := timetables.Build(t.Context(), calendar.Options{Modules: []string{"COS 999"}, Terms: now.Terms}, time.Now()); err == nil {
		t.Error("a module that does not exist is taken")
	}
	if cal, err = timetables.Build(t.Context(), calendar.Options{Modules: []string{"COS 999"}, Terms: now.Terms, Lenient: true}, time.Now()); err != nil || len(cal.Warnings) == 0 {
		t.Errorf("leniently, a module that does not exist gives %v and the warnings %v", err, cal.Warnings)
	}
	// Chosen last year, with last year's dates: they bind nothing now.
	last := calendar.Options{Year: year - 1, Terms: map[string]calendar.Range{"S1": term(year - 1)}, Lenient: true}
	cal, err = timetables.Build(t.Context(), last, time.Now().AddDate(-1, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range cal.Items {
		if item.Year() < year && item.Event.Kind == timetable.Lecture {
			t.Errorf("a lecture is placed in %d", item.Year())
		}
	}
	if last.Terms["S1"].Start.Year != year-1 {
		t.Error("the caller's options were changed")
	}
}
