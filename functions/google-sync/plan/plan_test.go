package plan_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/schedgen/schedgen/functions/google-sync/plan"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/timetable"
)

func event(id, location string) plan.Event {
	return plan.Event{ID: id, UID: id + "@x", Scope: "lecture/2026/S1", Fields: plan.Fields{
		Summary: "COS 110 " + id, Location: location, Description: "Module: COS 110", Color: "4", Status: "confirmed",
		Time: plan.Time{
			Start: "2026-02-09T08:30:00+02:00", End: "2026-02-09T09:20:00+02:00", Zone: "Africa/Johannesburg",
			Recurrence: []string{"RRULE:FREQ=WEEKLY;UNTIL=20260518T063000Z", "EXDATE;TZID=Africa/Johannesburg:20260323T083000"},
		},
		Reminders: plan.Alarms{Overrides: []plan.Alarm{{Method: "popup", Minutes: 15}}},
	}}
}

// existing is an event as it was written.
func existing(e plan.Event) plan.Existing {
	return plan.Existing{ID: e.ID, ETag: `"1"`, Scope: e.Scope, Base: e.Fields.Base(), Fields: e.Fields}
}

var (
	scopes = plan.Authority{Scopes: []string{"lecture/2026/S1", "exam/2026/S1"}}
	now    = time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)
)

