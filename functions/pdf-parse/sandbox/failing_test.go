package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/schedgen/schedgen/functions/pdf-parse/extract"
	"github.com/schedgen/schedgen/functions/pdf-parse/parse"
	"github.com/schedgen/schedgen/shared/dev/testkit"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/settings"
	"github.com/schedgen/schedgen/shared/timetable"
)

// Here readers are shell scripts: they fail as no reader of ours does by itself.

const (
	sayReady   = `printf '\000\000\000\000\000\000\000\000\001\000\000\000\000'; `
	takeNumber = `head -c 8; ` // and write it, as an answer begins
	waitLong   = `exec sleep 1000`
)

// script is a shell script in a reader's place.
func script(limits Limits, text string) *exec.Cmd {
	cmd := command("/bin/sh", limits)
	cmd.Args = []string{"sh", "-c", text}
	return cmd
}

func startScript(t *testing.T, limits Limits, text string) *reader {
	t.Helper()
	r, err := startCommand(t.Context(), script(limits, text), limits)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.end)
	return r
}

// patient are limits that a machine under load keeps, also with the race detector, which takes memory.
var patient = settings.WithDefaults(Limits{Wall: 5 * time.Minute, Memory: 8 << 30})

// TestAStartThatFailsSaysNothingOfADocument holds that whatever keeps a reader from being ready, no document is blamed.
func TestAStartThatFailsSaysNothingOfADocument(t *testing.T) {
	t.Parallel()
	for name, cmd := range map[string]*exec.Cmd{
		"no such program":  command("/nonexistent", patient),
		"ends at once":     script(patient, `exit 0`),
		"has no memory":    script(patient, `echo 'fatal error: runtime: out of memory' >&2; exit 2`),
		"fails":            script(patient, `echo 'panic: no' >&2; exit 2`),
		"answers too much": script(patient, `printf '\000\000\000\000\000\000\000\000\002\377\377\377\377'; `+waitLong),
		"is not ready":     script(patient, `printf '\000\000\000\000\000\000\000\000\003\000\000\000\000'; `+waitLong),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := startCommand(t.Context(), cmd, patient)
			var e *parse.Error
			if r != nil || err == nil || errors.As(err, &e) || !strings.HasPrefix(err.Error(), "start the parser: ") {
				t.Errorf("got %v, %v; want an error of the start", r, err)
			}
		})
	}
}

// TestAReaderThatTakesNothingEndsInTime holds that a reader that answers without reading its document holds nobody up.
func TestAReaderThatTakesNothingEndsInTime(t *testing.T) {
	t.Parallel()
	limits := settings.WithDefaults(Limits{Wall: 100 * time.Millisecond})
	r := startScript(t, limits, sayReady+takeNumber+`printf '\002\000\000\000\002{}'; `+waitLong)
	_, reusable, err := r.read(t.Context(), taskParse, bytes.NewReader(make([]byte, extract.MaxBytes)))
	var e *parse.Error
	if reusable || !errors.As(err, &e) || e.Code != parse.TooComplex {
		t.Errorf("got %v, %v; want %s", reusable, err, parse.TooComplex)
	}
}

// TestAFreshReaderHasTheLastWord has a reader that has read something fail in every way with the next document, which
// another one then reads.
func TestAFreshReaderHasTheLastWord(t *testing.T) {
	t.Parallel()
	pdf, want, err := fixture.Generate(fixture.Options{Kind: timetable.Test, Seed: 4})
	if err != nil {
		t.Fatal(err)
	}
	for name, failure := range map[string]string{
		"ends":                   `exit 1`,
		"answers no timetable":   takeNumber + `printf '\002\000\000\000\004junk'; ` + waitLong,
		"answers no error":       takeNumber + `printf '\003\000\000\000\004junk'; ` + waitLong,
		"ends with an error":     takeNumber + `printf '\004\000\000\000\027{"code":"NOT_PDF"     }'; ` + waitLong,
		"is only ready":          takeNumber + `printf '\001\000\000\000\000'; ` + waitLong,
		"answers another number": sayReady + waitLong,
		"has no memory":          `echo 'out of memory' >&2; exit 2`,
		"panics":                 `echo 'panic: no' >&2; exit 2`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rs := NewReaders(patient, Stay{}, 1)
			defer rs.Close()
			used := startScript(t, patient, sayReady+failure)
			used.documents, used.began = 1, time.Now()
			rs.put(used)
			got, err := rs.Parse(t.Context(), pdf)
			if err != nil {
				t.Fatal(err)
			}
			if diff := fixture.Equal(got, want); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestCloseEndsWhatIsRead holds that nobody waits for readers that have ended, whether a document is read, waits for its
// turn or for a reader, and that nothing is left.
func TestCloseEndsWhatIsRead(t *testing.T) {
	t.Parallel()
	rs := NewReaders(patient, Stay{}, 2)
	stuck := startScript(t, patient, sayReady+waitLong)
	stuck.documents, stuck.began = 1, time.Now()
	rs.put(stuck)
	var reading sync.WaitGroup
	for i := range 4 {
		reading.Go(func() {
			if _, err := rs.Parse(t.Context(), []byte("%PDF-")); err == nil {
				t.Errorf("document %d was read", i)
			}
		})
	}
	testkit.Eventually(t, "a reader is taken", func() bool { return len(rs.Used()) == 0 })
	rs.Close()
	if stuck.alive() {
		t.Error("a reader is left")
	}
	reading.Wait()
	if _, err := rs.Parse(t.Context(), nil); !errors.Is(err, errClosed) {
		t.Errorf("after the end: got %v, want %v", err, errClosed)
	}
}

// TestCloseAtAnyTime closes readers while they are started, asked for, and given back. The race detector sees the rest.
func TestCloseAtAnyTime(t *testing.T) {
	t.Parallel()
	for range 10 {
		rs := NewReaders(patient, Stay{Documents: 2}, 3)
		ctx, cancel := context.WithCancel(t.Context())
		begun, reading := make(chan struct{}, 3), sync.WaitGroup{}
		for range 3 {
			reading.Go(func() {
				for ctx.Err() == nil {
					_, err := rs.Parse(ctx, []byte("text"))
					select {
					case begun <- struct{}{}:
					default:
					}
					var e *parse.Error
					if err == nil || !errors.As(err, &e) && !errors.Is(err, context.Canceled) && !errors.Is(err, errClosed) {
						t.Errorf("got %v", fmt.Sprint(err))
					}
				}
			})
		}
		<-begun
		rs.Close()
		if left := rs.Pids(); len(left) > 0 {
			t.Errorf("readers %v are left", left)
		}
		cancel()
		reading.Wait()
	}
}
