package cli

import (
	"bytes"
	"context"
	"flag"
	"net"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/functions/pdf-parse/sandbox"
)

// asCommand makes the test binary the command itself, in a process of its own.
const asCommand = "SCHEDGEN_TEST_COMMAND"

// The test binary is the sandbox's child too, as the command is.
func TestMain(m *testing.M) {
	sandbox.MaybeChild()
	if os.Getenv(asCommand) != "" {
		os.Exit(Main())
	}
	os.Exit(m.Run())
}

// outcome is what a command line did.
type outcome struct {
	code     int
	out, err string
}

func runLine(t *testing.T, in []byte, args ...string) outcome {
	t.Helper()
	var out, err bytes.Buffer
	code := run(t.Context(), streams{in: bytes.NewReader(in), out: &out, err: &err}, args)
	return outcome{code, out.String(), err.String()}
}

func TestHelpTeachesEveryCommand(t *testing.T) {
	t.Parallel()
	overview := runLine(t, nil, "--help")
	if overview.code != exitOK || !strings.Contains(overview.out, "Examples:") {
		t.Errorf("schedgen --help: got %+v, want examples on standard output", overview)
	}
	for _, c := range commands() {
		if !strings.Contains(overview.out, "\n  "+c.name+" ") {
			t.Errorf("schedgen --help does not list %s", c.name)
		}
		help := runLine(t, nil, c.name, "--help")
		if help.code != exitOK || !strings.HasPrefix(help.out, "Usage: schedgen "+c.name) || help.err != "" {
			t.Errorf("schedgen %s --help: got %+v, want its usage on standard output", c.name, help)
		}
		if other := runLine(t, nil, "help", c.name); other != help {
			t.Errorf("schedgen help %s: got %+v, want what --help says", c.name, other)
		}
		if c.name != "version" && !strings.Contains(help.out, "\n  schedgen "+c.name) {
			t.Errorf("schedgen %s --help has no example", c.name)
		}
	}
}

func TestWrongCommandLinesAreOneLineAndCode2(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		line []string
		want string
	}{
		{[]string{"prase"}, `did you mean "parse"?`},
		{[]string{"conv"}, `did you mean "convert"?`},
		{[]string{"frobnicate"}, `there is no command "frobnicate". Run schedgen --help`},
		{[]string{"parse"}, "it needs a PDF"},
		{[]string{"parse", "a.pdf", "b.pdf"}, "it takes one PDF"},
		{[]string{"parse", "--wat"}, "-wat"},
		{[]string{"version", "x"}, "takes no arguments"},
		{[]string{"convert", "a.pdf"}, "it needs -o"},
		{[]string{"convert", "a.pdf", "-o", "x.ics", "--term", "S1"}, `--term: "S1" is not like "S1=2026-02-09..2026-05-22"`},
		{[]string{"convert", "a.pdf", "-o", "x.ics", "--term", "S9=2026-02-09..2026-05-22"}, `"S9" is none of S1`},
		{[]string{"convert", "a.pdf", "-o", "x.ics", "--term", "S2=2026-07-13"}, `--term: term "S2": 2026-07-13 has no end`},
		{[]string{"convert", "a.pdf", "-o", "x.ics", "--semester", "2026-02-09"}, "--semester: 2026-02-09 has no end"},
		{[]string{"convert", "a.pdf", "-o", "x.ics", "--semester", "2026-02-09..2029-05-22"}, "--semester: "},
		{[]string{"convert", "a.pdf", "-o", "x.ics", "--exclude", "2026-02-30"}, "--exclude"},
		{[]string{"convert", "a.pdf", "-o", "x.ics", "--exclude", "2026-03-02..2026-03-01"}, "ends before it starts"},
		{[]string{"convert", "a.pdf", "-o", "x.ics", "--group", "P02"}, `--group: "P02" is not like "COS 212=P02"`},
		{[]string{"convert", "a.pdf", "-o", "x.ics", "--reminder", "soon"}, `--reminder: "soon" is not a number`},
		{[]string{"convert", "a.pdf", "-o", "x.ics", "--reminder", "-5"}, "--reminder: a reminder of -5 minutes"},
		{[]string{"convert", "a.pdf", "-o", "x.ics", "--year", "99"}, "--year: the year 99 is not between"},
		{[]string{"convert", "a.pdf", "-o", "x.ics", "--color", "COS 212=mud"}, `--color: "mud" is not a colour that we know`},
		{[]string{"convert", "a.pdf", "-o", "x.ics", "--term", "S1=1926-02-09..1926-05-22"}, "--term: term"},
		{[]string{"years"}, "it needs check, show"},
		{[]string{"years", "list"}, `"list" is none of check, show`},
		{[]string{"years", "check"}, "check does not take 0 arguments"},
		{[]string{"years", "show", "soon"}, `"soon" is no year`},
		{[]string{"years", "import", "2027.json"}, "it needs --postgres"},
		{[]string{"up", "--port", "99999"}, "--port: 99999 is not between 0 and 65535"},
		{[]string{"up", "--sweep", "-1s"}, "--sweep: -1s"},
	} {
		got := runLine(t, nil, test.line...)
		if got.code != exitUsage || got.out != "" || strings.Count(got.err, "\n") != 1 || !strings.Contains(got.err, test.want) {
			t.Errorf("schedgen %s:\ngot  %+v\nwant code 2 and one line with %q", strings.Join(test.line, " "), got, test.want)
		}
	}
	if got := runLine(t, nil); got.code != exitUsage || !strings.Contains(got.err, "Commands:") {
		t.Errorf("schedgen alone: got %+v, want the overview and code 2", got)
	}
}

