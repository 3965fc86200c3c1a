package calendar

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/schedgen/schedgen/shared/timetable"
)

// Title is a way to write the titles of lectures. Titles of tests and exams always say which test or paper it is.
type Title string

// The ways to write a title, here for the group P02 of a practical.
const (
	TitleFull     Title = "full"     // COS 212 P1 (P02)
	TitleActivity Title = "activity" // COS 212 P1
	TitleGroup    Title = "group"    // COS 212 P02
	TitleKind     Title = "kind"     // COS 212 Practical
	TitleModule   Title = "module"   // COS 212
)

// titles writes what follows the module's code, for each way but the full one.
var titles = map[Title]func(Event) string{
	TitleFull:     nil,
	TitleActivity: func(e Event) string { return e.Activity },
	TitleGroup:    func(e Event) string { return cmp.Or(e.Group, e.Activity) },
	TitleKind:     func(e Event) string { return cmp.Or(meetings[family(e.Group)], e.Activity) },
	TitleModule:   func(Event) string { return "" },
}

// meetings are what groups meet for, by the letter that the university prints.
var meetings = map[string]string{"G": "Lecture", "L": "Lecture", "P": "Practical", "T": "Tutorial", "D": "Discussion"}

func (t Title) isKnown() bool {
	_, ok := titles[t]
	return ok || t == ""
}

func titleNames() []string {
	names := make([]string, 0, len(titles))
	for _, t := range slices.Sorted(maps.Keys(titles)) {
		names = append(names, string(t))
	}
	return names
}

// label is the event's title, written in the way that the options ask for. One that the caller gave stays as it is.
func (b *builder) label(e Event) string {
	if e.Summary != "" {
		return e.Summary
	}
	module := cmp.Or(e.Module, "Unknown module")
	if write := titles[b.opts.Title]; write != nil && e.Kind == timetable.Lecture {
		return strings.TrimSpace(module + " " + write(e))
	}
	return b.fullTitle(module, e)
}

// fullTitle is the module and the activity, and what tells the event from others of that name. The group is such a
// thing where it is a student's choice: of P01, P02... only some are there, and of G groups there is a choice where a
// module has several.
func (b *builder) fullTitle(module string, e Event) string {
	title := strings.TrimSpace(module + " " + cmp.Or(e.Activity, e.Test))
	if f := family(e.Group); f != "" && (f != "G" || b.catalog.hasSeveral(e.Module, f)) {
		title += " (" + e.Group + ")"
	}
	if e.Paper != "" && e.Paper != "1" {
		title += " paper " + e.Paper
	}
	return title
}
