package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// How many PDFs of students all instances of pdf-parse begin in a second (PARSE_RATE without PARSE_RATE_RESERVE), and at
// once after a quiet time (PARSE_BURST without it).
const parseRate, parseBurst = 8.0, 98.0

// erlangC is the chance that a request waits where so many servers have so much work, in servers (A. K. Erlang, 1917; by
// the recurrence of the blocking formula, which stays in range for any number of servers).
func erlangC(servers int, work float64) float64 {
	if work >= float64(servers) {
		return 1
	}
	blocking := 1.0
	for n := 1; n <= servers; n++ {
		blocking = work * blocking / (float64(n) + work*blocking)
	}
	busy := work / float64(servers)
	return blocking / (1 - busy + busy*blocking)
}

// response is how long a request takes that needs so much time alone, where processors have so much work, in cores: the
// mean of M/M/c, which sharing the processors does not change. It is +Inf beyond what they can do.
func response(alone, cores, work float64) float64 {
	if work >= cores {
		return math.Inf(1)
	}
	return alone * (1 + erlangC(int(cores), work)/(cores-work))
}

// capacity is how many visits a second a machine bears.
func (c costs) capacity() float64 { return c.cores / c.machine }

func costTable(c costs) string {
	var out strings.Builder
	fmt.Fprintf(&out, "## What a visit costs\n\n| | processor time |\n|---|---:|\n")
	for _, name := range functions {
		fmt.Fprintf(&out, "| %s | %.0f ms |\n", name, 1000*c.function[name])
	}
	fmt.Fprintf(&out, "| all programs of the machine, the users' among them | %.0f ms |\n\n", 1000*c.machine)
	fmt.Fprintf(&out, "%.0f cores do %.1f visits a second, %.0f students an hour.\n", c.cores, c.capacity(), 3600*c.capacity())
	return out.String()
}

// heldAgainst sets the time of an upload that is predicted beside the one that was measured.
func heldAgainst(c costs, runs []measured) string {
	var out strings.Builder
	out.WriteString("## Predicted and measured\n\n| scenario | visits a second | busy | upload, predicted (mean) | measured (median) |\n|---|---:|---:|---:|---:|\n")
	for _, m := range runs {
		if m.scenario == idle {
			continue // the prediction starts from it
		}
		rate, err := m.rate()
		took, missing := m.number(uploads, 1)
		if err != nil || missing != nil {
			continue // its users do something else
		}
		work := rate * c.machine
		fmt.Fprintf(&out, "| %s | %.1f | %.0f %% | %s | %.0f ms |\n", m.scenario, rate, 100*min(work/c.cores, 1), milliseconds(response(c.upload, c.cores, work)), took)
	}
	return out.String()
}

func milliseconds(seconds float64) string {
	if math.IsInf(seconds, 1) {
		return "more than it bears"
	}
	return fmt.Sprintf("%.0f ms", 1000*seconds)
}

// instanceTable shows what each function bears with one, two, three and all instances, the one that gives way first on top.
func instanceTable(c costs, services map[string]service) string {
	var out strings.Builder
	out.WriteString("## Visits a second by instances, in the order in which parts become the limit\n\n| part | 1 | 2 | 3 | most |\n|---|---:|---:|---:|---:|\n")
	fmt.Fprintf(&out, "| the rate of pdf-parse (`PARSE_RATE`), however many | %.0f | %.0f | %.0f | %.0f |\n", parseRate, parseRate, parseRate, parseRate)
	each := func(name string) float64 { return float64(services[name].Limits.CPU) / c.function[name] }
	all := func(name string) float64 { return each(name) * float64(services[name].MaxScale) }
	for _, name := range slices.SortedFunc(slices.Values(functions), func(a, b string) int { return cmp.Compare(all(a), all(b)) }) {
		fmt.Fprintf(&out, "| %s | %.0f | %.0f | %.0f | %.0f (%d) |\n", name, each(name), 2*each(name), 3*each(name), all(name), services[name].MaxScale)
	}
	return out.String()
}

// crowdTable says what it takes to serve so many students at once, each with a visit in ten minutes, as the sizing in
// docs/deployment.md assumes.
func crowdTable(c costs, services map[string]service) string {
	const between = 600.0 // seconds from one visit of a student to the next
	var out strings.Builder
	out.WriteString("## Students at once, each with a visit in ten minutes\n\n| students | visits a second | cores |")
	for _, name := range functions {
		fmt.Fprintf(&out, " %s |", name)
	}
	out.WriteString(" what must change |\n|---:|---:|---:|" + strings.Repeat("---:|", len(functions)) + "---|\n")
	for _, students := range []float64{100, 1000, 3000, 10000} {
		rate := students / between
		fmt.Fprintf(&out, "| %.0f | %.1f | %.1f |", students, rate, math.Ceil(10*rate*c.machine/0.7)/10)
		var change []string
		if rate > parseRate {
			change = append(change, fmt.Sprintf("PARSE_RATE=%.0f", math.Ceil(rate*1.2)))
		}
		for _, name := range functions {
			needed := int(math.Ceil(rate * c.function[name] / 0.7 / float64(services[name].Limits.CPU)))
			fmt.Fprintf(&out, " %d |", needed)
			if needed > services[name].MaxScale {
				change = append(change, fmt.Sprintf("maxScale of %s %d", name, needed))
			}
		}
		fmt.Fprintf(&out, " %s |\n", cmp.Or(strings.Join(change, ", "), "nothing"))
	}
	return out.String()
}
