package parse_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/functions/pdf-parse/parse"
	"github.com/schedgen/schedgen/shared/fixture"
	"github.com/schedgen/schedgen/shared/timetable"
)

// rewrites are other programs that write the same pages anew.
var rewrites = map[string][]string{
	"qpdf linearized":      {"qpdf", "--linearize", "IN", "OUT"},
	"qpdf object streams":  {"qpdf", "--object-streams=generate", "IN", "OUT"},
	"qpdf AES-256":         {"qpdf", "--encrypt", "", "owner", "256", "--", "IN", "OUT"},
	"qpdf uncompressed":    {"qpdf", "--decrypt", "--qdf", "IN", "OUT"},
	"qpdf turned":          {"qpdf", "--rotate=+90", "IN", "OUT"},
	"pdftocairo":           {"pdftocairo", "-pdf", "IN", "OUT"},
	"MuPDF cleaned":        {"mutool", "clean", "-gggg", "-s", "-z", "IN", "OUT"},
	"MuPDF converted":      {"mutool", "convert", "-F", "pdf", "-o", "OUT", "IN"},
	"Ghostscript":          {"gs", "-q", "-dBATCH", "-dNOPAUSE", "-sDEVICE=pdfwrite", "-sOutputFile=OUT", "IN"},
	"Poppler's PostScript": {"sh", "-c", `pdftops "IN" "OUT.ps" && ps2pdf "OUT.ps" "OUT"`},
	"Cairo's PostScript":   {"sh", "-c", `pdftocairo -ps "IN" "OUT.ps" && ps2pdf "OUT.ps" "OUT"`},
}

// TestGeneratedRewritten has other programs write generated timetables anew, other ones at other
// scales in each run.
func TestGeneratedRewritten(t *testing.T) {
	t.Parallel()
	first := firstSeed(t)
	for _, kind := range []timetable.Kind{timetable.Lecture, timetable.Test, timetable.Exam} {
		for i, style := range []fixture.Style{fixture.Oracle, fixture.Stroked, fixture.Stroked, fixture.Borderless, fixture.Sparse} {
			o := fixture.Random(first + uint64(i))
			o.Kind, o.Style, o.Plain, o.Place = kind, style, true, fixture.AnyPlace(o.Seed)
			t.Run(fmt.Sprintf("%s %s %d", kind, style, o.Seed), func(t *testing.T) {
				t.Parallel()
				pdf, truth, err := fixture.Generate(o)
				if err != nil {
					t.Fatalf("%+v: %v", o, err)
				}
				path := filepath.Join(t.TempDir(), "made.pdf")
				if err := os.WriteFile(path, pdf, 0o600); err != nil {
					t.Fatal(err)
				}
				programs := rewrites
				if o.Place.Scale < leastPrinted {
					programs = withoutPostScript()
				}
				compareRewritten(t, path, truth, programs)
			})
		}
	}
}

// leastPrinted is the scale below which PostScript loses text: it has hundredths of a point, and papers of whole points.
const leastPrinted = 0.5

func withoutPostScript() map[string][]string {
	programs := maps.Clone(rewrites)
	maps.DeleteFunc(programs, func(name string, _ []string) bool { return strings.Contains(name, "PostScript") })
	return programs
}

// compareRewritten has each of the programs write a file anew, and reads what it wrote. The
// subtests are not parallel: the directory of the file goes with its test.
func compareRewritten(t *testing.T, path string, want timetable.Document, programs map[string][]string) {
	t.Helper()
	for name, command := range programs {
		t.Run(name, func(t *testing.T) { compare(t, rewritten(t, path, command), want) })
	}
}

// compare reads a file and holds it against the truth, but for the wording of warnings.
func compare(t *testing.T, path string, want timetable.Document) {
	t.Helper()
	pdf, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got, err := parse.Parse(pdf)
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	if diff := fixture.Equal(got, want); diff != "" {
		t.Error(diff)
	}
}

// rewritten has a program write a file anew and gives the path of what it wrote.
func rewritten(t *testing.T, path string, command []string) string {
	t.Helper()
	for _, program := range []string{command[0], "pdftops", "ps2pdf"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed: run `make setup`", program)
		}
	}
	out := filepath.Join(t.TempDir(), "out.pdf")
	args := make([]string, len(command))
	for i, arg := range command {
		args[i] = strings.NewReplacer("IN", path, "OUT", out).Replace(arg)
	}
	// Some complain of what they mend and write it all the same.
	msg, err := exec.CommandContext(t.Context(), args[0], args[1:]...).CombinedOutput()
	if _, missing := os.Stat(out); missing != nil {
		t.Fatalf("%s wrote nothing: %v: %s", strings.Join(args, " "), err, msg)
	}
	return out
}
