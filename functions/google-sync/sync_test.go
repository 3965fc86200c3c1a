package googlesync

import (
	"testing"

	"github.com/schedgen/schedgen/shared/timetable"
)

// TestFromUploadToCalendar is the whole way: anonymous upload, sign-in, a new calendar, a sync; again; with a
// moved lecture; without a module; everything removed.
func TestFromUploadToCalendar(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	doc := lectures(4)
	w.upload(b.anonymous(), doc)
	b.signIn(student)
	id := b.calendar()

	first := b.sync(id, map[string]any{"reminders": []int{15}})
	b.counts(first, 12, 0, 0, 0)
	if events := w.google.Events(id); len(events) != 12 || first.Count != 12 || first.Message == "" {
		t.Errorf("%d events in the calendar and the answer %+v, want 12", len(events), first)
	}

	w.google.Forget()
	b.counts(b.sync(id, map[string]any{"reminders": []int{15}}), 0, 0, 0, 12)
	if n := w.google.Writes(); n != 0 {
		t.Errorf("the second sync makes %d writing calls, want 0: %v", n, w.google.Calls())
	}

	moved := timetable.Document{Kind: doc.Kind, Entries: append([]timetable.Entry(nil), doc.Entries...)}
	moved.Entries[0].Day, moved.Entries[0].Venues = "Friday", []string{"IT 4-1"}
	w.upload(b.owner(), moved)
	w.google.Forget()
	b.counts(b.sync(id, map[string]any{"reminders": []int{15}}), 0, 1, 0, 11)
	if n := w.google.Writes(); n != 1 {
		t.Errorf("a moved lecture makes %d writing calls, want 1: %v", n, w.google.Calls())
	}

	dropped := timetable.Document{Kind: doc.Kind, Entries: moved.Entries[3:]}
	w.upload(b.owner(), dropped)
	b.counts(b.sync(id, map[string]any{"reminders": []int{15}}), 0, 0, 3, 9)

	var gone synced
	b.want(b.do("DELETE", "/api/calendars/events?calendarId="+id, nil), 200, &gone)
	b.counts(gone, 0, 0, 9, 0)
	if events := w.google.Events(id); len(events) != 0 {
		t.Errorf("%d events are left, want none", len(events))
	}
	b.counts(b.sync(id, nil), 9, 0, 0, 0)
}
