package sandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/schedgen/schedgen/functions/pdf-parse/parse"
	"github.com/schedgen/schedgen/functions/pdf-parse/sandbox"
	"github.com/schedgen/schedgen/shared/dev/testkit"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
)

// limitsEnv are the limits of a process that reads here, as JSON.
const limitsEnv = "SCHEDGEN_TEST_LIMITS"

// tellHere reads the PDF on standard input in this process, and tells what it says.
func tellHere() error {
	var limits sandbox.Limits
	if err := json.Unmarshal([]byte(os.Getenv(limitsEnv)), &limits); err != nil {
		return err
	}
	pdf, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	_, err = fmt.Print(said(sandbox.ParseHere(context.Background(), pdf, limits)))
	return err
}

func tellAttemptsHere() error {
	return attemptsAfter(func() error {
		if got := said(sandbox.ParseHere(context.Background(), []byte("text"), sandbox.Limits{})); got != parse.NotPDF {
			return fmt.Errorf("got %s, want %s", got, parse.NotPDF)
		}
		return nil
	})
}

// readHere has a process read a PDF in itself. What it says goes into a file, as where a person sends it.
func readHere(t *testing.T, pdf []byte, limits sandbox.Limits) string {
	t.Helper()
	text, err := json.Marshal(limits)
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(filepath.Join(t.TempDir(), "said"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close() // read from its path
	var stderr strings.Builder
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
	cmd.Env = append(os.Environ(), attemptEnv+"=here", limitsEnv+"="+string(text))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(pdf), out, &stderr
	err = cmd.Run()
	if said := testkit.ChildErrors(stderr.String()); err != nil || said != "" {
		t.Fatalf("%v: %.500s", err, said)
	}
	got, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}

// TestHereIsConfined makes every attempt in a process that has read a PDF in itself: none works.
func TestHereIsConfined(t *testing.T) {
	t.Parallel()
	allowTracing(t)
	outcome := attemptWith(t, "attempts here", nil)
	for name := range attempts {
		if failed, made := outcome[name]; !made || failed == "" {
			t.Errorf("%s: worked, or was not attempted", name)
		}
	}
}

// TestHereReadsWhatAReaderReads compares what a process says that reads in itself with what a reader says.
func TestHereReadsWhatAReaderReads(t *testing.T) {
	t.Parallel()
	hostile, err := fixture.Hostile()
	if err != nil {
		t.Fatal(err)
	}
	pdfs := corpus(t)
	for _, file := range hostile {
		delete(pdfs, file.Name)
	}
	for name, pdf := range pdfs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := said(sandbox.Parse(t.Context(), bytes.NewReader(pdf), patient))
			if got := readHere(t, pdf, patient); got != want {
				t.Errorf("got %.300s, want %.300s", got, want)
			}
		})
	}
	for _, file := range hostile {
		t.Run(file.Name, func(t *testing.T) {
			t.Parallel()
			got := readHere(t, file.PDF, sandbox.Limits{CPU: 2 * time.Second, Wall: patient.Wall})
			if timetable := strings.HasPrefix(got, "{"); !timetable && !slices.Contains(file.Codes, got) || timetable && !file.MayParse {
				t.Errorf("got %.300s, want one of %v", got, file.Codes)
			}
		})
	}
}

// TestHereHasLimits holds that whatever a PDF takes too much of, the process lives on to say so.
func TestHereHasLimits(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		pdf    []byte
		limits sandbox.Limits
		want   string
	}{
		"wall clock": {busy(), sandbox.Limits{Wall: 50 * time.Millisecond}, parse.TooComplex},
		"CPU":        {busy(), sandbox.Limits{CPU: time.Second, Wall: patient.Wall}, parse.TooComplex},
		"memory":     {busy(), sandbox.Limits{Memory: 96 << 20, Wall: patient.Wall}, parse.TooComplex},
		"nesting":    {nested(), sandbox.Limits{Memory: 96 << 20, Wall: patient.Wall}, parse.Damaged}, // it is read as far as it can be
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := readHere(t, test.pdf, test.limits); got != test.want {
				t.Errorf("got %.300s, want %s", got, test.want)
			}
		})
	}
}

// TestHereWithLowerLimits holds that whoever starts a program with lower limits than its own still has it read.
func TestHereWithLowerLimits(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", `ulimit -d 400000 && ulimit -t 15 && exec "$0"`, self)
	cmd.Env = append(os.Environ(), attemptEnv+"=here", limitsEnv+"={}")
	cmd.Stdin = strings.NewReader("text")
	if out, err := cmd.CombinedOutput(); err != nil || testkit.ChildErrors(string(out)) != parse.NotPDF {
		t.Errorf("got %s, %v, want %s", out, err, parse.NotPDF)
	}
}

// nested is a PDF whose catalogue has arrays in arrays, as many as its size allows.
func nested() []byte {
	var pdf bytes.Buffer
	pdf.WriteString("%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R /Deep ")
	pdf.Write(bytes.Repeat([]byte("["), 4<<20))
	pdf.WriteString(" >>\nendobj\n2 0 obj\n<< /Type /Pages /Count 0 /Kids [] >>\nendobj\n")
	start := pdf.Len()
	fmt.Fprintf(&pdf, "xref\n0 2\n0000000000 65535 f \n0000000009 00000 n \ntrailer\n<< /Size 3 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", start)
	return pdf.Bytes()
}
