package calendargenerate

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/dev/testkit/tabletest"
	"github.com/schedgen/schedgen/shared/timetable"
)

// revisions reads "SEQUENCE LAST-MODIFIED" of each UID.
func revisions(file string) map[string]string {
	all := make(map[string]string)
	find := regexp.MustCompile(`UID:(\S+)\r\nDTSTAMP:\S+\r\nLAST-MODIFIED:(\S+)\r\nSEQUENCE:(\d+)\r\n`)
	for _, m := range find.FindAllStringSubmatch(file, -1) {
		all[m[1]] = m[3] + " " + m[2]
	}
	return all
}

// TestOnlyChangedEventsHaveANewRevision follows a feed through three uploads.
func TestOnlyChangedEventsHaveANewRevision(t *testing.T) {
	t.Parallel()
	s := newWorld(t).student()
	clock := time.Date(2026, 7, 1, 8, 0, 0, 0, time.UTC)
	s.f.now = func() time.Time { clock = clock.Add(time.Hour); return clock }
	doc := tabletest.Lectures()
	s.uploaded(doc)
	path := s.subscribed(feedOptions)
	_, file := s.fetch(path)
	before := revisions(file)
	if len(before) != tabletest.LectureEvents {
		t.Fatalf("%d revisions in:\n%s", len(before), file)
	}

	doc.Entries[0].Venues = []string{"Elsewhere"} // PHY 131 L1 moves, and its P01 ends
	moved, gone := doc.Entries[0], doc.Entries[3]
	doc.Entries = append(doc.Entries[:3:3], doc.Entries[4:]...)
	s.uploaded(doc)
	_, file = s.fetch(path)
	after := revisions(file)
	changed := 0
	for uid, revision := range before {
		switch {
		case after[uid] == "":
			changed++ // the one that is gone
		case after[uid] != revision:
			changed++
			if !strings.HasPrefix(after[uid], "1 ") {
				t.Errorf("%s went from %q to %q", uid, revision, after[uid])
			}
		}
	}
	if changed != 2 || len(after) != len(before)-1 {
		t.Errorf("%d events changed and %d are left, want 2 and %d: %s moved and %s ended", changed, len(after), len(before)-1, moved.Activity, gone.Activity)
	}

	s.uploaded(tabletest.Lectures()) // all as it was: what moved back has changed again
	_, file = s.fetch(path)
	twice := 0
	for _, revision := range revisions(file) {
		if strings.HasPrefix(revision, "2 ") {
			twice++
		}
	}
	if twice != 1 || len(revisions(file)) != len(before) {
		t.Errorf("%d of %d events changed twice, want 1 of %d", twice, len(revisions(file)), len(before))
	}
}

// TestAFeedOfAnyModulesIsRefreshed: however many modules a timetable has and however long their names are, a feed of
// all of them shows the next timetable, too.
func TestAFeedOfAnyModulesIsRefreshed(t *testing.T) {
	t.Parallel()
	for name, modules := range map[string]struct {
		count int
		name  func(n int) string
	}{
		"many":  {600, func(n int) string { return fmt.Sprintf("COS %03d", 100+n) }},
		"long":  {1, func(int) string { return strings.Repeat("é", 201) }},
		"large": {399, func(n int) string { return strconv.Itoa(n) + strings.Repeat("é", 190) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newWorld(t).student()
			doc := tabletest.Lectures()
			for n := range modules.count {
				entry := doc.Entries[0]
				entry.Module = modules.name(n)
				doc.Entries = append(doc.Entries, entry)
			}
			s.uploaded(doc)
			path := s.subscribed(feedOptions)
			_, before := s.fetch(path)
			doc.Entries[0].Venues = []string{"Elsewhere"}
			s.uploaded(doc)
			if status, after := s.fetch(path); status.StatusCode != 200 || !strings.Contains(after, "Elsewhere") {
				t.Errorf("got %d with %d events after the second upload, %d before it", status.StatusCode, len(revisions(after)), len(revisions(before)))
			}
		})
	}
}

