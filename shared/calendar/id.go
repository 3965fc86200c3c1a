package calendar

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/schedgen/schedgen/shared/timetable"
)

// setIDs names every event that has no id yet. An id is the hash of the event's identity: what it is, not
// when and where. Of several events of one identity the first in the week has that id. The next on another
// day has its day added, the next on the same day its time, and a number where that is the same, too. So
// events that come later in the week, in other rooms or in another order change no id.
//
// One timetable alone cannot tell a second slot that was added before the first from a slot that was moved:
// there the earlier slot has the plain id. [Merge] knows the timetables before and keeps each slot's id.
func setIDs(events []Event) {
	sharing := make(map[string][]int, len(events))
	for i := range events {
		if events[i].ID == "" {
			name := identity(events[i])
			sharing[name] = append(sharing[name], i)
		}
	}
	for _, slots := range sharing {
		slices.SortStableFunc(slots, func(a, b int) int { return compareSlots(events[a], events[b]) })
		taken := make(map[string]bool, len(slots))
		for _, at := range slots {
			events[at].ID = freeID(events[at], func(id string) bool { return taken[id] })
			taken[events[at].ID] = true
		}
	}
}

// compareSlots orders the slots of one identity in time; what cannot be read comes last.
func compareSlots(a, b Event) int {
	return cmp.Or(
		cmp.Compare(dayOrder(a.Day), dayOrder(b.Day)),
		compareText(a.Date, b.Date), compareText(a.StartTime, b.StartTime), compareText(a.EndTime, b.EndTime),
		cmp.Compare(strings.Join(a.Venues, "\x1f"), strings.Join(b.Venues, "\x1f")),
	)
}

// dayOrder begins with Monday and ends with what is no day.
func dayOrder(s string) int {
	day, ok := weekday(s)
	if !ok {
		return 7
	}
	return (int(day) + 6) % 7
}

// compareText puts empty text last.
func compareText(a, b string) int {
	if a == "" || b == "" {
		return cmp.Compare(b, a)
	}
	return cmp.Compare(a, b)
}

// freeID gives the shortest-named id of the event that is not taken.
func freeID(e Event, taken func(id string) bool) string {
	key := ""
	for _, part := range []string{identity(e), e.Day + " " + e.Date, e.StartTime + "-" + e.EndTime} {
		key += "\x1e" + part
		if id := hashID(key); !taken(id) {
			return id
		}
	}
	for n := 1; ; n++ {
		if id := hashID(key + "\x1e" + strconv.Itoa(n)); !taken(id) {
			return id
		}
	}
}

// identity is what an event is, apart from when and where. Tests and exams carry the half of the
// year they are written in: the June and the November paper of a module are two things.
func identity(e Event) string {
	half := ""
	if e.Kind != timetable.Lecture {
		if d, err := ParseDate(e.Date); err == nil {
			half = "H1"
			if d.Month > time.June {
				half = "H2"
			}
		}
	}
	return strings.Join([]string{string(e.Kind), e.Module, e.Semester, e.Group, e.Activity, e.Test, e.Paper, half}, "\x1f")
}

// hashID writes 64 bits of the key's SHA-256: with the few thousand events of one owner, two equal
// ids are less likely than a misprint by many orders of magnitude.
func hashID(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:8])
}

// isHashID reports whether an id is one that hashID may have written.
func isHashID(id string) bool {
	const digits = 16
	return len(id) == digits && strings.Trim(id, "0123456789abcdef") == ""
}
