package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/timetable"
)

// generated makes up a PDF with the command and gives its file and its truth.
func generated(t *testing.T, flags ...string) (file string, truth timetable.Document) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "timetable.pdf")
	got := runLine(t, nil, append([]string{"generate-pdf", "-o", file, "--truth", file + ".json"}, flags...)...)
	if got.code != exitOK {
		t.Fatalf("schedgen generate-pdf %q: %+v", flags, got)
	}
	data, err := os.ReadFile(file + ".json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &truth); err != nil {
		t.Fatal(err)
	}
	return file, truth
}

func TestParsePrintsExactlyWhatWasGenerated(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"lecture", "test", "exam"} {
		file, truth := generated(t, "--kind", kind, "--seed", "3", "--encrypt")
		got := runLine(t, nil, "parse", file)
		var doc timetable.Document
		if err := json.Unmarshal([]byte(got.out), &doc); err != nil || got.code != exitOK {
			t.Fatalf("schedgen parse: %+v, error %v", got, err)
		}
		if !reflect.DeepEqual(doc, truth) {
			t.Errorf("%s: got %+v\nwant %+v", kind, doc, truth)
		}
		pdf, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if piped := runLine(t, pdf, "parse", "-"); piped != got {
			t.Errorf("%s: from standard input it printed something else", kind)
		}
	}
}

func TestParseDrawsWhatItSaw(t *testing.T) {
	t.Parallel()
	file, _ := generated(t, "--kind", "test")
	drawing := filepath.Join(t.TempDir(), "seen.svg")
	if got := runLine(t, nil, "parse", file, "--debug", drawing); got.code != exitOK || got.out == "" {
		t.Fatalf("got %+v, want the entries as without --debug", got)
	}
	if svg, err := os.ReadFile(drawing); err != nil || !strings.Contains(string(svg), "<svg") {
		t.Errorf("got %.100q, error %v; want an SVG", svg, err)
	}
}

func TestConvertWritesTheSameBytesAgain(t *testing.T) {
	t.Parallel()
	file, truth := generated(t, "--kind", "exam", "--modules", "4")
	out := filepath.Join(t.TempDir(), "exams.ics")
	if got := runLine(t, nil, "convert", file, "-o", out, "--reminder", "60", "--picture", out+".svg"); got.code != exitOK {
		t.Fatalf("got %+v", got)
	}
	first, err := os.ReadFile(out)
	if err != nil || strings.Count(string(first), "BEGIN:VEVENT\r\n") != len(truth.Entries) {
		t.Errorf("error %v; want %d events in\n%s", err, len(truth.Entries), first)
	}
	if strings.Count(string(first), "TRIGGER:-PT60M\r\n") != len(truth.Entries) {
		t.Error("the events lack their reminder")
	}
	if svg, err := os.ReadFile(out + ".svg"); err != nil || !strings.Contains(string(svg), "<svg") {
		t.Errorf("got %.100q, error %v; want an SVG", svg, err)
	}
	if got := runLine(t, nil, "convert", file, "-o", "-", "--reminder=60"); got.out != string(first) {
		t.Error("converted again, it is another file")
	}
}

// TestConvertKeepsToItsTermAndGroup converts generated lectures with the flags of the help, after
// the file, and holds each event's dates and group against the truth.
func TestConvertKeepsToItsTermAndGroup(t *testing.T) {
	t.Parallel()
	seed := strconv.FormatInt(time.Now().UnixNano(), 10)
	t.Log("seed", seed)
	file, truth := generated(t, "--kind", "lecture", "--modules", "14", "--seed", seed)
	module, group, others := someChoice(truth)
	if module == "" {
		t.Fatal("none of the modules has two practicals to choose from")
	}
	line := []string{"convert", file, "-o", "-", "--term", "S1=2027-02-08..2027-05-21", "--term", "S2=2027-07-12..2027-10-15", "--group", module + "=" + group}
	got := runLine(t, nil, line...)
	if got.code != exitOK {
		t.Fatalf("got %+v", got)
	}
	text := strings.ReplaceAll(got.out, "\r\n ", "")
	if !strings.Contains(text, module) || !strings.Contains(text, "("+group+")") {
		t.Errorf("%s %s is not in the calendar", module, group)
	}
	starts := regexp.MustCompile(`DTSTART;TZID=Africa/Johannesburg:(\d{8})T`)
	until := regexp.MustCompile(`UNTIL=(\d{8})T`)
	for _, event := range strings.Split(text, "BEGIN:VEVENT\r\n")[1:] {
		for _, other := range others {
			if strings.Contains(event, "SUMMARY:"+module+" ") && strings.Contains(event, "("+other+")") {
				t.Errorf("%s %s is in the calendar, and %s was chosen", module, other, group)
			}
		}
		from, to := "20270208", "20271015"
		switch {
		case strings.Contains(event, "Semester: S1"), strings.Contains(event, "Semester: Q1"), strings.Contains(event, "Semester: Q2"):
			to = "20270521"
		case !strings.Contains(event, "Semester: Y"):
			from = "20270712"
		}
		first, last := starts.FindStringSubmatch(event)[1], until.FindStringSubmatch(event)[1]
		if first < from || last > to || last <= first {
			t.Errorf("it runs from %s to %s, want it inside %s to %s:\n%s", first, last, from, to, event)
		}
	}
	if again := runLine(t, nil, line...); again != got {
		t.Error("converted again, it is another file")
	}
}

