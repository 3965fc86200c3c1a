package cli

import (
	"flag"
	"fmt"
	"io"
	"strings"
)

const about = `schedgen turns the timetable PDFs that the University of Pretoria gives its students
(weekly lectures, semester tests, exams) into calendars.

Usage: schedgen COMMAND [ARGUMENTS]

`

const examples = `
Examples:
  schedgen up                                   the whole system on http://localhost:8080
  schedgen convert timetable.pdf -o lectures.ics
                                                a PDF's calendar, no services needed
  schedgen parse timetable.pdf                  a PDF's entries as JSON

schedgen COMMAND --help describes a command.
`

// overview writes the help of the whole.
func overview(w io.Writer, all []command) {
	var b strings.Builder
	b.WriteString(about)
	b.WriteString("Commands:\n")
	for _, c := range all {
		fmt.Fprintf(&b, "  %-14s %s\n", c.name, c.summary)
	}
	b.WriteString(examples)
	io.WriteString(w, b.String())
}

// usage writes the help of one command.
func (c command) usage(w io.Writer, flags *flag.FlagSet) {
	var b strings.Builder
	fmt.Fprintf(&b, "Usage: %s\n\n%s\n", strings.TrimSpace("schedgen "+c.name+" "+c.args), strings.TrimSpace(c.help))
	first := true
	flags.VisitAll(func(f *flag.Flag) {
		if first {
			b.WriteString("\nFlags:\n")
			first = false
		}
		dashes := "--"
		if len(f.Name) == 1 {
			dashes = "-"
		}
		value, text := flag.UnquoteUsage(f)
		fmt.Fprintf(&b, "  %s\n", strings.TrimSpace(dashes+f.Name+" "+value))
		if f.DefValue != "" && f.DefValue != "0" && f.DefValue != "false" {
			text += " (default " + f.DefValue + ")"
		}
		fmt.Fprintf(&b, "        %s\n", text)
	})
	io.WriteString(w, b.String())
}

// suggestion is ", did you mean ...?" for a name that one slip of the fingers makes of a command.
func suggestion(name string, all []command) string {
	best, least := "", 3
	for _, c := range all {
		distance := editDistance(name, c.name)
		if strings.HasPrefix(c.name, name) && len(name) > 1 {
			distance = min(distance, 1)
		}
		if distance < least && distance < len(c.name) {
			best, least = c.name, distance
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(", did you mean %q?", best)
}

// editDistance counts the letters to add, remove or change between a and b (Levenshtein).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
