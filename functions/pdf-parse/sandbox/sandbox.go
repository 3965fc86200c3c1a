// Package sandbox reads foreign PDFs in child processes of the same binary. A file that makes the
// reader loop, crash or devour memory takes down its child alone, and only within its limits.
//
// A child is called a reader. Parse and Draw start one for a single document. Readers are kept: started ahead, confined
// before they are given their first byte, and given one document after the other until their time is over.
//
// A program that uses it calls MaybeChild before anything else in main.
package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/schedgen/schedgen/functions/pdf-parse/parse"
	"github.com/schedgen/schedgen/shared/settings"
	"github.com/schedgen/schedgen/shared/timetable"
)

// Limits are what one reading of a PDF may cost; zero fields take their defaults. A PDF with which a reader fails that has
// read others is read twice, so that it may cost twice as much.
type Limits struct {
	Memory int64         `env:"PARSE_MEMORY, default=402653184"` // bytes of private memory, 384 MiB; 100 full pages need up to 205 MiB
	CPU    time.Duration `env:"PARSE_CPU, default=10s"`          // whole seconds; a timetable takes milliseconds
	Wall   time.Duration `env:"PARSE_TIMEOUT, default=10s"`      // wall-clock time that one reading may take
}

// seconds is the limit of processor time as the kernel takes it.
func (l Limits) seconds() uint64 { return uint64(max(1, l.CPU/time.Second)) }

// lifetime is the processor time of a reader in all its life, in seconds. It ends after a document with which it has taken
// more than one document's, so that the next always has as much left.
func (l Limits) lifetime() uint64 { return 2*l.seconds() + 1 }

// Parse gives the timetable that a PDF prints, read in a process of its own. A *parse.Error is final; ctx's error and any
// other say nothing about the file, which may be tried again. It returns in time even where a Read of pdf
// does not; that Read is the caller's to end.
func Parse(ctx context.Context, pdf io.Reader, limits Limits) (timetable.Document, error) {
	out, err := once(ctx, taskParse, pdf, limits)
	if err != nil {
		return timetable.Document{}, err
	}
	return decode(out)
}

// Draw writes an SVG of what is seen on a PDF's pages; its errors are those of Parse.
func Draw(ctx context.Context, w io.Writer, pdf io.Reader, limits Limits) error {
	out, err := once(ctx, taskDraw, pdf, limits)
	if err != nil {
		return err
	}
	if _, err := w.Write(out); err != nil {
		return fmt.Errorf("write the drawing: %w", err)
	}
	return nil
}

// once starts a reader for one document.
func once(ctx context.Context, t task, pdf io.Reader, limits Limits) ([]byte, error) {
	r, err := startReader(ctx, settings.WithDefaults(limits))
	if err != nil {
		return nil, err
	}
	defer r.end()
	out, _, err := r.read(ctx, t, pdf)
	return out, err
}

// decode reads a reader's answer as what it is: foreign text.
func decode(out []byte) (timetable.Document, error) {
	var doc timetable.Document
	if err := json.Unmarshal(out, &doc); err != nil {
		return timetable.Document{}, fmt.Errorf("read the parser's answer: %w", err)
	}
	return doc, nil
}

// outOfTime is why no time is left: the caller's is over, or the file took all that it may.
func outOfTime(ctx, inTime context.Context) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case inTime.Err() != nil:
		return parse.New(parse.TooComplex)
	}
	return nil
}

// reported is the error that a reader answered with.
func reported(data []byte) error {
	var e parse.Error
	if err := json.Unmarshal(data, &e); err != nil || e.Code == "" {
		return fmt.Errorf("the parser answered neither a timetable nor an error: %.200q", data)
	}
	return &e
}

// diagnose tells what the end of a reader says about its first document. A kill from outside says nothing.
func diagnose(err error, stderr string, limits Limits) error {
	var exit *exec.ExitError
	if err == nil {
		return errors.New("the parser ended early")
	}
	if !errors.As(err, &exit) {
		return fmt.Errorf("run the parser: %w", err)
	}
	spent := exit.UserTime() + exit.SystemTime()
	for _, sign := range []string{"out of memory", "cannot allocate memory", "stack overflow", "stack exceeds"} {
		if strings.Contains(stderr, sign) {
			return parse.New(parse.TooComplex)
		}
	}
	switch {
	case strings.Contains(stderr, "pthread_create failed") && peak(exit) > limits.Memory/4:
		return parse.New(parse.TooComplex) // no room for another stack; the machine's own lack of threads is not the file's
	case strings.HasPrefix(stderr, "SIGSEGV") && peak(exit) > limits.Memory/4:
		return parse.New(parse.TooComplex) // Go's own collector got no memory; a mistake of ours begins with "panic:"
	case spent >= limits.CPU: // the kernel killed it: it did not get to say so itself
		return parse.New(parse.TooComplex)
	case strings.Contains(stderr, "panic:") || strings.Contains(stderr, "fatal error:"):
		return parse.New(parse.Damaged)
	}
	return fmt.Errorf("the parser ended early: %w: %.200s", err, stderr)
}

// peak is the most memory that the child had resident, in bytes.
func peak(exit *exec.ExitError) int64 {
	usage, ok := exit.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	return usage.Maxrss << 10
}

// bounded keeps the first bytes written to it and forgets the others.
type bounded struct {
	data  []byte
	limit int
}

func (b *bounded) Write(p []byte) (int, error) {
	b.data = append(b.data, p[:min(len(p), b.limit-len(b.data))]...)
	return len(p), nil
}
