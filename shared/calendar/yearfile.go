package calendar

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// ParseYears reads a file of academic years. It reads all of it or nothing: its error is a
// [YearsError] with everything that is wrong, by line. See docs/academic-years.md for the form.
func ParseYears(data []byte) (Years, error) {
	tree, err := readTree(data)
	if err != nil {
		return nil, err
	}
	var r yearsReader
	years := r.years(tree)
	if len(r.problems) > 0 {
		slices.SortStableFunc(r.problems, func(a, b LineProblem) int { return a.Line - b.Line })
		return nil, &YearsError{Problems: r.problems}
	}
	return years, nil
}

// The bounds of one file's values.
const (
	maxYearProblems = 50
	maxYears        = 50
	maxYearItems    = 100 // of one list
	maxYearText     = 500 // bytes of a name, a source or a note
)

// yearsReader turns a tree into years and gathers what is wrong with it.
type yearsReader struct{ problems []LineProblem }

func (r *yearsReader) problem(line int, format string, args ...any) {
	if len(r.problems) < maxYearProblems {
		r.problems = append(r.problems, LineProblem{line, fmt.Sprintf(format, args...)})
	}
}

func (r *yearsReader) years(tree node) Years {
	if tree.value != json.Delim('{') {
		r.problem(tree.line, `the file must be an object of years, as in {"2026": {...}}`)
		return nil
	}
	if len(tree.members) == 0 || len(tree.members) > maxYears {
		r.problem(tree.line, "the file has %d years; give between 1 and %d", len(tree.members), maxYears)
	}
	years := make(Years, len(tree.members))
	for _, m := range tree.members {
		number, err := strconv.Atoi(m.name)
		if err != nil || len(m.name) != 4 || number < firstYear || number > lastYear {
			r.problem(m.line, "%q is not a year between %d and %d", shorten(m.name), firstYear, lastYear)
			continue
		}
		if _, twice := years[number]; twice {
			r.problem(m.line, "%d is in the file twice; keep one", number)
		}
		years[number] = r.year(number, m.node, m.line)
	}
	return years
}

// field is a member that an object may have, and what reads it.
type field struct {
	name string
	read func(node)
}

// object reads the members of n, each of them at most once.
func (r *yearsReader) object(n node, what string, fields ...field) bool {
	if n.value != json.Delim('{') {
		r.problem(n.line, "%s must be an object in braces", what)
		return false
	}
	seen := make(map[string]int, len(n.members))
	for _, m := range n.members {
		at := slices.IndexFunc(fields, func(f field) bool { return f.name == m.name })
		before, twice := seen[m.name]
		seen[m.name] = m.line
		switch {
		case at < 0:
			names := make([]string, len(fields))
			for i, f := range fields {
				names[i] = f.name
			}
			r.problem(m.line, "%s has no field %q; its fields are %s", what, shorten(m.name), strings.Join(names, ", "))
		case twice:
			r.problem(m.line, "%q is given twice, first on line %d; keep one", m.name, before)
		default:
			fields[at].read(m.node)
		}
	}
	return true
}

// year reads one year; line is that of its number.
func (r *yearsReader) year(number int, n node, line int) AcademicYear {
	y := AcademicYear{Year: number}
	what := "year " + strconv.Itoa(number)
	c := yearChecks{yearsReader: r, number: number}
	// What an item inherits must be known before the items are read, wherever in the file it stands.
	own := originFields{line: line}
	items := []field{
		{fieldTerms, func(n node) { y.Terms = c.terms(n) }},
		{fieldRecess, c.list(fieldRecess, &y.Recess)},
		{fieldNoLectures, c.list(fieldNoLectures, &y.NoLectures)},
		{fieldFollows, func(n node) { y.Follows = c.follows(n) }},
		{fieldTests, c.list(fieldTests, &y.Tests)},
		{fieldExaminations, c.list(fieldExaminations, &y.Examinations)},
		{fieldSupplementary, c.list(fieldSupplementary, &y.Supplementary)},
	}
	head := append(own.fields(r), field{"note", r.text("note", &y.Note)}, field{"covers", c.covers})
	var later []func()
	fields := slices.Clone(head)
	for _, f := range items {
		fields = append(fields, field{f.name, func(n node) { later = append(later, func() { f.read(n) }) }})
	}
	if !r.object(n, what, fields...) {
		return y
	}
	y.Origin = own.origin(r, Origin{})
	if own.source == "" {
		r.problem(line, `%s does not say where its dates come from; add a "source"`, what)
	}
	c.inherited = y.Origin
	for _, read := range later {
		read()
	}
	c.check(&y)
	return y
}

// originFields is what the file says of the origin of a year or of an item.
type originFields struct {
	line    int
	source  string
	checked *bool
	by      string
	on      Date
}

func (c *originFields) fields(r *yearsReader) []field {
	return []field{
		{"source", r.text("source", &c.source)},
		{"checked", func(n node) {
			checked, ok := n.value.(bool)
			if !ok {
				r.problem(n.line, "checked must be true or false")
			}
			c.checked = &checked
		}},
		{"checkedBy", r.text("checkedBy", &c.by)},
		{"checkedOn", func(n node) { c.on, _ = r.date(n, "checkedOn") }},
	}
}

// origin completes the claim: an item without a source of its own has that of its year, and is checked as
// that is unless it says otherwise.
func (c *originFields) origin(r *yearsReader, inherited Origin) Origin {
	named := c.by != "" || !c.on.IsZero()
	if c.checked != nil && !*c.checked && named {
		r.problem(c.line, "checked is false, but checkedBy or checkedOn shows that the dates were checked; remove one of them")
	}
	if c.source == "" && c.checked == nil && !named {
		return inherited
	}
	o := Origin{Source: c.source, Checked: named || c.checked != nil && *c.checked, CheckedBy: c.by, CheckedOn: c.on}
	if o.Source == "" {
		o.Source = inherited.Source
	}
	return o
}

// text reads a short text, the field of that name.
func (r *yearsReader) text(name string, into *string) func(node) {
	return func(n node) {
		s, ok := n.value.(string)
		switch {
		case !ok:
			r.problem(n.line, "%s must be text in double quotes", name)
		case strings.TrimSpace(s) == "":
			r.problem(n.line, "%s is empty; fill it in or remove it", name)
		case len(s) > maxYearText:
			r.problem(n.line, "%s is longer than %d bytes; shorten it", name, maxYearText)
		case strings.ContainsFunc(s, unicode.IsControl):
			r.problem(n.line, "%s holds a line break or another control character; remove it", name)
		default:
			*into = s
		}
	}
}

// date reads YYYY-MM-DD and nothing else: what a browser would send is no way to write a file.
func (r *yearsReader) date(n node, what string) (Date, bool) {
	s, ok := n.value.(string)
	if !ok {
		r.problem(n.line, `%s must be a date in double quotes, as in "2026-02-09"`, what)
		return Date{}, false
	}
	return r.dateText(n.line, s, what)
}

func (r *yearsReader) dateText(line int, s, what string) (Date, bool) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		r.problem(line, "%s: %q is not a date; write it as in 2026-02-09", what, shorten(s))
		return Date{}, false
	}
	return DateOf(t), true
}
