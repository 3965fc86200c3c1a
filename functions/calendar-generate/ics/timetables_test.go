package ics_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/dev/testkit/tabletest"
	"github.com/schedgen/schedgen/shared/timetable"
)

// randomPlan is a year with or without quarters of its own, and some recess.
func randomPlan(r *rand.Rand) plan {
	p := plan{year: 2026, terms: map[string]span{"S1": known["S1"], "S2": known["S2"]}}
	if r.IntN(2) == 0 {
		p.year = 2027
		p.terms = map[string]span{"S1": {"2027-02-08", "2027-05-21"}, "S2": {"2027-07-12", "2027-10-15"}}
	}
	day := func(month, day int) string { return fmt.Sprintf("%d-%02d-%02d", p.year, month, day) }
	if r.IntN(2) == 0 {
		p.terms["Q1"], p.terms["Q2"] = span{day(2, 8+r.IntN(8)), day(3, 20+r.IntN(8))}, span{day(4, 1+r.IntN(20)), day(5, 22)}
		p.terms["Q4"] = span{day(9, 1+r.IntN(20)), day(10, 16)}
	}
	if r.IntN(4) == 0 {
		p.terms["Y"] = span{day(1, 1+r.IntN(30)), day(12, 1+r.IntN(30))}
	}
	for range r.IntN(3) {
		start := time.Date(p.year, time.Month(2+r.IntN(9)), 1+r.IntN(28), 0, 0, 0, 0, time.UTC)
		p.recess = append(p.recess, span{start.Format(time.DateOnly), start.AddDate(0, 0, r.IntN(15)).Format(time.DateOnly)})
	}
	return p
}

// TestEveryOccurrenceIsTheTruth expands generated timetables of all kinds with two programs that
// did not write them, and holds each date, time and room against what the rows ask for.
func TestEveryOccurrenceIsTheTruth(t *testing.T) {
	t.Parallel()
	seed := tabletest.Seed(t)
	kinds := []timetable.Kind{timetable.Lecture, timetable.Lecture, timetable.Lecture, timetable.Test, timetable.Lecture, timetable.Exam}
	var all []trial
	for n := range uint64(24) {
		made := fixture.Options{Kind: kinds[n%6], Seed: seed + n, Modules: 1 + int(n%8), Nonsense: n%2 == 0}
		p := randomPlan(rand.New(rand.NewPCG(seed+n, 1)))
		all = append(all, newTrial(t, fmt.Sprintf("seed %d: %s in %v", seed+n, made.Kind, p), p, tabletest.Generated(t, made)))
	}
	hold(t, all...)
}

// TestPublishedYearsAreTheTruth does the same in years that the university published, with their recess, their days
// without lectures, and the days that follow another weekday's timetable.
func TestPublishedYearsAreTheTruth(t *testing.T) {
	t.Parallel()
	seed := tabletest.Seed(t)
	var all []trial
	swapped := 0
	for n := range uint64(24) {
		p := published[2017+int(n%2)]
		made := fixture.Options{Kind: timetable.Lecture, Seed: seed + n, Modules: 1 + int(n%8), Nonsense: n%4 == 0}
		all = append(all, newTrial(t, fmt.Sprintf("seed %d in %v", seed+n, p), p, tabletest.Generated(t, made)))
		for _, occurrence := range all[n].want {
			for day := range p.swaps {
				swapped += strings.Count(occurrence, day)
			}
		}
	}
	if swapped < 10 {
		t.Fatalf("%d occurrences on days that follow another weekday: too few to prove anything", swapped)
	}
	hold(t, all...)
}

// TestRealTimetablesAreTheTruth does the same with what real PDFs hold.
func TestRealTimetablesAreTheTruth(t *testing.T) {
	t.Parallel()
	var all []trial
	for _, name := range []string{"UP_MOD_XLS", "UP_TST_PDF", "UP_EXAM_SS"} {
		p := plan{year: 2026, terms: known, recess: []span{{"2026-08-31", "2026-09-04"}}}
		all = append(all, newTrial(t, name, p, tabletest.Real(t, name)))
	}
	hold(t, all...)
}

// trial is a timetable, its calendar, and what that must show.
type trial struct {
	name string
	doc  timetable.Document
	file []byte
	want []string
}

func newTrial(t *testing.T, name string, p plan, doc timetable.Document) trial {
	t.Helper()
	opts := p.options(t)
	opts.Reminders = []int{10}
	made := trial{name, doc, write(t, opts, calendar.Events(doc)...), p.wanted(t, doc)}
	checkLines(t, made.file)
	return made
}

// hold reads the calendars back with every reader.
func hold(t *testing.T, all ...trial) {
	t.Helper()
	var files [][]byte
	occurrences := 0
	for _, one := range all {
		files = append(files, one.file)
		occurrences += len(one.want)
	}
	if occurrences < 40 {
		t.Fatalf("the timetables have %d occurrences: too few to prove anything", occurrences)
	}
	for _, r := range readers {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			for n, got := range r.taken(t, "", files...) {
				if t.Failed() {
					return // one timetable is enough to look at
				}
				all[n].check(t, got)
			}
		})
	}
}

func (one trial) check(t *testing.T, got reading) {
	t.Helper()
	compare(t, understood(got), one.want)
	seen := map[string]bool{}
	for _, e := range got.Events {
		kind := e.Categories[len(e.Categories)-1]
		if seen[e.UID] || e.Sequence != 0 || e.Color == "" || !slices.Equal(e.Alarms, []int{-10}) || !strings.EqualFold(kind, string(one.doc.Kind)) {
			t.Errorf("%s is read as %+v", e.Summary, e)
		}
		seen[e.UID] = true
	}
	if t.Failed() {
		t.Log(one.name)
	}
}

// TestAFaultInTheFileIsSeen spoils a file in the ways that other programs are known for, and expects
// each reader to refuse it or to read other occurrences than the timetable has: a comparison that could
// not fail would prove nothing.
func TestAFaultInTheFileIsSeen(t *testing.T) {
	t.Parallel()
	doc, file := sample(t)
	want := year2026.wanted(t, doc)
	names := slices.Sorted(maps.Keys(faults))
	var spoiled [][]byte
	for _, name := range names {
		spoiled = append(spoiled, []byte(faults[name](string(file))))
		if bytes.Equal(spoiled[len(spoiled)-1], file) {
			t.Fatalf("%s: the file is as it was", name)
		}
	}
	for _, r := range readers {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			for n, got := range r.read(t, "America/New_York", spoiled...) {
				if got.Refused == "" && len(difference(understood(got), want)) == 0 {
					t.Errorf("%s: the fault is not seen", names[n])
				}
			}
		})
	}
}
