package parse_test

import (
	"os"
	"path/filepath"
	"testing"
)

// cases are files that people and programs made of the samples, and the sample whose truth each must give.
var cases = map[string]string{
	"null-tounicode-exams.pdf":   "UP_EXAM_SS",
	"minus-tests.pdf":            "UP_TST_PDF",
	"encrypted-no-eof-exams.pdf": "UP_EXAM_SS",
	"type3-lectures.pdf":         "UP_MOD_XLS",
	"UP_MOD_XLS.hiddenlayer.pdf": "UP_MOD_XLS",
	"UP_MOD_XLS.white.pdf":       "UP_MOD_XLS",
	"UP_MOD_XLS.userunit10.pdf":  "UP_MOD_XLS",
	"UP_MOD_XLS.scale3.pdf":      "UP_MOD_XLS",
	"underline-lectures.pdf":     "UP_MOD_XLS",
	"watermark-lectures.pdf":     "UP_MOD_XLS",
}

// TestCases reads them. Each of their kinds is also generated, by other tests.
func TestCases(t *testing.T) {
	t.Parallel()
	dir, samples := os.Getenv("SCHEDGEN_CASES"), os.Getenv("SCHEDGEN_SAMPLES")
	if dir == "" || samples == "" {
		t.Skip("set SCHEDGEN_CASES to a folder of changed PDFs, and SCHEDGEN_SAMPLES to the samples that they were made of, to read them")
	}
	for name, sample := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			compare(t, filepath.Join(dir, name), truth(t, filepath.Join(samples, sample+".pdf")))
		})
	}
}
