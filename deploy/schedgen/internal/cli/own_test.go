package cli

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/timetable"
)

// aLecture is the first lecture of S1 whose name is its alone, with a date on which it is held in 2018.
func aLecture(t *testing.T, truth timetable.Document) (class string, date calendar.Date) {
	t.Helper()
	for _, e := range truth.Entries {
		alike := 0
		for _, other := range truth.Entries {
			if other.Module == e.Module && other.Activity == e.Activity {
				alike++
			}
		}
		if e.Offered != "S1" || alike != 1 || e.StartTime == "" {
			continue
		}
		for day := (calendar.Date{Year: 2018, Month: 2, Day: 12}); day.Day < 19; day = day.AddDays(1) {
			if day.Weekday().String() == e.Day {
				return e.Module + " " + e.Activity, day
			}
		}
	}
	t.Fatal("no lecture of S1 has a name of its own")
	return "", date
}

const terms2018 = "S2=2018-07-16..2018-10-26"

// TestConvertTakesAStudentsOwnChanges by flags and by a file, each to the same effect.
func TestConvertTakesAStudentsOwnChanges(t *testing.T) {
	t.Parallel()
	pdf, truth := generated(t, "--kind", "lecture", "--modules", "14")
	class, date := aLecture(t, truth)
	next := date.AddDays(1)
	convert := func(args ...string) string {
		t.Helper()
		got := runLine(t, nil, append([]string{"convert", pdf, "-o", "-", "--year", "2018", "--term", terms2018}, args...)...)
		if got.code != exitOK {
			t.Fatalf("schedgen convert %q: %+v", args, got)
		}
		return strings.ReplaceAll(got.out, "\r\n ", "")
	}
	plain := convert()
	compact := strings.ReplaceAll(date.String(), "-", "")
	for _, test := range []struct {
		name  string
		flags []string
		file  string
		want  []string // in the calendar, and not in the plain one
	}{
		{"cancelled", []string{"--cancel", fmt.Sprintf("%s=%s", class, date)},
			fmt.Sprintf(`{"changes": [{"event": %q, "date": %q, "cancelled": true}]}`, class, date), []string{":" + compact + "T"}},
		{"elsewhere", []string{"--room", fmt.Sprintf("%s=%s Old Aula 2", strings.ToLower(class), date)},
			fmt.Sprintf(`{"changes": [{"event": %q, "date": %q, "venue": "Old Aula 2"}]}`, class, date), []string{"LOCATION:Old Aula 2", "-" + compact + "@schedgen"}},
		{"moved to another room", []string{"--move", fmt.Sprintf("%s=%s %s 19:30-20:20", class, date, next), "--room", fmt.Sprintf("%s=%s Old Aula 2", class, date)},
			fmt.Sprintf(`{"changes": [{"event": %q, "date": %q, "newDate": %q, "startTime": "19:30", "endTime": "20:20", "venue": "Old Aula 2"}]}`, class, date, next),
			[]string{"LOCATION:Old Aula 2", strings.ReplaceAll(next.String(), "-", "") + "T193000", "Moved from " + date.Weekday().String()}},
		{"another time", []string{"--move", fmt.Sprintf("%s=%s 19:30", class, date)},
			fmt.Sprintf(`{"changes": [{"event": %q, "date": %q, "startTime": "19:30"}]}`, class, date), []string{compact + "T193000"}},
		{"another recess", []string{"--recess", "2018-05-07..2018-05-11", "--recess", "2018-05-14"},
			`{"recess": ["2018-05-07..2018-05-11", "2018-05-14"]}`, []string{":20180507T", ":20180514T"}},
		{"an extra class", []string{"--extra", "cos 999=2018-05-31 08:30-10:20 Old Aula 2"},
			`{"extra": [{"module": "COS 999", "date": "2018-05-31", "startTime": "08:30", "endTime": "10:20", "venue": "Old Aula 2"}]}`,
			[]string{"SUMMARY:COS 999 Extra class", "LOCATION:Old Aula 2"}},
		{"other dates", []string{"--term", "S1=2018-02-05..2018-05-15", "--exclude", "2018-02-26..2018-03-02"},
			`{"terms": {"S1": "2018-02-05..2018-05-15"}, "exclude": ["2018-02-26..2018-03-02"]}`, []string{":20180226T"}},
	} {
		got := convert(test.flags...)
		if byFile := convert("--changes", file(t, "mine.json", test.file)); byFile != got {
			t.Errorf("%s: the file gives another calendar than the flags", test.name)
		}
		for _, want := range test.want {
			if strings.Count(got, want) <= strings.Count(plain, want) {
				t.Errorf("%s: want %q in the calendar", test.name, want)
			}
		}
	}
	if got := convert("--recess", "none"); strings.Contains(got, "EXDATE;TZID=Africa/Johannesburg:20180403T") || !strings.Contains(plain, "EXDATE;TZID=Africa/Johannesburg:20180403T") {
		t.Error("without a recess, Tuesday 3 April is still left out, or it never was")
	}
}

