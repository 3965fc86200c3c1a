package parse_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/shared/timetable"
)

// TestSamples reads real timetables, as they came and written anew by other programs.
func TestSamples(t *testing.T) {
	t.Parallel()
	pdfs := samples(t)
	if pdfs == nil {
		t.Skip("set SCHEDGEN_SAMPLES to a folder of real PDFs, each with its .truth.json, to read them")
	}
	for _, path := range pdfs {
		want := truth(t, path)
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			compare(t, path, want)
			compareRewritten(t, path, want, "")
		})
	}
}

// samples are the real PDFs, nil where SCHEDGEN_SAMPLES names no folder of them.
func samples(t *testing.T) []string {
	t.Helper()
	dir := os.Getenv("SCHEDGEN_SAMPLES")
	if dir == "" {
		return nil
	}
	pdfs, _ := filepath.Glob(filepath.Join(dir, "*.pdf"))
	if len(pdfs) == 0 {
		t.Fatalf("no PDF in %s", dir)
	}
	return pdfs
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
