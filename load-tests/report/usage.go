package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Usage is what was held at one moment of a run, such as "pdf-parse: memory, MiB". Several processes of a function are one.
type Usage map[string]float64

// grown is by how much of its second quarter a use must grow for it to be said to grow, and atLeast by how many of its
// unit: caches and pools fill in the first quarter, and a collector lets memory swing.
const grown = 0.25

var atLeast = map[string]float64{"memory, MiB": 16, "goroutines": 8, "open files": 8, "connections": 4}

// Growth names what was still growing in the last quarter of a run.
func Growth(samples []Usage) []string {
	var growing []string
	for _, name := range names(samples) {
		second, last := quarters(series(samples, name))
		_, unit, _ := strings.Cut(name, ": ")
		if last > (1+grown)*second && last > second+atLeast[unit] && !accumulates(name) {
			growing = append(growing, fmt.Sprintf("%s: %.0f, then %.0f", name, second, last))
		}
	}
	return growing
}

// accumulates reports whether a use grows by nature: time that was spent, and what is kept of each upload for its time.
func accumulates(name string) bool {
	return strings.HasSuffix(name, Seconds) || strings.HasSuffix(name, Kept)
}

// Ends of names of what accumulates.
const (
	Seconds = "processor, s"
	Kept    = "kept, MiB"
)

func names(samples []Usage) []string {
	all := map[string]bool{}
	for _, s := range samples {
		for name := range s {
			all[name] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

func series(samples []Usage, name string) []float64 {
	var out []float64
	for _, s := range samples {
		if value, ok := s[name]; ok { // what was away has none
			out = append(out, value)
		}
	}
	return out
}

// quarters are the medians of the second and of the last quarter of a series.
func quarters(values []float64) (second, last float64) {
	n := len(values)
	return median(values[n/4 : cmp.Or(n/2, n)]), median(values[n*3/4:])
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(values))[len(values)/2]
}

// usage shows what was held: at the begin, in the second and the last quarter, and at the most.
func (r Run) usage() string {
	var rows strings.Builder
	for _, name := range names(r.Usage) {
		values := series(r.Usage, name)
		if strings.HasSuffix(name, Seconds) { // of this run
			for i := len(values) - 1; i >= 0; i-- {
				values[i] -= values[0]
			}
		}
		second, last := quarters(values)
		fmt.Fprintf(&rows, "| %s | %.0f | %.0f | %.0f | %.0f |\n", name, values[0], second, last, slices.Max(values))
	}
	if rows.Len() == 0 {
		return ""
	}
	return "\n| held by | at the start | second quarter | last quarter | most |\n|---|---:|---:|---:|---:|\n" + rows.String()
}