func TestMake(t *testing.T) {
	t.Parallel()
	old, moved := event("aaaaa", "Here"), event("aaaaa", "There")
	edited := existing(old)
	edited.Fields.Summary = "Mine"
	editedThere := existing(old)
	editedThere.Fields.Location = "Nowhere"
	already := existing(old)
	already.Fields.Location = "There"
	gone := existing(old)
	gone.Cancelled = true
	other := existing(old)
	other.Scope = "test/2026/S1"
	unknown := existing(old)
	unknown.Base = plan.ParseBase("nonsense location")
	remembered := func(s plan.State) plan.Memory {
		return plan.Memory{Known: true, States: map[string]plan.State{"aaaaa": s}}
	}
	for _, c := range []struct {
		name     string
		wanted   []plan.Event
		existing []plan.Existing
		memory   plan.Memory
		want     string
	}{
		{"nothing", nil, nil, plan.Memory{}, ""},
		{"new", []plan.Event{old}, nil, plan.Memory{}, "insert"},
		{"same", []plan.Event{old}, []plan.Existing{existing(old)}, plan.Memory{}, "unchanged 1"},
		{"moved", []plan.Event{moved}, []plan.Existing{existing(old)}, plan.Memory{}, "patch[location]"},
		{"edited", []plan.Event{old}, []plan.Existing{edited}, plan.Memory{}, "unchanged 1 kept[summary]"},
		{"edited and moved", []plan.Event{moved}, []plan.Existing{edited}, plan.Memory{}, "patch[location] kept[summary]"},
		{"edited just there", []plan.Event{moved}, []plan.Existing{editedThere}, plan.Memory{}, "patch[location]over[location]"},
		{"a person was faster", []plan.Event{moved}, []plan.Existing{already}, plan.Memory{}, "patch[location]"},
		{"dropped", nil, []plan.Existing{existing(old)}, plan.Memory{}, "delete"},
		{"dropped and edited", nil, []plan.Existing{edited}, plan.Memory{}, "delete"},
		{"dropped and deleted", nil, []plan.Existing{gone}, plan.Memory{}, ""},
		{"of another scope", nil, []plan.Existing{other}, plan.Memory{}, ""},
		{"scope changed", []plan.Event{old}, []plan.Existing{other}, plan.Memory{}, "patch[]"},
		{"base unreadable", []plan.Event{old}, []plan.Existing{unknown}, plan.Memory{}, "patch[summary time location description color status reminders]"},
		{"deleted before the first sync ended", []plan.Event{old}, []plan.Existing{gone}, plan.Memory{}, "restore"},
		{"deleted by us", []plan.Event{old}, []plan.Existing{gone}, remembered(plan.Removed), "restore"},
		{"deleted by a person", []plan.Event{old}, []plan.Existing{gone}, remembered(plan.Written), "unchanged 1 kept[]"},
		{"deleted by a person, known", []plan.Event{old}, []plan.Existing{gone}, remembered(plan.Tombstone), "unchanged 1 kept[]"},
		{"deleted by a person, not remembered", []plan.Event{old}, []plan.Existing{gone}, plan.Memory{Known: true}, "unchanged 1 kept[]"},
		{"purged", []plan.Event{old}, nil, remembered(plan.Written), "unchanged 1 kept[]"},
		{"purged by us", []plan.Event{old}, nil, remembered(plan.Removed), "insert"},
		{"came back by hand", []plan.Event{old}, []plan.Existing{existing(old)}, remembered(plan.Tombstone), "unchanged 1"},
	} {
		if got := describe(plan.Make(c.wanted, c.existing, scopes, c.memory, now)); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// TestWhatIsOverStays: an exam that ended before the sync was made stays although no timetable lists it; a
// lecture that was dropped goes.
func TestWhatIsOverStays(t *testing.T) {
	t.Parallel()
	exam := func(end string) []plan.Existing {
		e := event("aaaaa", "Hall")
		e.Scope, e.Time.Recurrence, e.Time.End = "exam/2026/S1", nil, end
		return []plan.Existing{existing(e)}
	}
	for _, c := range []struct {
		name     string
		existing []plan.Existing
		now      time.Time
		want     string
	}{
		{"over", exam("2026-06-15T13:59:00+02:00"), now, ""},
		{"being written", exam("2026-06-15T14:01:00+02:00"), now, "delete"},
		{"over, all day", exam("2026-06-15"), now, ""},
		{"tomorrow, all day", exam("2026-06-17"), now, "delete"},
		{"over, and all is removed", exam("2026-06-01T10:00:00+02:00"), time.Time{}, "delete"},
		{"lecture", []plan.Existing{existing(event("aaaaa", "Here"))}, now.AddDate(1, 0, 0), "delete"},
	} {
		if got := describe(plan.Make(nil, c.existing, scopes, plan.Memory{}, c.now)); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestScopesOfOlderEvents(t *testing.T) {
	t.Parallel()
	for _, c := range [][3]string{
		{"exam/2026", "2026-06-12T07:30:00+02:00", "exam/2026/S1"},
		{"exam/2026", "2026-11-12", "exam/2026/S2"},
		{"test/2026", "2026-08-03T07:30:00+02:00", "test/2026/S2"},
		{"lecture/2026", "2026-02-09T06:30:00Z", "lecture/2026/S1"},
		{"lecture/2026", "2026-07-13T06:30:00Z", "lecture/2026/S2"},
		{"lecture/2026/Y", "2026-02-09T06:30:00Z", "lecture/2026/Y"},
		{"exam/2026", "", "exam/2026"},
		{"", "2026-11-12", ""},
	} {
		if got := plan.ScopeOf(c[0], c[1]); got != c[2] {
			t.Errorf("%q from %q is %q, want %q", c[0], c[1], got, c[2])
		}
	}
}

// describe writes a plan in a line.
func describe(p plan.Plan) string {
	var parts []string
	for _, a := range p.Actions {
		text := string(a.Op)
		if a.Op == plan.Patch {
			text += fmt.Sprint(a.Fields)
		}
		if len(a.Overwrites) > 0 {
			text += "over" + fmt.Sprint(a.Overwrites)
		}
		parts = append(parts, text)
	}
	if p.Unchanged > 0 {
		parts = append(parts, fmt.Sprint("unchanged ", p.Unchanged))
	}
	for _, k := range p.Kept {
		parts = append(parts, "kept"+fmt.Sprint(k.Fields))
	}
	return strings.Join(parts, " ")
}

// TestWhatMeansTheSameIsTheSame: a calendar gives back other spellings.
func TestWhatMeansTheSameIsTheSame(t *testing.T) {
	t.Parallel()
	mine := event("aaaaa", "Here").Fields
	theirs := event("aaaaa", "Here").Fields
	theirs.Time.Start, theirs.Time.End = "2026-02-09T06:30:00Z", "2026-02-09T07:20:00Z"
	theirs.Time.Recurrence = []string{"EXDATE:20260323T063000Z", "RRULE:UNTIL=20260518T063000Z;FREQ=WEEKLY;INTERVAL=1;WKST=SU"}
	theirs.Description += "\r\n "
	theirs.Status = ""
	if got, want := theirs.Base().String(), mine.Base().String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := plan.ParseBase(mine.Base().String()); got.String() != mine.Base().String() {
		t.Errorf("a base is read back as %s", got)
	}
	for name, change := range map[string]func(*plan.Fields){
		"another time":      func(f *plan.Fields) { f.Time.End = "2026-02-09T07:21:00Z" },
		"another zone":      func(f *plan.Fields) { f.Time.Zone = "Europe/Zurich" },
		"another exclusion": func(f *plan.Fields) { f.Time.Recurrence = f.Time.Recurrence[:1] },
		"an odd line":       func(f *plan.Fields) { f.Time.Recurrence = append(f.Time.Recurrence, "X-ODD") },
		"an exclusion of another zone": func(f *plan.Fields) {
			f.Time.Recurrence = []string{f.Time.Recurrence[0], "EXDATE;TZID=Europe/Zurich:20260323T083000"}
		},
		"all day":            func(f *plan.Fields) { f.Time.Start, f.Time.End = "2026-02-09", "2026-02-10" },
		"the default alarms": func(f *plan.Fields) { f.Reminders = plan.Alarms{Default: true} },
		"an alarm by email":  func(f *plan.Fields) { f.Reminders.Overrides = []plan.Alarm{{Method: "email", Minutes: 15}} },
	} {
		f := event("aaaaa", "Here").Fields
		change(&f)
		if f.Base().String() == mine.Base().String() {
			t.Errorf("%s is taken for the same", name)
		}
	}
}

// model is a calendar and a person who plays with it.
type model struct {
	events map[string]plan.Existing
	memory plan.Memory
}

func (m *model) list() []plan.Existing {
	var all []plan.Existing
	for _, e := range m.events {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b plan.Existing) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// apply does what a calendar does with an action.
func (m *model) apply(a plan.Action) {
	e := m.events[a.Event.ID]
	switch a.Op {
	case plan.Insert, plan.Restore:
		e = existing(a.Event)
	case plan.Delete:
		m.memory.States[a.Event.ID] = plan.Removed
		e.Cancelled = true
	case plan.Patch:
		e.Base, e.Scope = a.Event.Fields.Base(), a.Event.Scope
		for _, f := range a.Fields {
			switch f {
			case plan.Summary:
				e.Fields.Summary = a.Event.Summary
			case plan.Location:
				e.Fields.Location = a.Event.Location
			}
		}
	}
	m.events[a.Event.ID] = e
}

// TestPlansEnd: whatever a person does and wherever a run stops, one whole run later nothing is left to do,
// no event is there that is not wanted, and every field is either the timetable's or the person's.
func TestPlansEnd(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for n := range 300 {
		rng := rand.New(rand.NewPCG(seed, uint64(n)))
		m := &model{map[string]plan.Existing{}, plan.Memory{States: map[string]plan.State{}}}
		for range 6 {
			wanted := randomWanted(rng)
			p := plan.Make(wanted, m.list(), scopes, m.memory, now)
			for _, a := range p.Actions[:rng.IntN(len(p.Actions)+1)] { // it may stop anywhere
				m.apply(a)
			}
			m.play(rng)
			for _, a := range plan.Make(wanted, m.list(), scopes, m.memory, now).Actions {
				m.apply(a)
			}
			if left := plan.Make(wanted, m.list(), scopes, m.memory, now); len(left.Actions) > 0 {
				t.Fatalf("seed %d %d: there is still to do: %s", seed, n, describe(left))
			}
			m.check(t, wanted)
			m.memory.Known = true
			for _, w := range wanted {
				if m.events[w.ID].Cancelled {
					m.memory.States[w.ID] = plan.Tombstone
				} else {
					m.memory.States[w.ID] = plan.Written
				}
			}
		}
	}
}

func randomWanted(rng *rand.Rand) []plan.Event {
	var wanted []plan.Event
	for _, id := range []string{"aaaaa", "bbbbb", "ccccc", "ddddd"} {
		if rng.IntN(4) > 0 {
			wanted = append(wanted, event(id, fmt.Sprint("Room ", rng.IntN(3))))
		}
	}
	return wanted
}

// play is a person who edits and deletes.
func (m *model) play(rng *rand.Rand) {
	for _, e := range m.list() {
		switch rng.IntN(6) {
		case 0:
			e.Fields.Summary = "Mine"
		case 1:
			e.Fields.Location = "Mine"
		case 2:
			e.Cancelled = true
		}
		m.events[e.ID] = e
	}
}

func (m *model) check(t *testing.T, wanted []plan.Event) {
	t.Helper()
	for _, e := range m.list() {
		at := slices.IndexFunc(wanted, func(w plan.Event) bool { return w.ID == e.ID })
		switch {
		case e.Cancelled:
		case at < 0:
			t.Fatalf("%s is there and not wanted", e.ID)
		case e.Fields.Location != wanted[at].Location && e.Fields.Location != "Mine":
			t.Fatalf("%s is at %q, want %q or the person's own", e.ID, e.Fields.Location, wanted[at].Location)
		}
	}
}

// TestWanted: ids of Google's alphabet that stay, and what the calendar model says.
func TestWanted(t *testing.T) {
	t.Parallel()
	year := calendar.Options{Year: 2026, Reminders: []int{10, 60}, Colors: map[string]string{"COS 110": "tomato"}}
	cal, err := calendar.Build(calendar.Events(timetable.Document{Kind: timetable.Lecture, Entries: []timetable.Entry{
		{Module: "COS 110", Offered: "S1", Group: "G01", Activity: "L1", Day: "Monday", StartTime: "08:30", EndTime: "09:20", Venues: []string{"IT 4-4"}, Page: 1},
	}}), year)
	if err != nil {
		t.Fatal(err)
	}
	one := plan.Wanted(cal, "account", "calendar")[0]
	if again := plan.Wanted(cal, "account", "calendar")[0]; one.ID != again.ID {
		t.Errorf("the id is %s and then %s", one.ID, again.ID)
	}
	if one.ID == plan.Wanted(cal, "account", "other")[0].ID || one.ID == plan.Wanted(cal, "friend", "calendar")[0].ID {
		t.Error("another calendar or account gives the same id")
	}
	if strings.Trim(one.ID, "0123456789abcdefghijklmnopqrstuv") != "" || len(one.ID) < 5 {
		t.Errorf("the id %q is not of Google's alphabet", one.ID)
	}
	if one.Color != "6" || len(one.Reminders.Overrides) != 2 || one.Location != "IT 4-4" || one.Time.Recurrence[0] != "RRULE:FREQ=WEEKLY;UNTIL=20260518T063000Z" ||
		one.Scope != "lecture/2026/S1" || one.Time.Start != "2026-02-09T08:30:00+02:00" {
		t.Errorf("the event is %+v", one)
	}
	if p := plan.Make([]plan.Event{one}, nil, plan.Authority{}, plan.Memory{}, now); p.Count(plan.Insert) != 1 || p.Count(plan.Delete, plan.Patch) != 0 {
		t.Errorf("counts of %+v", p)
	}
}

// TestColors: the model's palette stays apart, and what is no colour is none.
func TestColors(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, name := range []string{
		"steelblue", "darkorange", "seagreen", "crimson", "mediumpurple", "goldenrod",
		"teal", "hotpink", "saddlebrown", "olivedrab", "royalblue", "slategray",
	} {
		id := plan.ColorID(name)
		if id == "" {
			t.Errorf("%s has no colour", name)
		}
		seen[id] = true
	}
	if len(seen) != 11 {
		t.Errorf("the palette of twelve becomes %d colours of eleven, want all of them", len(seen))
	}
	for name, want := range map[string]string{"Tomato": "6", "red": "11", "darkblue": "9", "forestgreen": "10"} {
		if got := plan.ColorID(name); got != want {
			t.Errorf("%s gives the colour %s, want %s", name, got, want)
		}
	}
	if got := plan.ColorID("reddish"); got != "" {
		t.Errorf("a colour that is none gives %q", got)
	}
}
