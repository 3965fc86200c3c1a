package parse_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/functions/pdf-parse/parse"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
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
// scales in each run: from 1/2 to 2, for they round to hundredths of a point and cut large papers.
func TestGeneratedRewritten(t *testing.T) {
	t.Parallel()
	first := firstSeed(t)
	for _, kind := range []timetable.Kind{timetable.Lecture, timetable.Test, timetable.Exam} {
		for i, style := range []fixture.Style{fixture.Oracle, fixture.Stroked, fixture.Stroked, fixture.Borderless, fixture.Sparse} {
			compareGenerated(t, kind, style, first+uint64(i))
		}
	}
}

// TestSheetsClippedToWhatIsDrawn reads sheets of several pages around whose text, or text and rulings, a trip through
// PostScript leaves one clip.
func TestSheetsClippedToWhatIsDrawn(t *testing.T) {
	t.Parallel()
	compareGenerated(t, timetable.Test, fixture.Sparse, 871802553345)
	compareGenerated(t, timetable.Lecture, fixture.Stroked, 20261128)
}

// compareGenerated has other programs write one generated timetable anew.
func compareGenerated(t *testing.T, kind timetable.Kind, style fixture.Style, seed uint64) {
	t.Helper()
	o := fixture.Random(seed)
	o.Kind, o.Style, o.Plain, o.Place = kind, style, true, fixture.Placed(seed, 2)
	t.Run(fmt.Sprintf("%s %s %d", kind, style, seed), func(t *testing.T) {
		t.Parallel()
		pdf, truth, err := fixture.Generate(o)
		if err != nil {
			t.Fatalf("%+v: %v", o, err)
		}
		path := filepath.Join(t.TempDir(), "made.pdf")
		if err := os.WriteFile(path, pdf, 0o600); err != nil {
			t.Fatal(err)
		}
		compareRewritten(t, path, truth, o.Change)
	})
}

// compareRewritten has every other program write a file anew, and reads what it wrote. The
// subtests are not parallel: the directory of the file goes with its test.
func compareRewritten(t *testing.T, path string, want timetable.Document, change fixture.Change) {
	t.Helper()
	for name, command := range rewrites {
		t.Run(name, func(t *testing.T) { compareChanged(t, rewritten(t, path, command), want, change) })
	}
}

// compare reads a file and holds it against the truth, but for the wording of warnings.
func compare(t *testing.T, path string, want timetable.Document) {
	t.Helper()
	compareChanged(t, path, want, "")
}

// compareChanged is compare for a file that was changed.
func compareChanged(t *testing.T, path string, want timetable.Document, change fixture.Change) {
	t.Helper()
	pdf, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got, err := parse.Parse(pdf)
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	if diff := wrong(got, want, change); diff != "" {
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
