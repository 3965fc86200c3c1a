package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/schedgen/schedgen/deploy/schedgen/internal/week"
	"github.com/schedgen/schedgen/functions/calendar-generate/ics"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/years"
)

func convertCommand() command {
	return command{
		name:    "convert",
		args:    "FILE.pdf -o out.ics [FLAGS]",
		summary: "turn a timetable PDF into a calendar file",
		help: `Reads a timetable PDF and writes an iCalendar file that Google, Apple and Microsoft calendars import.
Lectures recur weekly inside their own term, without South African public holidays and by what is known of the
academic year (schedgen years show). What overlaps
and what looks doubtful is told on standard error. No services are needed.

Of groups such as P01 and P02 a student takes one; without --group all of them are in the calendar.

Your own changes go before the university's days: another recess, no class on a day, a class in another room, at
another time or on another day, and classes that no timetable lists. A class is named as in "COS 212" (all that the
module has on that day), "COS 212 L1" or "COS 212 P1 P02".

Examples:
  schedgen convert lectures.pdf -o lectures.ics
  schedgen convert lectures.pdf -o mine.ics --group "COS 212=P02" --group "COS 214=P01,T02"
  schedgen convert lectures.pdf -o s1.ics --term S1=2026-02-09..2026-05-22 --exclude 2026-03-21..2026-03-29
  schedgen convert lectures.pdf -o old.ics --term S2=2018-07-16..2018-10-26 --year 2018
  schedgen convert lectures.pdf -o own.ics --recess 2026-03-28..2026-04-06 --extra "COS 212=2026-05-25 08:30-10:20 Aula"
  schedgen convert exams.pdf -o exams.ics --reminder 60 --reminder 1440`,
		flags: func(flags *flag.FlagSet) func(context.Context, streams, []string) error {
			c := convertFlags(flags)
			return c.run
		},
	}
}

// conversion is convert's command line.
type conversion struct {
	out, picture, name, semester                      string
	terms, groups, modules, excludes, reminders, tint repeated
	own                                               ownFlags
	year                                              int
	years                                             string
}

func convertFlags(flags *flag.FlagSet) *conversion {
	c := new(conversion)
	flags.StringVar(&c.out, "o", "", "the `FILE` to write; - is standard output")
	flags.Var(&c.terms, "term", "a term's first and last day, `S1=2026-02-09..2026-05-22`; S1, S2, Q1 to Q4 or Y; may be repeated")
	flags.StringVar(&c.semester, "semester", "", "the first and last day of lectures, `2026-02-09..2026-05-22`, where the timetable names no term")
	flags.Var(&c.groups, "group", "the groups taken of a module, `\"COS 212=P02\"`; may be repeated")
	flags.Var(&c.modules, "module", "only this `MODULE`; may be repeated")
	flags.Var(&c.excludes, "exclude", "days without lectures beside those of the university, `2026-03-21..2026-03-29` or one day; may be repeated")
	c.own.add(flags)
	flags.Var(&c.reminders, "reminder", "a reminder this many `MINUTES` before each start; may be repeated")
	flags.Var(&c.tint, "color", "a module's colour by its CSS name, `\"COS 212=steelblue\"`; may be repeated")
	flags.StringVar(&c.picture, "picture", "", "also draw the fullest week, as an SVG `FILE`")
	flags.StringVar(&c.name, "name", "", "the calendar's `NAME`")
	flags.IntVar(&c.year, "year", 0, "the academic `YEAR` of the term dates (default: this year)")
	flags.StringVar(&c.years, "years", "", "a `FILE` of academic years, used before those that the program knows")
	return c
}

