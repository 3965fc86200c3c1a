package calendar

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// yearChecks reads the items of one year and holds them against each other.
type yearChecks struct {
	*yearsReader
	number    int
	inherited Origin
	covered   Range
	placed    []itemRange
}

// itemRange is an item of the file with the line on which it stands.
type itemRange struct {
	line  int
	field string // the list it stands in
	name  string // what to call it
	Range
}

func (c *yearChecks) covers(n node) {
	if text, ok := n.value.(string); ok {
		c.covered, _ = c.rangeText(n.line, text, "covers", false)
		return
	}
	c.problem(n.line, `covers must be a range of days, as in "%d-01-01..%d-06-30"`, c.number, c.number)
}

// terms reads the terms by their names.
func (c *yearChecks) terms(n node) map[string]Period {
	terms := make(map[string]Period, len(n.members))
	fields := make([]field, 0, len(TermNames()))
	for _, name := range TermNames() {
		fields = append(fields, field{name, func(n node) {
			if p, ok := c.period(n, fieldTerms, "term "+name, false); ok {
				terms[name] = p
			}
		}})
	}
	c.object(n, fieldTerms, fields...)
	return terms
}

// list reads a list of periods, of which each may be a single day.
func (c *yearChecks) list(name string, into *[]Period) func(node) {
	return func(n node) {
		if n.value != json.Delim('[') {
			c.problem(n.line, "%s must be a list in square brackets; leave it out where it is not known", name)
			return
		}
		if len(n.items) > maxYearItems {
			c.problem(n.line, "%s has more than %d items", name, maxYearItems)
			return
		}
		list := make([]Period, 0, len(n.items))
		for _, item := range n.items {
			if p, ok := c.period(item, name, name, true); ok {
				list = append(list, p)
			}
		}
		slices.SortStableFunc(list, func(a, b Period) int { return b.Start.DaysUntil(a.Start) })
		*into = list
	}
}

// period reads "2026-02-09..2026-05-22", a date where one day is enough, or an object.
func (c *yearChecks) period(n node, list, what string, oneDay bool) (Period, bool) {
	if text, ok := n.value.(string); ok {
		r, ok := c.rangeText(n.line, text, what, oneDay)
		if ok {
			c.placed = append(c.placed, itemRange{n.line, list, what, r})
		}
		return Period{Start: r.Start, End: r.End, Origin: c.inherited}, ok
	}
	if n.value != json.Delim('{') {
		c.problem(n.line, `%s must be days as in "2026-02-09..2026-05-22", or an object with start and end`, what)
		return Period{}, false
	}
	own := originFields{line: n.line}
	var p Period
	valid := true
	day := func(name string, into *Date) field {
		return field{name, func(n node) {
			var ok bool
			*into, ok = c.date(n, what+": "+name)
			valid = valid && ok
		}}
	}
	fields := append([]field{day("start", &p.Start), day("end", &p.End), {"name", c.text("name", &p.Name)}}, own.fields(c.yearsReader)...)
	c.object(n, what, fields...)
	if !valid {
		return p, false
	}
	if p.End.IsZero() && oneDay {
		p.End = p.Start
	}
	p.Origin = own.origin(c.yearsReader, c.inherited)
	if !c.inYear(n.line, what, p.Range()) {
		return p, false
	}
	c.placed = append(c.placed, itemRange{n.line, list, what, p.Range()})
	return p, true
}

// rangeText reads two dates with two dots between them, or one date.
func (c *yearChecks) rangeText(line int, text, what string, oneDay bool) (Range, bool) {
	from, to, two := strings.Cut(text, "..")
	if !two && !oneDay {
		c.problem(line, `%s needs a first and a last day, as in "2026-02-09..2026-05-22"`, what)
		return Range{}, false
	}
	start, ok := c.dateText(line, strings.TrimSpace(from), what)
	end := start
	if two && ok {
		end, ok = c.dateText(line, strings.TrimSpace(to), what)
	}
	r := Range{Start: start, End: end}
	return r, ok && c.inYear(line, what, r)
}

// inYear reports whether the range is one, and lies in the file's year.
func (c *yearChecks) inYear(line int, what string, r Range) bool {
	switch {
	case r.Start.IsZero() || r.End.IsZero():
		c.problem(line, "%s needs a start and an end", what)
	case r.End.Before(r.Start):
		c.problem(line, "%s ends on %s, before it starts on %s; correct one of the dates", what, r.End, r.Start)
	case r.Start.Year != c.number || r.End.Year != c.number:
		c.problem(line, "%s (%s) is not in the year %d; correct the date, or move it to its year", what, r, c.number)
	default:
		return true
	}
	return false
}

// follows reads the days that follow another weekday, by date.
func (c *yearChecks) follows(n node) []Swap {
	if n.value != json.Delim('{') {
		c.problem(n.line, `follows must be an object of dates, as in {"%d-03-19": "Wednesday"}`, c.number)
		return nil
	}
	if len(n.members) > maxYearItems {
		c.problem(n.line, "follows has more than %d days", maxYearItems)
		return nil
	}
	swaps := make([]Swap, 0, len(n.members))
	seen := make(map[Date]int, len(n.members))
	for _, m := range n.members {
		date, ok := c.dateText(m.line, m.name, fieldFollows)
		if !ok || !c.inYear(m.line, fieldFollows, Range{Start: date, End: date}) {
			continue
		}
		if first, twice := seen[date]; twice {
			c.problem(m.line, "follows: %s is given twice, first on line %d; keep one", date, first)
			continue
		}
		seen[date] = m.line
		if swap, ok := c.swap(date, m); ok {
			swaps = append(swaps, swap)
			c.placed = append(c.placed, itemRange{m.line, fieldFollows, fieldFollows, Range{Start: date, End: date}})
		}
	}
	slices.SortFunc(swaps, func(a, b Swap) int { return b.Date.DaysUntil(a.Date) })
	return swaps
}

// swap reads "Wednesday", or an object with that as its weekday.
func (c *yearChecks) swap(date Date, m member) (Swap, bool) {
	s := Swap{Date: date, Origin: c.inherited}
	valid := false
	read := func(n node) {
		text, _ := n.value.(string)
		if s.Weekday, valid = weekday(text); !valid {
			c.problem(n.line, `follows: %s must name a day of the week, as in "Wednesday"`, date)
		}
	}
	if m.value != json.Delim('{') {
		read(m.node)
	} else {
		own := originFields{line: m.line}
		fields := append([]field{{"weekday", read}, {"name", c.text("name", &s.Name)}}, own.fields(c.yearsReader)...)
		c.object(m.node, "follows: "+date.String(), fields...)
		s.Origin = own.origin(c.yearsReader, c.inherited)
		if s.Weekday == time.Sunday && !valid && !slices.ContainsFunc(m.members, func(f member) bool { return f.name == "weekday" }) {
			c.problem(m.line, `follows: %s has no "weekday"; add the one whose lectures are held`, date)
		}
	}
	if valid && s.Weekday == date.Weekday() {
		c.problem(m.line, "follows: %s is a %s itself; correct the date or the weekday", date, s.Weekday)
		return s, false
	}
	return s, valid
}
