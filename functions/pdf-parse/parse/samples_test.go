package parse_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/functions/pdf-parse/parse"
	"github.com/schedgen/schedgen/shared/timetable"
)

// rewrites are other programs that write the same pages anew.
var rewrites = map[string][]string{
	"qpdf linearized":       {"qpdf", "--linearize", "IN", "OUT"},
	"qpdf object streams":   {"qpdf", "--object-streams=generate", "IN", "OUT"},
	"qpdf AES-256":          {"qpdf", "--encrypt", "", "owner", "256", "--", "IN", "OUT"},
	"qpdf uncompressed":     {"qpdf", "--decrypt", "--qdf", "IN", "OUT"},
	"qpdf turned":           {"qpdf", "--rotate=+90", "IN", "OUT"},
	"MuPDF converted":       {"mutool", "convert", "-F", "pdf", "-o", "OUT", "IN"},
	"pdftocairo":            {"pdftocairo", "-pdf", "IN", "OUT"},
	"Ghostscript":           {"gs", "-q", "-dBATCH", "-dNOPAUSE", "-sDEVICE=pdfwrite", "-sOutputFile=OUT", "IN"},
	"MuPDF":                 {"mutool", "clean", "-gggg", "-s", "IN", "OUT"},
	"pdftocairo PostScript": {"sh", "-c", `pdftops "IN" "OUT.ps" && gs -q -dBATCH -dNOPAUSE -sDEVICE=pdfwrite -sOutputFile="OUT" "OUT.ps"`},
}

// TestSamples reads real timetables, as they came and written anew by other programs.
func TestSamples(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("SCHEDGEN_SAMPLES")
	if dir == "" {
		t.Skip("set SCHEDGEN_SAMPLES to a folder of real PDFs, each with its .truth.json, to read them")
	}
	pdfs, _ := filepath.Glob(filepath.Join(dir, "*.pdf"))
	if len(pdfs) == 0 {
		t.Fatalf("no PDF in %s", dir)
	}
	for _, path := range pdfs {
		want := truth(t, path)
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			compare(t, path, want)
			for name, command := range rewrites {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					compare(t, rewritten(t, path, command), want)
				})
			}
		})
	}
}

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
	gotJSON, wantJSON := linesOf(t, got), linesOf(t, want)
	for i := range max(len(gotJSON), len(wantJSON)) {
		var g, w string
		if i < len(gotJSON) {
			g = gotJSON[i]
		}
		if i < len(wantJSON) {
			w = wantJSON[i]
		}
		if g != w {
			t.Errorf("entry %d\n got %s\nwant %s", i, g, w)
		}
	}
}

func linesOf(t *testing.T, doc timetable.Document) []string {
	t.Helper()
	lines := []string{string(doc.Kind)}
	for _, e := range doc.Entries {
		b, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(b))
	}
	return lines
}

func rewritten(t *testing.T, path string, command []string) string {
	t.Helper()
	if _, err := exec.LookPath(command[0]); err != nil {
		t.Skipf("install %s to read what it writes", command[0])
	}
	out := filepath.Join(t.TempDir(), "out.pdf")
	args := make([]string, len(command))
	for i, arg := range command {
		args[i] = strings.NewReplacer("IN", path, "OUT", out).Replace(arg)
	}
	if msg, err := exec.CommandContext(t.Context(), args[0], args[1:]...).CombinedOutput(); err != nil {
		if _, missing := err.(*exec.ExitError); !missing || !fileExists(out) {
			t.Skipf("%s cannot write it: %v: %s", command[0], err, msg)
		}
	}
	return out
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// truth reads the rows beside a sample.
func truth(t *testing.T, path string) timetable.Document {
	t.Helper()
	var file struct {
		Type timetable.Kind
		Rows []struct {
			timetable.Entry
			Start        string
			End          string
			Venue        string
			StudyProg    string `json:"study_prog"`
			ModuleCampus string `json:"module_campus"`
			ExamCampus   string `json:"exam_campus"`
		}
	}
	data, err := os.ReadFile(strings.TrimSuffix(path, ".pdf") + ".truth.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	doc := timetable.Document{Kind: file.Type}
	for _, row := range file.Rows {
		e := row.Entry
		e.StartTime, e.EndTime, e.StudyProg, e.ModuleCampus = row.Start, row.End, row.StudyProg, row.ModuleCampus
		if row.Venue != "" {
			e.Venues = []string{row.Venue}
		}
		if doc.Kind == timetable.Exam {
			e.Campus, e.EndTimeEstimated = row.ExamCampus, true
			e.EndTime = map[string]string{"07:30": "10:30", "11:15": "14:15", "15:00": "18:00"}[row.Start]
		}
		doc.Entries = append(doc.Entries, e)
	}
	return doc
}
