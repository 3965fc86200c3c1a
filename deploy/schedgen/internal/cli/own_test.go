package cli

import (
	"fmt"
	"slices"
	"strings"
	"testing"

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
