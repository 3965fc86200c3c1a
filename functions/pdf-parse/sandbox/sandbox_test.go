package sandbox_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/schedgen/schedgen/functions/pdf-parse/parse"
	"github.com/schedgen/schedgen/functions/pdf-parse/sandbox"
	"github.com/schedgen/schedgen/shared/dev/testkit"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
)

func TestTimetable(t *testing.T) {
	t.Parallel()
	pdf, want := timetablePDF(t)
	got, err := sandbox.Parse(t.Context(), bytes.NewReader(pdf), sandbox.Limits{})
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	if diff := fixture.Equal(got, want); diff != "" {
		t.Error(diff)
	}
}

func TestDrawing(t *testing.T) {
	t.Parallel()
	pdf, _ := timetablePDF(t)
	var svg bytes.Buffer
	if err := sandbox.Draw(t.Context(), &svg, bytes.NewReader(pdf), sandbox.Limits{}); err != nil {
		t.Fatalf("Draw: %v", err)
	}
	if err := xml.Unmarshal(svg.Bytes(), new(struct{})); err != nil {
		t.Errorf("the drawing is no XML: %v", err)
	}
	var e *parse.Error
	if err := sandbox.Draw(t.Context(), io.Discard, strings.NewReader("text"), sandbox.Limits{}); !errors.As(err, &e) || e.Code != parse.NotPDF {
		t.Errorf("Draw of a text: got %v, want %s", err, parse.NotPDF)
	}
	if err := sandbox.Draw(t.Context(), full{}, bytes.NewReader(pdf), sandbox.Limits{}); err == nil || errors.As(err, &e) {
		t.Errorf("Draw to a full disk: got %v, want an error that is not the file's", err)
	}
}