func (c *conversion) run(ctx context.Context, std streams, args []string) error {
	file, err := onlyFile(args)
	if err != nil {
		return err
	}
	if c.out == "" {
		return usagef("it needs -o and the file to write")
	}
	opts, err := c.options()
	if err != nil {
		return err
	}
	known, err := years.Local(c.years)
	if err != nil {
		return err
	}
	opts.Years = known.Years
	opts.UseYear(time.Now().In(calendar.Zone).Year())
	doc, err := readTimetable(ctx, file, std)
	if err != nil {
		return err
	}
	events := calendar.Events(doc)
	opts.Changes, err = named(events, opts)
	if err != nil {
		return forFlags(err)
	}
	cal, err := calendar.Build(events, opts)
	if err != nil {
		return forFlags(err)
	}
	if len(cal.Items) == 0 {
		return empty(file, cal.Warnings)
	}
	err = writeFile(c.out, std, func(w io.Writer) error { return ics.Write(w, cal, stampOf(file)) })
	if err != nil {
		return err
	}
	if c.picture != "" {
		if err := writeFile(c.picture, std, func(w io.Writer) error { return week.SVG(w, cal) }); err != nil {
			return err
		}
	}
	printNotes(std.err, cal)
	return nil
}

// empty says why nothing of a file is in its calendar: no file is better than one that looks as if
// the student had no lectures.
func empty(file string, warnings []calendar.Warning) error {
	other := slices.IndexFunc(warnings, func(w calendar.Warning) bool { return w.Code != calendar.AllExcluded })
	if other < 0 {
		return fmt.Errorf("%s: no event is left for the calendar: public holidays and --exclude leave no date", file)
	}
	if more := len(warnings) - 1; more > 0 {
		return fmt.Errorf("%s: no event is left for the calendar: %s (and %d more reasons)", file, warnings[other].Message, more)
	}
	return fmt.Errorf("%s: no event is left for the calendar: %s", file, warnings[other].Message)
}

// stampOf is the PDF's own time, so that converting a file again gives the same bytes; a PDF from
// standard input has none but now.
func stampOf(file string) time.Time {
	if info, err := os.Stat(file); err == nil && file != "-" {
		return info.ModTime()
	}
	return time.Now()
}

// forFlags adds the flag that puts an error right.
func forFlags(err error) error {
	var e *calendar.Error
	if !errors.As(err, &e) || e.Code != calendar.MissingSemesterDates {
		return err
	}
	missing, _ := e.Details.(calendar.MissingDates)
	hint := ""
	for _, s := range missing.Suggestions {
		hint += fmt.Sprintf(" --term %s=%s", s.Term, calendar.Range{Start: s.Start, End: s.End})
	}
	if hint != "" {
		hint = fmt.Sprintf(" By the pattern of %d they would be%s: this is a guess, so check it.", missing.Suggestions[0].From, hint)
	}
	return fmt.Errorf("%w Use --term S1=2026-02-09..2026-05-22 or, where no term is printed, --semester 2026-02-09..2026-05-22.%s", err, hint)
}

// options reads the flags.
func (c *conversion) options() (calendar.Options, error) {
	opts := calendar.Options{Name: c.name, Year: c.year, Modules: c.modules}
	if err := c.semesters(&opts); err != nil {
		return opts, err
	}
	for _, s := range c.groups {
		module, groups, err := pair("--group", s, "COS 212=P02")
		if err != nil {
			return opts, err
		}
		put(&opts.Groups, module, append(opts.Groups[module], strings.Split(groups, ",")...))
	}
	for _, s := range c.tint {
		module, color, err := pair("--color", s, "COS 212=steelblue")
		if err != nil {
			return opts, err
		}
		put(&opts.Colors, module, color)
	}
	for _, s := range c.excludes {
		r, err := calendar.ParseDays(s)
		if err != nil {
			return opts, usagef("--exclude: %v", err)
		}
		opts.Exclude = append(opts.Exclude, r)
	}
	for _, s := range c.reminders {
		minutes, err := strconv.Atoi(s)
		if err != nil {
			return opts, usagef("--reminder: %q is not a number of minutes", s)
		}
		opts.Reminders = append(opts.Reminders, minutes)
	}
	if err := checkValues(opts); err != nil {
		return opts, err
	}
	return opts, c.own.put(&opts)
}

