package schedule

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/schedgen/schedgen/functions/pdf-parse/table"
	"github.com/schedgen/schedgen/shared/timetable"
)

// field is a value that entries of a kind have, and the form in which the university prints it.
type field struct {
	name  string
	value func(*timetable.Entry) string
	form  *regexp.Regexp
}

var (
	capitals  = regexp.MustCompile(`^[A-Z][A-Z .'&()/-]*$`)
	number    = regexp.MustCompile(`^[0-9]{1,2}[A-Z]?$`)
	oneCode   = regexp.MustCompile(`^[A-Z]{1,2}[0-9]{1,3}$`)
	languages = regexp.MustCompile(`^[A-Z]( [A-Z]){0,3}$`)
	testName  = regexp.MustCompile(`^[A-Za-z ]*[Tt]est ?[0-9]+[A-Za-z]?$`)
	examName  = regexp.MustCompile(`^Exam [A-Za-z]+$`)

	campus       = field{"campus", func(e *timetable.Entry) string { return e.Campus }, capitals}
	fieldsOfKind = map[timetable.Kind][]field{
		timetable.Lecture: {
			{"group", func(e *timetable.Entry) string { return e.Group }, oneCode},
			{"language", func(e *timetable.Entry) string { return e.Lang }, languages},
			{"activity", func(e *timetable.Entry) string { return e.Activity }, oneCode},
			{"term", func(e *timetable.Entry) string { return e.Offered }, nil}, // its form is checked where it is read
			campus,
		},
		timetable.Test: {
			{"test", func(e *timetable.Entry) string { return e.Test }, testName},
			{"day", func(e *timetable.Entry) string { return e.Day }, nil},
			campus,
		},
		timetable.Exam: {
			{"activity", func(e *timetable.Entry) string { return e.Activity }, examName},
			{"paper", func(e *timetable.Entry) string { return e.Paper }, number},
			{"status", func(e *timetable.Entry) string { return e.Status }, capitals},
			{"module campus", func(e *timetable.Entry) string { return e.ModuleCampus }, capitals},
			campus,
		},
	}
)

// warnOfUnusual warns of values that do not have the form that others of their column have, and of those that are
// missing where others are not: what was drawn across a table may have cut a row in two, or moved a value
// into the column beside it. It judges a document by itself: where no value has the form, another is usual.
func warnOfUnusual(kind timetable.Kind, entries []entry) {
	for _, f := range fieldsOfKind[kind] {
		f.warn(entries)
	}
	longer, pieces := beginnings(entries), map[string]bool{}
	for i := range entries {
		e := &entries[i]
		for _, text := range [...]string{e.Campus, e.ModuleCampus, e.Activity, e.StudyProg, e.Comments, e.Status, e.Test} {
			e.warnOfSpaces(text)
		}
		for _, text := range [...]string{e.StudyProg, e.Comments} {
			if holdsRow(text) {
				e.warn(timetable.UnusualValue, "%q may be a row of its own, from a page beside this one. Check this entry against the PDF.", text)
			}
		}
		for _, venue := range e.Venues {
			e.warnOfSpaces(venue)
			piece, known := pieces[venue]
			if !known {
				piece = longer[venue] || unusualVenue(venue)
				pieces[venue] = piece
			}
			if piece {
				e.warn(timetable.UnusualValue, "The venue %q looks incomplete. Check this entry against the PDF.", venue)
			}
		}
		if languages.MatchString(e.Lang) && len(e.Lang) > 1 && e.Activity != "" && e.Activity[0] != e.Lang[len(e.Lang)-1] {
			e.warn(timetable.UnusualValue, "The activity %s does not fit %q, which is printed for its group. Check this entry against the PDF.", e.Activity, e.Lang)
		}
	}
}

// beginnings are what venues of the document begin with, short of a last word that is no number: "Theatre of the
// natural" of "Theatre of the natural sciences".
func beginnings(entries []entry) map[string]bool {
	out := map[string]bool{}
	for i := range entries {
		for _, venue := range entries[i].Venues {
			for n := strings.LastIndexByte(venue, ' '); n > 0; n = strings.LastIndexByte(venue[:n], ' ') {
				out[venue[:n]] = true
			}
		}
	}
	return out
}

const (
	betweenMayBelong = "Lines between this entry and its neighbour may belong to the other one. Check this entry against the PDF."
	belowMayBelong   = "What is printed below this entry may belong to it. Check this entry against the PDF."
)

// cut reports whether a row says neither what, nor when: a line that somebody drew may have cut it off from the one above.
func cut(row table.Row) bool {
	for _, column := range []string{colModule, colGroup, colDate, colTime} {
		if len(row.Cell(column).Lines) > 0 {
			return false
		}
	}
	return true
}

// warnOfRaised warns of rows that begin above their module where no more than a few do: what stands there may belong
// to the row above. The entries of each row begin at an index of entries.
func warnOfRaised(rows []table.Row, begins []int, entries []entry) {
	var above []int
	for i, row := range rows {
		if raised(row) {
			above = append(above, i)
		}
	}
	if 10*len(above) > 3*len(rows) {
		return // they stand in the middle of their rows
	}
	for _, i := range above {
		module := rows[i].Cell(colModule).Lines[0]
		end := len(entries)
		if i+1 < len(rows) {
			end = begins[i+1]
		}
		all := slices.ContainsFunc(rows[i].Cells, func(c table.Cell) bool { return ofGroup(c.Column) && higher(c, rows[i], module) })
		for k := max(0, begins[i]-1); k < end; k++ {
			if all || k <= begins[i] || entries[k].above(module) {
				entries[k].warn(timetable.UnusualValue, betweenMayBelong)
			}
		}
	}
}

