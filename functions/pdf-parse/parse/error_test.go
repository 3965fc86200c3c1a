package parse_test

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/schedgen/schedgen/functions/pdf-parse/parse"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/timetable"
)

// hostile are the fixtures that attack a reader or are no timetables; the largest take seconds to make.
var hostile = sync.OnceValues(fixture.Hostile)

// TestRefused reads files that are sound but no timetable: each has an error and a sentence of its own.
func TestRefused(t *testing.T) {
	t.Parallel()
	files, err := hostile()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"plain text": parse.NotPDF, "password AES-256": parse.Encrypted, "password AES-128": parse.Encrypted, "no pages": parse.NoPages,
		"101 pages": parse.TooManyPages, "over 10 MB": parse.TooLarge, "scan": parse.NoText, "scan with invisible text": parse.NoText,
		"letter": parse.NoTimetable, "headings without rows": parse.NoTimetable,
	}
	sentences := map[string]string{}
	for _, f := range files {
		code, ok := want[f.Name]
		if !ok {
			continue
		}
		delete(want, f.Name)
		_, err := parse.Parse(f.PDF)
		var e *parse.Error
		if !errors.As(err, &e) || e.Code != code {
			t.Errorf("%s: got %v, want %s", f.Name, err, code)
			continue
		}
		if other, taken := sentences[e.Message]; taken && other != code || !strings.HasSuffix(e.Message, ".") {
			t.Errorf("%s: its sentence is %q, as of %s", code, e.Message, other)
		}
		sentences[e.Message] = code
	}
	for name := range want {
		t.Errorf("no fixture is named %q", name)
	}
}

// TestDrawsWhatIsNoTimetable holds that a drawing needs text, and no table.
func TestDrawsWhatIsNoTimetable(t *testing.T) {
	t.Parallel()
	files, err := hostile()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		var svg bytes.Buffer
		switch f.Name {
		case "letter":
			if err := parse.Draw(&svg, f.PDF); err != nil || !strings.Contains(svg.String(), ">COS<") {
				t.Errorf("%s: %v, drawn without its words:\n%.300s", f.Name, err, &svg)
			}
		case "scan":
			var e *parse.Error
			if err := parse.Draw(&svg, f.PDF); !errors.As(err, &e) || e.Code != parse.NoText || svg.Len() > 0 {
				t.Errorf("%s: got %v and %d bytes, want %s", f.Name, err, svg.Len(), parse.NoText)
			}
		}
	}
	pdf, _, err := fixture.Generate(fixture.Options{Kind: timetable.Exam, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := parse.Draw(full{}, pdf); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("to a full disk: got %v, want %v", err, syscall.ENOSPC)
	}
}

// full is a writer without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, syscall.ENOSPC }
