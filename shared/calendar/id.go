package calendar

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/schedgen/schedgen/shared/timetable"
)

// setIDs names every event that has no id yet. The hash begins with what the event is; the events
// that share it are told apart by day, then by time, then by their order.
func setIDs(events []Event) {
	all := make([]int, 0, len(events))
	for i := range events {
		if events[i].ID == "" {
			all = append(all, i)
		}
	}
	steps := []func(Event) string{
		identity,
		func(e Event) string { return e.Day + " " + e.Date },
		func(e Event) string { return e.StartTime + "-" + e.EndTime },
	}
	tellApart(events, all, "", steps)
}

// tellApart gives ids to the events at the given places, all of which share prefix.
func tellApart(events []Event, places []int, prefix string, steps []func(Event) string) {
	if len(steps) == 0 {
		for n, at := range places {
			key := prefix
			if n > 0 {
				key += "\x1e" + strconv.Itoa(n)
			}
			events[at].ID = hashID(key)
		}
		return
	}
	sharing := make(map[string][]int, len(places))
	var order []string
	for _, at := range places {
		key := prefix + "\x1e" + steps[0](events[at])
		if _, seen := sharing[key]; !seen {
			order = append(order, key)
		}
		sharing[key] = append(sharing[key], at)
	}
	for _, key := range order {
		if same := sharing[key]; len(same) == 1 {
			events[same[0]].ID = hashID(key)
		} else {
			tellApart(events, same, key, steps[1:])
		}
	}
}

// identity is what an event is, apart from when and where. Tests and exams carry the half of the
// year they are written in: the June and the November paper of a module are two things.
func identity(e Event) string {
	half := ""
	if e.Kind != timetable.Lecture {
		if d, err := ParseDate(e.Date); err == nil {
			half = "H" + strconv.Itoa((int(d.Month)-1)/6+1)
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