// full is a writer without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// TestHostileFiles reads every hostile fixture as it would be read in production, one after the
// other: each ends in one of its own errors, and this process does not grow.
func TestHostileFiles(t *testing.T) {
	files, err := fixture.Hostile()
	if err != nil {
		t.Fatal(err)
	}
	before := heap()
	for _, f := range files {
		t.Run(f.Name, func(t *testing.T) {
			start := time.Now()
			_, err := sandbox.Parse(t.Context(), bytes.NewReader(f.PDF), sandbox.Limits{})
			t.Logf("%v after %v", err, time.Since(start).Round(time.Millisecond))
			var e *parse.Error
			switch {
			case err == nil && f.MayParse:
			case !errors.As(err, &e):
				t.Errorf("got %v, want one of %v", err, f.Codes)
			case !slices.Contains(f.Codes, e.Code):
				t.Errorf("got %s, want one of %v", e.Code, f.Codes)
			case e.Message == "" || e.Message != e.Error():
				t.Errorf("%s has no sentence for people", e.Code)
			}
		})
	}
	if grown := heap() - before; grown > 64<<20 {
		t.Errorf("the caller's memory grew by %d MB", grown>>20)
	}
	if left := children(t, os.Getpid()); len(left) > 0 {
		t.Errorf("children %v are left", left)
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestKilledFromOutside holds that a child killed by someone else says nothing about the file.
func TestKilledFromOutside(t *testing.T) {
	t.Parallel()
	cmd, said, child := startParent(t)
	if err := syscall.Kill(child, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || !strings.HasPrefix(said.String(), "retryable: ") {
		t.Errorf("the parent said %q and ended with %v, want a retryable error", said, err)
	}
}

// TestContextEndsTheGroup holds that the child leads a process group, which the context's end kills.
func TestContextEndsTheGroup(t *testing.T) {
	t.Parallel()
	cmd, said, child := startParent(t)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || said.String() != "the context's\n" {
		t.Errorf("the parent said %q and ended with %v", said, err)
	}
	if err := syscall.Kill(-child, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("kill -0 of the child's group: got %v, want %v", err, syscall.ESRCH)
	}
}

func TestChildDiesWithItsParent(t *testing.T) {
	t.Parallel()
	cmd, _, child := startParent(t)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	testkit.Eventually(t, "the child has ended", func() bool { return !running(child) })
}

func TestLimits(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		pdf    []byte // nil: its bytes never come
		limits sandbox.Limits
	}{
		"wall clock": {nil, sandbox.Limits{Wall: 50 * time.Millisecond}},
		"CPU":        {busy(), sandbox.Limits{CPU: time.Second}},
		"memory":     {busy(), sandbox.Limits{Memory: 96 << 20}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var pdf io.Reader = until{t.Context()}
			if test.pdf != nil {
				pdf = bytes.NewReader(test.pdf)
			}
			_, err := sandbox.Parse(t.Context(), pdf, test.limits)
			var e *parse.Error
			if !errors.As(err, &e) || e.Code != parse.TooComplex {
				t.Errorf("got %v, want %s", err, parse.TooComplex)
			}
		})
	}
}

// busy is a page that takes seconds and some hundred megabytes to read: forms that show a form twice,
// over and over, and paths at the end.
func busy() []byte {
	var content bytes.Buffer
	w := zlib.NewWriter(&content)
	_, _ = w.Write(bytes.Repeat([]byte("0 0 m 9 9 l S\n"), 3<<20)) // neither fails: a buffer takes everything
	_ = w.Close()
	var pdf bytes.Buffer
	pdf.WriteString("%PDF-1.7\n")
	var offsets []int
	object := func(body string) {
		offsets = append(offsets, pdf.Len())
		fmt.Fprintf(&pdf, "%d 0 obj\n%s\nendobj\n", len(offsets), body)
	}
	object("<< /Type /Catalog /Pages 2 0 R >>")
	object("<< /Type /Pages /Count 1 /Kids [ 3 0 R ] >>")
	object("<< /Type /Page /Parent 2 0 R /MediaBox [ 0 0 200 200 ] /Contents 4 0 R /Resources << /XObject << /X 5 0 R >> >> >>")
	object("<< /Length 23 >>\nstream\n/X Do /X Do /X Do /X Do\nendstream")
	object(fmt.Sprintf("<< /Type /XObject /Subtype /Form /BBox [ 0 0 200 200 ] /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream",
		content.Len(), content.String()))
	start := pdf.Len()
	fmt.Fprintf(&pdf, "xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, offset := range offsets {
		fmt.Fprintf(&pdf, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&pdf, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, start)
	return pdf.Bytes()
}

func TestContextThatHasEnded(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sandbox.Parse(ctx, until{ctx}, sandbox.Limits{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

// TestUploadBreaksOff holds that a file whose bytes stop coming is not called damaged.
func TestUploadBreaksOff(t *testing.T) {
	t.Parallel()
	pdf, _ := timetablePDF(t)
	broken := errors.New("connection reset")
	_, err := sandbox.Parse(t.Context(), io.MultiReader(bytes.NewReader(pdf[:len(pdf)/2]), iotest.ErrReader(broken)), sandbox.Limits{})
	var e *parse.Error
	if !errors.Is(err, broken) || errors.As(err, &e) {
		t.Errorf("got %v, want %v", err, broken)
	}
}

// TestNothingIsLeft runs alone: it counts what this process holds before and after.
func TestNothingIsLeft(t *testing.T) {
	pdf, _ := timetablePDF(t)
	use := func() {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		_, _ = sandbox.Parse(t.Context(), bytes.NewReader(pdf), sandbox.Limits{})
		_, _ = sandbox.Parse(t.Context(), strings.NewReader("text"), sandbox.Limits{})
		_, _ = sandbox.Parse(ctx, until{ctx}, sandbox.Limits{})
	}
	use() // what the runtime opens once
	files, goroutines := openFiles(t), runtime.NumGoroutine()
	for range 5 {
		use()
	}
	testkit.Eventually(t, "files and goroutines are as many as before", func() bool {
		return openFiles(t) <= files && runtime.NumGoroutine() <= goroutines
	})
	if left := children(t, os.Getpid()); len(left) > 0 {
		t.Errorf("children %v are left", left)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skipf("needs /proc: run the tests on Linux with it mounted (%v)", err)
	}
	return len(entries)
}
