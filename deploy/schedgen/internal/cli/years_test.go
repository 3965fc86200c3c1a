package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/secret"
	"github.com/schedgen/schedgen/shared/timetable"
	"github.com/schedgen/schedgen/shared/years"
)

// file writes a file of the test's own.
func file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const (
	good = `{"2031": {"source": "Year calendar 2031", "terms": {
		"S1": {"start": "2031-02-10", "end": "2031-05-30", "checkedBy": "A. Clerk", "checkedOn": "2030-11-02"}, "S2": "2031-07-14..2031-10-17"},
		"recess": ["2031-04-05..2031-04-14"]}}`
	broken = "{\"2026\": {\"source\": \"A\",\n\"terms\": {\"S1\": \"2026-02-09..2026-05-15\"},\n\"recess\": [\"2026-04-31\"],\n\"folows\": {}}}"
)

// TestYearsAreImportedShownAndRemoved through a real database. A broken file changes nothing and says why.
func TestYearsAreImportedShownAndRemoved(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	run := func(code int, want string, args ...string) outcome {
		t.Helper()
		got := runLine(t, nil, append([]string{"years", "--postgres", dsn}, args...)...)
		if got.code != code || !strings.Contains(got.out+got.err, want) {
			t.Errorf("schedgen years %s: got %+v, want code %d and %q", strings.Join(args, " "), got, code, want)
		}
		return got
	}
	run(exitOK, "2031", "check", file(t, "good.json", good))
	bad := file(t, "broken.json", broken)
	for _, verb := range []string{"check", "import"} {
		got := run(exitFailed, "2 mistakes, so none of it is used", verb, bad)
		for _, line := range []string{bad + `:3: recess: "2026-04-31" is not a date`, bad + `:4: year 2026 has no field "folows"`} {
			if !strings.Contains(got.err, line) {
				t.Errorf("%s tells %q, want %q", verb, got.err, line)
			}
		}
	}
	run(exitOK, "2026 (shipped)", "show", "2026")
	run(exitFailed, "nobody has entered 2031; the known years are 2017, 2018, 2026", "show", "2031")
	run(exitOK, "imported 2031;", "import", file(t, "good.json", good))
	run(exitOK, "nothing changed", "import", file(t, "good.json", good))
	shown := run(exitOK, "2031 (database)", "show", "2031").out
	for _, want := range []string{"2031-02-10..2031-05-30 [Year calendar 2031 (checked by A. Clerk on 2030-11-02)]", "recess         2031-04-05..2031-04-14\n", "not known      noLectures"} {
		if !strings.Contains(shown, want) {
			t.Errorf("want %q in:\n%s", want, shown)
		}
	}
	exported := run(exitOK, `"recess"`, "export", "2031").out
	run(exitOK, "nothing changed", "import", file(t, "exported.json", exported))
	run(exitOK, "removed 2031", "remove", "2031")
	run(exitFailed, "the database has no year 2031", "remove", "2031")
	run(exitFailed, "nobody has entered 2031", "show", "2031")
	pool, err := postgres.Open(postgres.Config{URL: secret.New(dsn)})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if all, err := years.NewStore(pool).All(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("the database has %v, %v", all, err)
	}
}

// TestConvertGoesByTheYearsFile, which comes before what is shipped.
func TestConvertGoesByTheYearsFile(t *testing.T) {
	t.Parallel()
	pdf, _ := generated(t, "--kind", "lecture", "--modules", "14")
	got := runLine(t, nil, "convert", pdf, "-o", "-", "--year", "2031", "--years", file(t, "good.json", good))
	if got.code != exitOK || !strings.Contains(got.out, "UNTIL=203110") {
		t.Errorf("got %d and %.900s\n%s", got.code, got.out, got.err)
	}
	got = runLine(t, nil, "convert", pdf, "-o", "-", "--year", "2026", "--years", file(t, "broken.json", broken))
	if got.code != exitFailed || got.out != "" || !strings.Contains(got.err, "line 3:") {
		t.Errorf("a broken file: got %+v", got)
	}
}

// TestConvertOffersLastYearsPattern as a guess.
func TestConvertOffersLastYearsPattern(t *testing.T) {
	t.Parallel()
	cal, err := calendar.Build([]calendar.Event{{
		Kind: timetable.Lecture, Module: "COS 212", Activity: "L1", Day: "Monday", StartTime: "08:30", EndTime: "09:20", Semester: "S2",
	}}, calendar.Options{Year: 2027})
	want := "By the pattern of 2026 they would be --term S2=2027-07-19..2027-10-22: this is a guess, so check it."
	if told := forFlags(err); told == nil || !strings.Contains(told.Error(), want) {
		t.Errorf("got %v and %v, want %q", cal, told, want)
	}
}
