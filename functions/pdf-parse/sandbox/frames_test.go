package sandbox

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/functions/pdf-parse/extract"
)

func TestADocumentComesAsItWasSent(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, maxPart, maxPart + 1, extract.MaxBytes, extract.MaxBytes + 1, extract.MaxBytes + 2} {
		want := bytes.Repeat([]byte("x"), size)
		var pipe bytes.Buffer
		for number := range uint64(2) { // the first leaves nothing for the second
			if err := sendDocument(&pipe, number, taskDraw, bytes.NewReader(want)); err != nil {
				t.Fatal(err)
			}
		}
		want = want[:min(size, extract.MaxBytes+1)] // enough to see that it is too large
		for number := range uint64(2) {
			got, err := receiveDocument(&pipe)
			if err != nil || got.number != number || got.task != taskDraw || !bytes.Equal(got.pdf, want) {
				t.Errorf("%d bytes: got %d, document %d, task %d, %v", size, len(got.pdf), got.number, got.task, err)
			}
		}
		if _, err := receiveDocument(&pipe); !errors.Is(err, io.EOF) {
			t.Errorf("after the last: got %v", err)
		}
	}
}

// TestADocumentThatBreaksOffIsNone cuts two documents everywhere: only between them no more is expected.
func TestADocumentThatBreaksOffIsNone(t *testing.T) {
	t.Parallel()
	var one, pipe bytes.Buffer
	if err := sendDocument(&one, newNumber(), taskParse, strings.NewReader("%PDF-")); err != nil {
		t.Fatal(err)
	}
	pipe.Write(one.Bytes())
	pipe.Write(one.Bytes())
	for cut := range pipe.Len() + 1 {
		in := bytes.NewReader(pipe.Bytes()[:cut])
		for range cut / one.Len() {
			if _, err := receiveDocument(in); err != nil {
				t.Fatalf("cut after %d bytes: %v", cut, err)
			}
		}
		if d, err := receiveDocument(in); errors.Is(err, io.EOF) != (cut%one.Len() == 0) || err == nil || d.pdf != nil {
			t.Errorf("cut after %d bytes: got %+v, %v", cut, d, err)
		}
	}
}

// TestNumbersAreRandom holds that nobody who knows some numbers knows the next.
func TestNumbersAreRandom(t *testing.T) {
	t.Parallel()
	seen, steps := map[uint64]bool{}, map[uint64]bool{}
	last := newNumber()
	for range 100 {
		next := newNumber()
		if seen[next] || steps[next-last] {
			t.Fatalf("%d comes again, or is as far from %d as another was", next, last)
		}
		seen[next], steps[next-last] = true, true
		last = next
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	t.Parallel()
	frame := func(a answer) string {
		var out bytes.Buffer
		if err := sendAnswer(&out, a); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	const number, most = 7, 100
	for name, text := range map[string]string{
		"none":              "",
		"half of one":       frame(answer{number, done, []byte("answer")})[:10],
		"to another":        frame(answer{number - 1, done, nil}),
		"of no kind":        frame(answer{number, 0, nil}),
		"too long":          frame(answer{number, done, make([]byte, most+1)}),
		"too long an error": frame(answer{number, refused, make([]byte, maxDiagnosis+1)}),
		"only a length":     "\x00\x00\x00\x00\x00\x00\x00\x07\x02\xff\xff\xff\xff",
	} {
		if got, err := receiveAnswer(strings.NewReader(text), number, most); err == nil {
			t.Errorf("%s: got %+v", name, got)
		}
	}
	got, err := receiveAnswer(strings.NewReader(frame(answer{number, done, []byte("answer")})), number, most)
	if err != nil || got.outcome != done || string(got.body) != "answer" {
		t.Errorf("got %+v, %v", got, err)
	}
}

// FuzzReceiveAnswer holds that whatever a reader writes is bounded, and that only its own document's answer counts.
func FuzzReceiveAnswer(f *testing.F) {
	var whole bytes.Buffer
	if err := sendAnswer(&whole, answer{1, done, []byte("{}")}); err != nil {
		f.Fatal(err)
	}
	f.Add(whole.Bytes())
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x01\x03\x00\x00\x00\x01"))
	f.Fuzz(func(t *testing.T, data []byte) {
		const most = 1 << 10
		a, err := receiveAnswer(bytes.NewReader(data), 1, most)
		if err == nil && (a.number != 1 || len(a.body) > max(most, maxDiagnosis)) {
			t.Errorf("got %d bytes to document %d", len(a.body), a.number)
		}
	})
}

// FuzzReceiveDocument holds that a reader takes no more than a document may have.
func FuzzReceiveDocument(f *testing.F) {
	var whole bytes.Buffer
	if err := sendDocument(&whole, 1, taskParse, strings.NewReader("%PDF-")); err != nil {
		f.Fatal(err)
	}
	f.Add(whole.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		if d, err := receiveDocument(bytes.NewReader(data)); err == nil && len(d.pdf) > extract.MaxBytes+1 {
			t.Errorf("got %d bytes", len(d.pdf))
		}
	})
}
