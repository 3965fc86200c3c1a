package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

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

func TestWrongFixtureFlags(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"", "--kind party -o x.pdf", "--kind exam", "--kind exam -o x.pdf --style baroque", "--kind exam -o x.pdf extra"} {
		if got := runLine(t, nil, append([]string{"generate-pdf"}, strings.Fields(line)...)...); got.code != exitUsage {
			t.Errorf("generate-pdf %s: got %+v, want code %d", line, got, exitUsage)
		}
	}
}