// someChoice gives a module with several groups of a letter, one of them, and the others.
func someChoice(doc timetable.Document) (module, group string, others []string) {
	groups := make(map[string][]string)
	for _, e := range doc.Entries {
		if e.Group[0] != 'G' && !slices.Contains(groups[e.Module], e.Group) {
			groups[e.Module] = append(groups[e.Module], e.Group)
		}
	}
	for module, all := range groups {
		if len(all) > 1 {
			group := all[1]
			return module, group, slices.DeleteFunc(all, func(g string) bool { return g == group })
		}
	}
	return "", "", nil
}

func TestConvertRefusesFlagsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	file, _ := generated(t, "--kind", "lecture")
	for line, want := range map[string]string{
		"--term S1=2026-02-29..2026-05-22": "2026-02-29", "--term S1=2026-05-22..2026-02-09": "ends before it starts", "--term S9=2026-02-09..2026-05-22": "S9",
		"--term S1": "S1=2026-02-09..2026-05-22", "--group P02": "COS 212=P02", "--exclude 2026-06-31": "2026-06-31", "--reminder soon": "soon", "--color red": "COS 212=steelblue",
	} {
		got := runLine(t, nil, append([]string{"convert", file, "-o", "-"}, strings.Fields(line)...)...)
		if got.code != exitUsage || got.out != "" || !strings.Contains(got.err, want) {
			t.Errorf("%s: got %+v, want code %d and %q", line, got, exitUsage, want)
		}
	}
	if got := runLine(t, nil, "convert", file); got.code != exitUsage || !strings.Contains(got.err, "-o") {
		t.Errorf("without -o: got %+v", got)
	}
}

// TestConvertTellsOfClashes: what overlaps is in the file, and told.
func TestConvertTellsOfClashes(t *testing.T) {
	t.Parallel()
	cal := calendar.Calendar{
		Warnings: []calendar.Warning{{Message: "one is lost"}},
		Items:    []calendar.Item{{Summary: "A", Event: calendar.Event{Warnings: []timetable.Warning{{Message: "odd", Page: 2, Row: 3}}}, Warnings: []calendar.Warning{{Message: "a holiday"}}}},
		Clashes: []calendar.Clash{
			{Titles: [2]string{"A", "B"}, Day: "Monday", Start: "08:30", End: "09:20", Count: 1, Date: "2026-02-09"},
			{Titles: [2]string{"C (P01)", "C (P02)"}, Day: "Friday", Start: "10:30", End: "11:20", Count: 13, Date: "2026-02-13", Alternatives: true},
		},
	}
	var out strings.Builder
	printNotes(&out, cal)
	want := "warning: one is lost\nwarning: A: odd (page 2, row 3)\nwarning: A: a holiday\n" +
		"clash: A and B, Monday 08:30-09:20, once from 2026-02-09\nclash: C (P01) and C (P02), Friday 10:30-11:20, 13 times from 2026-02-13\n" +
		"hint: one clash is between groups of which a student takes one; choose with --group\n"
	if out.String() != want {
		t.Errorf("it tells\n%swant\n%s", out.String(), want)
	}
}

// TestConvertTakesOneSemester holds that dates without a term's name are enough, and hold for all lectures.
func TestConvertTakesOneSemester(t *testing.T) {
	t.Parallel()
	file, _ := generated(t, "--kind", "lecture")
	got := runLine(t, nil, "convert", file, "-o", "-", "--semester", "2031-02-10..2031-11-14")
	text := strings.ReplaceAll(got.out, "\r\n ", "")
	starts := regexp.MustCompile(`DTSTART;TZID=Africa/Johannesburg:(\d{8})T`).FindAllStringSubmatch(text, -1)
	if got.code != exitOK || len(starts) == 0 {
		t.Fatalf("got %+v, want lectures", got)
	}
	for _, start := range starts {
		if start[1] < "20310210" || start[1] > "20310217" {
			t.Errorf("lectures begin on %s, want the first week from 20310210", start[1])
		}
	}
	for _, until := range regexp.MustCompile(`UNTIL=(\d{8})T`).FindAllStringSubmatch(text, -1) {
		if until[1] > "20311114" {
			t.Errorf("lectures end on %s, want 20311114 at the latest", until[1])
		}
	}
}