// spoken reads what a file says of each UID, apart from its revision.
func spoken(file string) map[string]string {
	all := make(map[string]string)
	revision := regexp.MustCompile(`(?m)^(DTSTAMP|LAST-MODIFIED|SEQUENCE):.*\r\n`)
	for _, event := range strings.Split(file, "BEGIN:VEVENT\r\n")[1:] {
		event, _, _ = strings.Cut(event, "END:VEVENT\r\n")
		uid, _, _ := strings.Cut(strings.TrimPrefix(event, "UID:"), "\r\n")
		all[uid] = revision.ReplaceAllString(event, "")
	}
	return all
}

// TestSequenceRisesExactlyWhereAnEventChanges changes, adds and removes random rows of generated
// timetables. An event whose rows are untouched says the same, to the letter, whatever came or went.
func TestSequenceRisesExactlyWhereAnEventChanges(t *testing.T) {
	t.Parallel()
	s := newWorld(t).student()
	clock := time.Date(2026, 7, 1, 8, 0, 0, 0, time.UTC)
	s.f.now = func() time.Time { clock = clock.Add(time.Hour); return clock }
	seed := tabletest.Seed(t)
	r := rand.New(rand.NewPCG(seed, 0))
	doc := tabletest.Generated(t, fixture.Options{Kind: timetable.Test, Seed: seed, Modules: 5})
	s.uploaded(doc)
	path := s.subscribed(`{"year":2026}`)
	_, file := s.fetch(path)
	for round := range 6 {
		before, said := revisions(file), spoken(file)
		touched := make(map[string]bool)
		doc.Entries = slices.Clone(doc.Entries)
		for range r.IntN(4) {
			e := &doc.Entries[r.IntN(len(doc.Entries))]
			e.Venues = []string{"Moved " + strconv.Itoa(round)}
			touched[e.Module+" "+e.Test] = true
		}
		more := tabletest.Generated(t, fixture.Options{Kind: timetable.Test, Seed: seed + uint64(round) + 1, Modules: 2})
		for _, e := range more.Entries {
			if !slices.ContainsFunc(doc.Entries, func(had timetable.Entry) bool { return had.Module == e.Module }) {
				doc.Entries = append(doc.Entries, e)
			}
		}
		s.uploaded(doc)
		_, file = s.fetch(path)
		after, says := revisions(file), spoken(file)
		raised := 0
		for uid, was := range before {
			var old, now int
			var oldTime, nowTime string
			fmt.Sscan(was, &old, &oldTime)
			fmt.Sscan(after[uid], &now, &nowTime)
			changed := said[uid] != says[uid]
			switch {
			case changed && (now != old+1 || nowTime <= oldTime), !changed && was != after[uid]:
				t.Errorf("round %d: %s went from %q to %q; its text changed: %v", round, uid, was, after[uid], changed)
			}
			if changed {
				raised++
			}
		}
		if raised != len(touched) {
			t.Errorf("round %d: %d events changed, and %d were touched: %v", round, raised, len(touched), touched)
		}
	}
}

func TestManyFetchesAtOnceAgree(t *testing.T) {
	t.Parallel()
	s := newWorld(t).student()
	s.uploaded(tabletest.Tests())
	path := s.subscribed(feedOptions)
	doc := tabletest.Tests()
	doc.Entries[0].StartTime = "09:30"
	s.uploaded(doc)
	var mu sync.Mutex
	var all sync.WaitGroup
	seen := map[string]bool{}
	for range 10 {
		all.Go(func() {
			res := call(t, s.f, "GET", path, "")
			mu.Lock()
			defer mu.Unlock()
			seen[res.Status+" "+res.Header.Get("ETag")] = true
		})
	}
	all.Wait()
	_, file := s.fetch(path)
	sequences := map[string]int{}
	for revision := range maps.Values(revisions(file)) {
		sequences[revision[:1]]++
	}
	if len(seen) != 1 || sequences["0"] != 2 || sequences["1"] != 1 {
		t.Errorf("answers are %v and sequences %v, want one answer with one event raised once", seen, sequences)
	}
}
