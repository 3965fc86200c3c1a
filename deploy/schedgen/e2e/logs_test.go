package e2e_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/schedgen/schedgen/deploy/schedgen/internal/stack"
)

// kept is a log that keeps all lines. It is safe for concurrent use.
type kept struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (k *kept) Write(p []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.text.Write(p)
}

// lines are the lines so far that check accepts.
func (k *kept) lines(check func(map[string]any) bool) (found []map[string]any) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for scanner := bufio.NewScanner(bytes.NewReader(k.text.Bytes())); scanner.Scan(); {
		var line map[string]any
		if json.Unmarshal(scanner.Bytes(), &line) == nil && check(line) {
			found = append(found, line)
		}
	}
	return found
}

// TestOneIDFindsAnUploadInEveryLog follows the id that a caller gives: from the upload over the stored object and the
// events to the reading of the PDF and the sync that it causes: all functions log it, within one trace.
func TestOneIDFindsAnUploadInEveryLog(t *testing.T) {
	t.Parallel()
	log := &kept{}
	w := start(t, stack.Config{Google: stack.FakeGoogle, Logger: slog.New(slog.NewJSONHandler(log, nil))})
	s := w.student(t)
	whole, moved, _ := editions(t)
	s.upload(whole.pdf)
	s.signIn(w.google)
	s.call(http.StatusOK, "POST", "/api/calendars/events", map[string]any{"calendarId": person, "terms": terms2026, "year": 2026})
	s.call(http.StatusOK, "POST", "/api/calendars/follow", map[string]any{"calendarId": person, "follow": true})
	contentType, body := form(moved.pdf)
	answer := s.call(http.StatusCreated, http.MethodPost, "/api/upload", body, "Content-Type", contentType, "Prefer", "wait=20", "X-Request-Id", "a-students-upload")
	if got := answer.Header.Get("X-Request-Id"); got != "a-students-upload" {
		t.Errorf("the answer names the request %q", got)
	}
	eventually(t, func() error {
		lines := log.lines(func(line map[string]any) bool { return line["requestId"] == "a-students-upload" })
		traces := make(map[any]bool)
		var seen []string
		for _, line := range lines {
			traces[line["traceId"]] = true
			seen = append(seen, fmt.Sprint(line["function"], ": ", line["msg"]))
		}
		for _, want := range []string{"schedgen: request", "pdf-parse: parsed", "google-sync: sync attempted"} {
			if !slices.Contains(seen, want) {
				return fmt.Errorf("no line %q carries the upload's id; those that do: %q", want, seen)
			}
		}
		if len(traces) != 1 {
			t.Errorf("the lines belong to %d traces: %v", len(traces), traces)
		}
		return nil
	})
}