func TestConvertTellsHowToPutItRight(t *testing.T) {
	t.Parallel()
	file, _ := generated(t, "--kind", "lecture")
	got := runLine(t, nil, "convert", file, "-o", "-", "--year", "2031")
	if got.code != exitFailed || got.out != "" || !strings.Contains(got.err, "--term") {
		t.Errorf("a year without known terms: got %+v, want --term named", got)
	}
	got = runLine(t, nil, "convert", file, "-o", "-", "--year", "2026", "--group", "XYZ 999=P01")
	if got.code != exitFailed || !strings.Contains(got.err, "XYZ 999") {
		t.Errorf("an unknown module: got %+v, want it named", got)
	}
}

// TestConvertWritesNoEmptyCalendar excludes all there is.
func TestConvertWritesNoEmptyCalendar(t *testing.T) {
	t.Parallel()
	file, _ := generated(t, "--kind", "lecture")
	out := filepath.Join(t.TempDir(), "empty.ics")
	got := runLine(t, nil, "convert", file, "-o", out, "--picture", out+".svg", "--exclude", "2026-01-01..2026-12-31", "--year", "2026")
	if got.code != exitFailed || strings.Count(got.err, "\n") != 1 || !strings.Contains(got.err, "no event is left for the calendar: public holidays and --exclude") {
		t.Errorf("got %+v, want code %d and one line on what is left", got, exitFailed)
	}
	for _, name := range []string{out, out + ".svg"} {
		if _, err := os.Lstat(name); err == nil {
			t.Errorf("%s was written", name)
		}
	}
}

func TestAnEmptyCalendarSaysWhy(t *testing.T) {
	t.Parallel()
	excluded := calendar.Warning{Code: calendar.AllExcluded, Message: "A: no date"}
	short := calendar.Warning{Code: calendar.NotInTerm, Message: "B: its term has no Monday"}
	for want, warnings := range map[string][]calendar.Warning{
		"x.pdf: no event is left for the calendar: public holidays and --exclude leave no date":    {excluded, excluded},
		"x.pdf: no event is left for the calendar: B: its term has no Monday":                      {short},
		"x.pdf: no event is left for the calendar: B: its term has no Monday (and 2 more reasons)": {excluded, short, short},
	} {
		if got := empty("x.pdf", warnings).Error(); got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
	}
}

// TestALinkStaysALink writes through links: to a file, to another link, to nothing yet.
func TestALinkStaysALink(t *testing.T) {
	t.Parallel()
	file, _ := generated(t, "--kind", "exam")
	folder := t.TempDir()
	link := func(target, name string) string {
		t.Helper()
		name = filepath.Join(folder, name)
		if err := os.Symlink(target, name); err != nil {
			t.Fatal(err)
		}
		return name
	}
	if err := os.Mkdir(filepath.Join(folder, "kept"), 0o755); err != nil {
		t.Fatal(err)
	}
	target := filepath.Join(folder, "kept", "real.ics")
	linked := link("kept/real.ics", "link.ics")
	for _, name := range []string{linked, linked, link("link.ics", "again.ics"), link(target, "absolute.ics"), filepath.Join(link("kept", "folder"), "real.ics")} {
		if got := runLine(t, nil, "convert", file, "-o", name); got.code != exitOK {
			t.Fatalf("%s: got %+v", name, got)
		}
		if written, err := os.ReadFile(target); err != nil || !strings.HasPrefix(string(written), "BEGIN:VCALENDAR") {
			t.Errorf("by %s: got %.50q, error %v in the target, want a calendar", name, written, err)
		}
		if err := os.Remove(target); err != nil {
			t.Error(err)
		}
	}
	if info, err := os.Lstat(linked); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is one no more: %v, error %v", info, err)
	}
	loop := link("loop.ics", "loop.ics")
	if got := runLine(t, nil, "convert", file, "-o", loop); got.code != exitFailed || !strings.Contains(got.err, "loop.ics") {
		t.Errorf("of a link to itself: got %+v, want code %d", got, exitFailed)
	}
}