// TestConvertRefusesChangesThatFitNothing with a sentence that names what is wrong.
func TestConvertRefusesChangesThatFitNothing(t *testing.T) {
	t.Parallel()
	pdf, truth := generated(t, "--kind", "lecture", "--modules", "14")
	class, date := aLecture(t, truth)
	for _, test := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--cancel", class + "=2018-04-03"}, exitFailed, "has no class " + `"` + class + `" on 2018-04-03`}, // in the recess
		{[]string{"--cancel", "COS 000=2018-02-12"}, exitFailed, `no class "COS 000"`},
		{[]string{"--cancel", class}, exitUsage, "--cancel: "},
		{[]string{"--cancel", class + "=soon"}, exitUsage, "--cancel: "},
		{[]string{"--cancel", class + "=2018-02-12 Aula"}, exitUsage, "says more than"},
		{[]string{"--move", class + "=2018-02-12"}, exitUsage, "is not like"},
		{[]string{"--move", class + "=2018-02-12 2018-02-13 14:30 Aula"}, exitUsage, "is not like"},
		{[]string{"--move", fmt.Sprintf("%s=%s 25:00", class, date)}, exitUsage, `"25:00" is not a time`},
		{[]string{"--room", class + "=2018-02-12"}, exitUsage, "is not like"},
		{[]string{"--cancel", fmt.Sprintf("%s=%s", class, date), "--room", fmt.Sprintf("%s=%s Aula", class, date)}, exitUsage, "a cancelled class has no other"},
		{[]string{"--extra", "COS 212=2018-02-12"}, exitUsage, "is not like"},
		{[]string{"--extra", "COS 212=2018-02-12 08:30"}, exitUsage, "no startTime or no endTime"},
		{[]string{"--recess", "none", "--recess", "2018-04-03"}, exitUsage, "two answers"},
		{[]string{"--recess", "2018-04-03", "--changes", file(t, "mine.json", `{"recess": []}`)}, exitUsage, "two answers"},
		{[]string{"--changes", "absent.json"}, exitFailed, "absent.json"},
		{[]string{"--changes", file(t, "mine.json", `{"cancel": []}`)}, exitFailed, `cancel`},
		{[]string{"--changes", file(t, "mine.json", `{"recess": ["2018-04-31"]}`)}, exitFailed, "2018-04-31"},
		{[]string{"--changes", file(t, "mine.json", `{"changes": [{"event": "a", "date": "2018-04-30"}]}`)}, exitFailed, "it changes nothing"},
	} {
		got := runLine(t, nil, slices.Concat([]string{"convert", pdf, "-o", "-", "--year", "2018", "--term", terms2018}, test.args)...)
		if got.code != test.code || got.out != "" || !strings.Contains(got.err, test.want) {
			t.Errorf("%q: got %d and %q, want %d and %q", test.args, got.code, got.err, test.code, test.want)
		}
	}
}

// TestConvertShowsAPublishedYear on the command line alone: 2018's recess, days without lectures and swapped days, day
// by day, for a lecture of each weekday.
func TestConvertShowsAPublishedYear(t *testing.T) {
	t.Parallel()
	free := "2018-03-21 2018-04-27 2018-04-30 2018-05-01 2018-03-29 2018-03-30 2018-04-02 2018-04-03 2018-04-04 2018-04-05 2018-04-06 2018-04-09"
	swaps := map[string]string{"2018-03-19": "Wednesday", "2018-03-28": "Friday", "2018-04-10": "Monday"}
	pdf, truth := generated(t, "--kind", "lecture", "--modules", "14")
	got := runLine(t, nil, "convert", pdf, "-o", "-", "--year", "2018", "--term", terms2018)
	if got.code != exitOK {
		t.Fatalf("got %+v", got)
	}
	shown := datesOf(t, got.out)
	compared := 0
	for _, e := range truth.Entries {
		if e.Offered != "S1" || e.StartTime == "" {
			continue
		}
		for day := (calendar.Date{Year: 2018, Month: 2, Day: 5}); day.String() <= "2018-05-29"; day = day.AddDays(1) {
			weekday := day.Weekday().String()
			if other, swapped := swaps[day.String()]; swapped {
				weekday = other
			}
			want := weekday == e.Day && !strings.Contains(free, day.String())
			key := fmt.Sprint(e.Module, " ", e.Activity, " ", day, " ", e.StartTime)
			if want && !shown[key] {
				t.Errorf("want %s", key)
			}
			if other := slices.ContainsFunc(truth.Entries, func(o timetable.Entry) bool {
				return o.Module == e.Module && o.Activity == e.Activity && o.StartTime == e.StartTime && o.Day == weekday
			}); !want && !other && shown[key] {
				t.Errorf("%s is shown", key)
			}
			compared++
		}
	}
	if compared < 1000 {
		t.Errorf("%d days were compared: too few to prove anything", compared)
	}
}

// datesOf lists what a calendar file shows, as "MODULE ACTIVITY DATE TIME": its weekly series without excluded dates,
// and its single events.
func datesOf(t *testing.T, file string) map[string]bool {
	t.Helper()
	shown := make(map[string]bool)
	for event := range strings.SplitSeq(strings.ReplaceAll(file, "\r\n ", ""), "BEGIN:VEVENT") {
		var title, excluded string
		var start, until time.Time
		for line := range strings.SplitSeq(event, "\r\n") {
			name, value, _ := strings.Cut(line, ":")
			switch name, _, _ = strings.Cut(name, ";"); name {
			case "SUMMARY":
				title, _, _ = strings.Cut(value, " (")
			case "DTSTART":
				start, _ = time.Parse("20060102T150405", value)
				until = start
			case "EXDATE":
				excluded += " " + value
			case "RRULE":
				_, last, _ := strings.Cut(value, "UNTIL=")
				until, _ = time.Parse("20060102T150405Z", last)
				until = until.Add(2 * time.Hour)
			}
		}
		for at := start; !start.IsZero() && !at.After(until); at = at.AddDate(0, 0, 7) {
			if !strings.Contains(excluded, at.Format("20060102T150405")) {
				shown[title+" "+at.Format("2006-01-02 15:04")] = true
			}
		}
	}
	return shown
}
