package calendar

import "time"

// check holds what the year says against itself, once all of it is read, and settles what it covers.
func (c *yearChecks) check(y *AcademicYear) {
	y.Covers = c.covered
	if c.covered.Start.IsZero() {
		y.Covers = Range{Start: Date{y.Year, time.January, 1}, End: Date{y.Year, time.December, 31}}
	}
	for _, p := range c.placed {
		if !y.Covers.Contains(p.Start) || !y.Covers.Contains(p.End) {
			c.problem(p.line, "%s (%s) is outside of the days that the year covers (%s); correct one of them", p.name, p.Range, y.Covers)
		}
	}
	c.checkOverlaps()
	c.checkQuarters(y)
	c.checkSwaps(y)
}

// mayOverlap are terms that lie within each other.
func mayOverlap(a, b string) bool {
	return a == "term Y" || b == "term Y" || a[:len("term X")] != b[:len("term X")]
}

// checkOverlaps refuses two items of one list, or two terms of one kind, that share a day.
func (c *yearChecks) checkOverlaps() {
	for i, a := range c.placed {
		for _, b := range c.placed[:i] {
			if a.field != b.field || a.End.Before(b.Start) || b.End.Before(a.Start) {
				continue
			}
			if a.field == fieldTerms && mayOverlap(a.name, b.name) {
				continue
			}
			c.problem(a.line, "%s (%s) overlaps %s on line %d (%s); correct one of them", a.name, a.Range, b.name, b.line, b.Range)
		}
	}
}

// checkQuarters refuses a quarter that reaches beyond its semester, or that follows a later one.
func (c *yearChecks) checkQuarters(y *AcademicYear) {
	order := []string{"S1", "S2", "Q1", "Q2", "Q3", "Q4"}
	within := map[string]string{"Q1": "S1", "Q2": "S1", "Q3": "S2", "Q4": "S2", "S1": "Y", "S2": "Y"}
	for i, name := range order {
		term, ok := y.Terms[name]
		if !ok {
			continue
		}
		line := c.lineOf("term " + name)
		if outer, ok := y.Terms[within[name]]; ok && (term.Start.Before(outer.Start) || outer.End.Before(term.End)) {
			c.problem(line, "term %s (%s) is not within term %s (%s); correct one of them", name, term.Range(), within[name], outer.Range())
		}
		for _, earlier := range order[:i] {
			if before, ok := y.Terms[earlier]; ok && earlier[0] == name[0] && term.Start.Before(before.Start) {
				c.problem(line, "term %s starts before term %s; correct one of them", name, earlier)
			}
		}
	}
}

// checkSwaps refuses a day that follows another weekday where no lectures are held, or where it is
// not known whether there are any.
func (c *yearChecks) checkSwaps(y *AcademicYear) {
	holidays := PublicHolidays(y.Year)
	for _, swap := range c.placed {
		if swap.field != fieldFollows {
			continue
		}
		if name := holidays[swap.Start]; name != "" {
			c.problem(swap.line, "follows: %s is a public holiday (%s), so no lectures are held; correct the date", swap.Start, name)
		}
		inTerm := len(y.Terms) == 0
		for _, other := range c.placed {
			inTerm = inTerm || other.field == fieldTerms && other.Contains(swap.Start)
			if (other.field == fieldRecess || other.field == fieldNoLectures) && other.Contains(swap.Start) {
				c.problem(swap.line, "follows: %s has no lectures by line %d (%s); keep one of them", swap.Start, other.line, other.field)
			}
		}
		if !inTerm {
			c.problem(swap.line, "follows: %s is in none of the year's terms; correct the date, or add its term", swap.Start)
		}
	}
}

// lineOf gives the line of the item of that name.
func (c *yearChecks) lineOf(name string) int {
	for _, p := range c.placed {
		if p.name == name {
			return p.line
		}
	}
	return 0
}
