package googlesync

import (
	"cmp"
	"fmt"
	"time"

	"github.com/schedgen/schedgen/functions/google-sync/syncs"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/calendar"
)

// syncAnswer is a sync as callers see it. The first frontend reads message and count.
type syncAnswer struct {
	SyncID     string       `json:"syncId"`
	CalendarID string       `json:"calendarId"`
	Status     syncs.Status `json:"status"`
	Message    string       `json:"message"`
	Count      int          `json:"count"` // events that are up to date, or that will be while it continues
	syncs.Progress
	Error      string             `json:"error,omitempty"` // the code of a failed sync
	CreatedAt  time.Time          `json:"createdAt"`
	FinishedAt *time.Time         `json:"finishedAt,omitempty"`
	Warnings   []calendar.Warning `json:"warnings,omitempty"`
	Notes      []string           `json:"notes,omitempty"` // about the calendar as a whole
}

func syncAnswerOf(s syncs.Sync) syncAnswer {
	answer := syncAnswer{
		SyncID: s.ID, CalendarID: s.CalendarID, Status: s.Status, Progress: s.Progress, Error: s.ErrorCode,
		Count: s.Progress.Created + s.Progress.Updated + s.Progress.Unchanged, CreatedAt: s.CreatedAt.UTC(), FinishedAt: s.FinishedAt,
	}
	switch s.Status {
	case syncs.Done:
		answer.Message = sentenceOf(s.Progress)
	case syncs.Failed:
		answer.Message = api.Sentence(s.ErrorCode)
	default:
		answer.Count = s.Events
		answer.Message = sentenceOfPending(s)
	}
	return answer
}

// sentenceOfPending describes a sync that continues. A caller that reads only count and message must not take it for
// one that added nothing.
func sentenceOfPending(s syncs.Sync) string {
	const later = " This continues by itself; you can close the page."
	if s.Removes {
		return "Google Calendar is still removing your events." + later
	}
	return fmt.Sprintf("Google Calendar is still taking in your %s; %s made so far.", plural(s.Events, "event"),
		plural(s.Progress.Done, "change")) + later
}

// sentenceOf says how a sync ended.
func sentenceOf(p syncs.Progress) string {
	if p.Failed > 0 {
		return fmt.Sprintf("Your calendar is up to date, except for %s that Google refused. Sync again to try once more.", plural(p.Failed, "event"))
	}
	if p.Created+p.Updated+p.Deleted == 0 {
		return "Your calendar was already up to date. Nothing had to be changed."
	}
	return fmt.Sprintf("Your calendar is up to date: %d added, %d changed, %d removed.", p.Created, p.Updated, p.Deleted)
}

// notPlaced says which events are not in the calendar, for callers that show only the message of an answer.
func notPlaced(cal calendar.Calendar) string {
	placed := make(map[string]bool, len(cal.Items))
	for _, item := range cal.Items {
		placed[item.Event.ID] = true
	}
	missing, first := make(map[string]bool), ""
	for _, w := range cal.Warnings {
		for _, id := range w.Events {
			if !placed[id] {
				missing[id] = true
				first = cmp.Or(first, w.Message)
			}
		}
	}
	if len(missing) == 0 {
		return ""
	}
	return fmt.Sprintf(" %s could not be placed: %s", plural(len(missing), "event"), calendar.Sentence(first))
}

// plural is "1 event", "2 events".
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