// semesters reads when lectures begin and end.
func (c *conversion) semesters(opts *calendar.Options) error {
	for _, s := range c.terms {
		name, dates, err := pair("--term", s, "S1=2026-02-09..2026-05-22")
		if err != nil {
			return err
		}
		r, err := calendar.ParseTerm(name, dates)
		if err != nil {
			return usagef("--term: %v", err)
		}
		name = strings.ToUpper(name)
		if !slices.Contains(calendar.TermNames(), name) {
			return usagef("--term: %q is none of %s", name, strings.Join(calendar.TermNames(), ", "))
		}
		put(&opts.Terms, name, r)
	}
	if c.semester == "" {
		return nil
	}
	r, err := calendar.ParseRange(c.semester)
	if err != nil {
		return usagef("--semester: %v", err)
	}
	opts.UseSemester(r)
	return nil
}

// checkValues refuses what makes no sense in whatever timetable, and names the flag.
func checkValues(opts calendar.Options) error {
	var semester calendar.Options
	if r, given := opts.Terms[""]; given {
		semester.Terms = map[string]calendar.Range{"": r}
	}
	for _, given := range []struct {
		flag string
		opts calendar.Options
	}{
		{"--year", calendar.Options{Year: opts.Year}},
		{"--semester", semester},
		{"--term", calendar.Options{Terms: opts.Terms}},
		{"--reminder", calendar.Options{Reminders: opts.Reminders}},
		{"--color", calendar.Options{Colors: opts.Colors}},
		{"--module", calendar.Options{Modules: opts.Modules}},
		{"--group", calendar.Options{Groups: opts.Groups}},
		{"--exclude", calendar.Options{Exclude: opts.Exclude}},
		{"--name", calendar.Options{Name: opts.Name}},
	} {
		given.opts.Lenient = true // which modules there are is not known yet
		if _, err := calendar.Build(nil, given.opts); err != nil {
			return usagef("%s: %v", given.flag, err)
		}
	}
	return nil
}

func put[M ~map[string]V, V any](m *M, key string, value V) {
	if *m == nil {
		*m = make(M)
	}
	(*m)[key] = value
}

// pair splits NAME=VALUE.
func pair(flag, s, example string) (name, value string, err error) {
	name, value, ok := strings.Cut(s, "=")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	if !ok || name == "" || value == "" {
		return "", "", usagef("%s: %q is not like %q", flag, s, example)
	}
	return name, value, nil
}

// printNotes writes what a person should look at.
func printNotes(w io.Writer, cal calendar.Calendar) {
	for _, note := range cal.Notes {
		fmt.Fprintf(w, "note: %s\n", note)
	}
	for _, warning := range cal.Warnings {
		fmt.Fprintf(w, "warning: %s\n", warning.Message)
	}
	alternatives := 0
	for _, item := range cal.Items {
		for _, warning := range item.Event.Warnings {
			fmt.Fprintf(w, "warning: %s: %s (page %d, row %d)\n", item.Summary, warning.Message, warning.Page, warning.Row)
		}
		for _, warning := range item.Warnings {
			fmt.Fprintf(w, "warning: %s: %s\n", item.Summary, warning.Message)
		}
	}
	for _, clash := range cal.Clashes {
		if clash.Alternatives {
			alternatives++
		}
		fmt.Fprintf(w, "clash: %s and %s, %s %s-%s, %s from %s\n",
			clash.Titles[0], clash.Titles[1], clash.Day, clash.Start, clash.End, times(clash.Count), clash.Date)
	}
	switch {
	case alternatives == 1:
		fmt.Fprintln(w, "hint: one clash is between groups of which a student takes one; choose with --group")
	case alternatives > 1:
		fmt.Fprintf(w, "hint: %d clashes are between groups of which a student takes one; choose with --group\n", alternatives)
	}
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return strconv.Itoa(n) + " times"
}
