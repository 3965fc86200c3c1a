package readiness

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// counts are how many items stand how.
type counts map[State]int

func (c counts) total() (n int) {
	for _, one := range c {
		n += one
	}
	return n
}

// sections are the results by their sections, in their order.
func sections(all []Result) (names []string, by map[string][]Result) {
	by = map[string][]Result{}
	for _, r := range all {
		if by[r.Section] == nil {
			names = append(names, r.Section)
		}
		by[r.Section] = append(by[r.Section], r)
	}
	return names, by
}

func countsOf(all []Result) counts {
	c := counts{OK: 0, Failed: 0, NotLooked: 0, ToDecide: 0, Signed: 0} // a report has each, also of none
	for _, r := range all {
		c[r.State]++
	}
	return c
}

// Render writes the report for people: a table of sections, then what is red with what to do, then what was not looked at
// by what would show it, then what people have to decide. With everything, it also lists what was found of each item.
func Render(out io.Writer, all []Result, everything bool) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PHASE\tSECTION\tOK\tRED\tNOT LOOKED AT\tTO DECIDE\tSIGNED\tOF")
	row := func(phase, section string, c counts) {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\n", phase, section, c[OK], c[Failed], c[NotLooked], c[ToDecide], c[Signed], c.total())
	}
	names, by := sections(all)
	for _, name := range names {
		row(by[name][0].Phase, name, countsOf(by[name]))
	}
	row("all", "", countsOf(all))
	if err := w.Flush(); err != nil {
		return err
	}
	var b strings.Builder
	red(&b, all)
	unseen(&b, all)
	undecided(&b, all)
	if everything {
		each(&b, all)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func red(b *strings.Builder, all []Result) {
	if Red(all) == 0 {
		b.WriteString("\nNothing that was looked at is red.\n")
		return
	}
	fmt.Fprintf(b, "\nRed: %d. How to make each green:\n", Red(all))
	for _, r := range all {
		if r.State == Failed {
			fmt.Fprintf(b, "\n  %s: %s\n    seen: %s\n    do:   %s\n          %s\n", r.ID, r.Text, r.Evidence, r.Fix, r.Command)
		}
	}
}

// unseen lists what was not looked at, together where the same is known of it and would show it.
func unseen(b *strings.Builder, all []Result) {
	type reason struct{ why, how string }
	var order []reason
	items := map[reason][]string{}
	for _, r := range all {
		if r.State != NotLooked {
			continue
		}
		same := reason{r.Evidence, r.How}
		if items[same] == nil {
			order = append(order, same)
		}
		items[same] = append(items[same], r.ID)
	}
	if len(order) == 0 {
		return
	}
	fmt.Fprintf(b, "\nNot looked at: %d.\n", countsOf(all)[NotLooked])
	for _, same := range order {
		fmt.Fprintf(b, "\n  %s\n    to look: %s\n    items:   %s\n", same.why, same.how, strings.Join(items[same], ", "))
	}
}

func undecided(b *strings.Builder, all []Result) {
	if n := countsOf(all)[ToDecide]; n > 0 {
		fmt.Fprintf(b, "\nPeople have %d items to decide. Each is decided with\n  schedgen readiness sign ID --who NAME --seen 'WHAT YOU SAW'\n", n)
		for _, r := range all {
			if r.State == ToDecide {
				fmt.Fprintf(b, "  %s: %s\n", r.ID, r.Text)
			}
		}
	}
}

func each(b *strings.Builder, all []Result) {
	section := ""
	for _, r := range all {
		if r.Section != section {
			section = r.Section
			fmt.Fprintf(b, "\n%s\n", section)
		}
		fmt.Fprintf(b, "  %-10s  %s: %s\n              %s\n", r.State, r.ID, r.Text, r.Evidence)
	}
}

// RenderJSON writes the report for machines.
func RenderJSON(out io.Writer, all []Result) error {
	report := struct {
		Red    int      `json:"red"`
		Counts counts   `json:"counts"`
		Items  []Result `json:"items"`
	}{Red(all), countsOf(all), append([]Result{}, all...)}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(report)
}