// above reports whether an entry begins above a line of its row.
func (e *entry) above(l table.Line) bool { return e.y < l.Y-sameHeight*l.Size }

// raised reports whether a row has text more than a line above its module.
func raised(row table.Row) bool {
	module := row.Cell(colModule).Lines
	return len(module) > 0 && slices.ContainsFunc(row.Cells, func(c table.Cell) bool { return higher(c, row, module[0]) })
}

// higher reports whether a cell begins more than a line above the module of its row.
func higher(c table.Cell, row table.Row, module table.Line) bool {
	const line = 0.8 // ems
	return c.Column != "" && len(c.Lines) > 0 && c.Lines[0].Y >= row.Y0 && module.Y-c.Lines[0].Y > line*module.Size
}

// few values of a column do not say that each entry has one.
const few = 3

func (f field) warn(entries []entry) {
	filled := 0
	whole := map[string]int{}
	for i := range entries {
		if v := f.value(&entries[i].Entry); v != "" {
			filled++
			whole[v]++
		}
	}
	unusual := f.unusual(whole)
	besideUnusual := func(i int) bool {
		return i > 0 && unusual[f.value(&entries[i-1].Entry)] || i+1 < len(entries) && unusual[f.value(&entries[i+1].Entry)]
	}
	for i := range entries {
		e := &entries[i]
		switch v := f.value(&e.Entry); {
		case v == "" && besideUnusual(i):
			e.warn(timetable.UnusualValue, "This entry has no %s, but the one beside it may have two. Check it against the PDF.", f.name)
		case v == "" && filled >= few && 10*filled >= 7*len(entries) && !e.warnsOf(f.name):
			e.warn(timetable.UnusualValue, "This entry has no %s, though others have one. Check it against the PDF.", f.name)
		case unusual[v]:
			e.warn(timetable.UnusualValue, "The %s %q looks unusual. Check this entry against the PDF.", f.name, v)
		}
	}
}

// unusual are those of the values that do not have the field's form, where others have, or that ran together. The values
// are given with their numbers.
func (f field) unusual(whole map[string]int) map[string]bool {
	unusual, formed := map[string]bool{}, 0
	for v := range whole {
		if f.form == nil || f.form.MatchString(v) {
			formed++
		} else {
			unusual[v] = true
		}
	}
	if formed == 0 {
		clear(unusual)
	}
	for v := range whole {
		if compound(v, whole) {
			unusual[v] = true
		}
	}
	return unusual
}

// warnsOf reports whether an entry says already that a field is missing or cannot be read.
func (e *entry) warnsOf(name string) bool {
	for _, w := range e.Warnings {
		if name == "day" && w.Code == timetable.NoDay {
			return true
		}
	}
	return false
}

// compound reports whether a value is another entry's and a word more: two cells that ran together.
func compound(value string, whole map[string]int) bool {
	for i := range len(value) {
		if value[i] == ' ' && whole[value[:i]] > whole[value] && whole[value[i+1:]] > 0 ||
			value[i] == ' ' && whole[value[i+1:]] > whole[value] && whole[value] == 1 {
			return true
		}
	}
	return false
}

// holdsRow reports whether a text says what only a row of its own does: a module, and a time beside it.
func holdsRow(text string) bool {
	module, hours := false, false
	words := strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || r == '-' || r == '\u2013' })
	for i, word := range words {
		if _, ok := moduleCode(word); ok && strings.ContainsFunc(word, unicode.IsDigit) { // a word of letters is one
			module = true
		}
		if i > 0 {
			_, ok := moduleCode(words[i-1] + " " + word)
			module = module || ok
		}
		_, ok := clock(word)
		hours = hours || ok
	}
	return module && hours
}

func (e *entry) warnOfSpaces(text string) {
	if spacedOut(text) {
		e.warn(timetable.UnusualValue, "%q has spaces between its letters. Check this entry against the PDF.", text)
	}
}

// spacedOut reports whether a text has three letters in a row that stand alone.
func spacedOut(text string) bool {
	alone := 0
	for word := range strings.SplitSeq(text, " ") {
		if len(word) > utf8.UTFMax || utf8.RuneCountInString(word) != 1 || !hasLetter(word) {
			alone = 0
		} else if alone++; alone == 3 {
			return true
		}
	}
	return false
}

func hasLetter(text string) bool { return strings.ContainsFunc(text, unicode.IsLetter) }

// unusualVenue reports whether a venue is a piece of one: without a letter or a bracket's other half, or ending where
// none ends.
func unusualVenue(venue string) bool {
	return !hasLetter(venue) || strings.Count(venue, "(") != strings.Count(venue, ")") || strings.ContainsAny(venue, "?!") ||
		startsUnfinished(venue) || endsUnfinished(venue)
}

// startsUnfinished reports whether a text begins in the middle of a name or of a list of numbers.
func startsUnfinished(text string) bool {
	rest := strings.TrimLeft(text, "0123456789")
	return text[0] >= 'a' && text[0] <= 'z' || len(rest) < len(text) && rest != "" && strings.Contains("-,.", rest[:1])
}

func endsUnfinished(text string) bool {
	switch lastWord(text) {
	case "of", "and", "the":
		return true
	}
	return endsWithMark(text)
}