func TestHelpTellsADefaultOnce(t *testing.T) {
	t.Parallel()
	for _, c := range commands() {
		for line := range strings.Lines(runLine(t, nil, c.name, "--help").out) {
			if strings.Count(line, "(default") > 1 || strings.Contains(line, "(default 0s)") {
				t.Errorf("schedgen %s --help: %s", c.name, line)
			}
		}
	}
}

func TestErrorsSayAnythingOnce(t *testing.T) {
	t.Parallel()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close() // nobody listens there now
	got := runLine(t, nil, "migrate", "--postgres", "postgres://"+address+"/x")
	if got.code != exitFailed || strings.Count(got.err, "refused") != 1 || strings.Count(got.err, "\n") != 1 {
		t.Errorf("got %+v, want code %d and once that the connection was refused", got, exitFailed)
	}
}

func TestWhatFollowsTwoDashesIsTheFile(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"-x.pdf", "--help", "-o"} {
		got := runLine(t, nil, "parse", "--", name)
		if got.code != exitFailed || !strings.Contains(got.err, name+": no such file") {
			t.Errorf("schedgen parse -- %s: got %+v, want that there is no such file", name, got)
		}
	}
}

func TestFlagsMayStandAnywhere(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args   string
		others []string
		o      string
	}{
		{"a.pdf -o out", []string{"a.pdf"}, "out"},
		{"-o out a.pdf", []string{"a.pdf"}, "out"},
		{"a -o out b", []string{"a", "b"}, "out"},
		{"- --o=x", []string{"-"}, "x"},
		{"-o x -- -o y", []string{"-o", "y"}, "x"},
	} {
		flags := flag.NewFlagSet("test", flag.ContinueOnError)
		o := flags.String("o", "", "")
		others, err := parseFlags(flags, strings.Fields(test.args))
		if err != nil || !slices.Equal(others, test.others) || *o != test.o {
			t.Errorf("%q: got %q, -o %q, error %v; want %q, -o %q", test.args, others, *o, err, test.others, test.o)
		}
	}
}

func TestErrorsOfFilesNameThemOnOneLine(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for _, test := range []struct {
		name string
		in   string
		want string
	}{
		{folder + "/none.pdf", "", "none.pdf: no such file or directory"},
		{folder, "", "is a folder, not a PDF"},
		{"-", "hello", "-: This file is not a PDF."},
	} {
		got := runLine(t, []byte(test.in), "parse", test.name)
		if got.code != exitFailed || got.out != "" || strings.Count(got.err, "\n") != 1 || !strings.Contains(got.err, test.want) {
			t.Errorf("schedgen parse %s: got %+v, want code 1 and one line with %q", test.name, got, test.want)
		}
		if strings.Contains(strings.ToLower(got.err), "upload") {
			t.Errorf("schedgen parse %s: %q speaks of an upload, and there is none", test.name, got.err)
		}
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"version", "--version", "-v"} {
		if got := runLine(t, nil, name); got.code != exitOK || !strings.HasPrefix(got.out, "schedgen ") {
			t.Errorf("schedgen %s: got %+v", name, got)
		}
	}
}

func TestAnEndedContextEndsParsing(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	if code := run(ctx, streams{in: strings.NewReader("%PDF-1.4"), out: &out, err: &errs}, []string{"parse", "-"}); code != exitFailed {
		t.Errorf("got code %d, want %d: %s", code, exitFailed, errs.String())
	}
}
