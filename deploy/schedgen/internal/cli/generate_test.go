package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/shared/timetable"
)

// TestGeneratedFilesSurviveOtherPrograms has other programs write the command's PDFs anew, with seeds
// whose text they lose where odd fonts are allowed.
func TestGeneratedFilesSurviveOtherPrograms(t *testing.T) {
	// Its parts are parallel, not itself: while a program starts it holds what is open here, such as the
	// lock of a data directory that another test gives back.
	for _, style := range []string{"oracle", "stroked", "sparse", "borderless"} {
		for _, seed := range []string{"2", "5", "20"} {
			t.Run(style+" "+seed, func(t *testing.T) {
				t.Parallel()
				flags := []string{"--kind", "lecture", "--style", style, "--seed", seed}
				file, truth := generated(t, flags...)
				if odd, _ := generated(t, append(flags, "--odd-fonts")...); (style == "oracle") != sameBytes(t, odd, file) {
					t.Errorf("%q: whether --odd-fonts gives the same file: got %v", flags, sameBytes(t, odd, file))
				}
				for _, program := range [][]string{
					{"gs", "-q", "-dBATCH", "-dNOPAUSE", "-sDEVICE=pdfwrite", "-sOutputFile=OUT", "IN"},
					{"pdftocairo", "-pdf", "IN", "OUT"},
					{"mutool", "convert", "-F", "pdf", "-o", "OUT", "IN"},
					{"qpdf", "--object-streams=generate", "IN", "OUT"},
				} {
					t.Run(program[0], func(t *testing.T) { wantSameAfter(t, program, file, truth) })
				}
			})
		}
	}
}

func sameBytes(t *testing.T, one, other string) bool {
	t.Helper()
	a, err := os.ReadFile(one)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(other)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Equal(a, b)
}

// wantSameAfter has a program write a file anew and reads the truth in what it wrote.
func wantSameAfter(t *testing.T, program []string, file string, truth timetable.Document) {
	t.Helper()
	if _, err := exec.LookPath(program[0]); err != nil {
		t.Skipf("%s is not installed: run `make setup`", program[0])
	}
	written := filepath.Join(t.TempDir(), "written.pdf")
	args := make([]string, 0, len(program))
	for _, arg := range program[1:] {
		args = append(args, strings.NewReplacer("IN", file, "OUT", written).Replace(arg))
	}
	if said, err := exec.CommandContext(t.Context(), program[0], args...).CombinedOutput(); err != nil || strings.Contains(string(said), "Error") {
		t.Errorf("%s: error %v: %s", program[0], err, said)
	}
	got := runLine(t, nil, "parse", written)
	var doc timetable.Document
	if err := json.Unmarshal([]byte(got.out), &doc); err != nil {
		t.Fatalf("schedgen parse: %+v, error %v", got, err)
	}
	if !reflect.DeepEqual(doc, truth) {
		t.Errorf("got %+v\nwant %+v", doc, truth)
	}
}

func TestWrongFixtureFlags(t *testing.T) {
	t.Parallel()
	out := filepath.Join(t.TempDir(), "x.pdf")
	for line, want := range map[string]string{
		"-o " + out:                             "--kind",
		"--kind party -o " + out:                "--kind",
		"--kind exam":                           "-o",
		"--kind exam --style baroque -o " + out: "--style",
		"--kind exam extra -o " + out:           "extra",
		"--kind exam --modules -3 -o " + out:    "--modules: -3",
		"--kind exam --pages -3 -o " + out:      "--pages: -3",
		"--kind exam --pages 9999 -o " + out:    "--pages: 9999",
	} {
		got := runLine(t, nil, append([]string{"generate-pdf"}, strings.Fields(line)...)...)
		if got.code != exitUsage || !strings.Contains(got.err, want) {
			t.Errorf("generate-pdf %s: got %+v, want code %d and %q", line, got, exitUsage, want)
		}
	}
	if _, err := os.Stat(out); err == nil {
		t.Errorf("%s was written", out)
	}
}

func TestGenerateTellsOnceWhatFailed(t *testing.T) {
	t.Parallel()
	got := runLine(t, nil, "generate-pdf", "--kind", "exam", "--modules", "1", "--pages", "90", "-o", filepath.Join(t.TempDir(), "x.pdf"))
	if got.code != exitFailed || strings.Count(got.err, "generate a timetable") != 1 || strings.Contains(got.err, "generate the timetable") {
		t.Errorf("got %+v, want code %d and once what was being done", got, exitFailed)
	}
}

func TestGenerateMakesSixModules(t *testing.T) {
	t.Parallel()
	_, truth := generated(t, "--kind", "lecture")
	modules := map[string]bool{}
	for _, e := range truth.Entries {
		modules[e.Module] = true
	}
	if len(modules) != 6 {
		t.Errorf("got %d modules, want 6", len(modules))
	}
}
