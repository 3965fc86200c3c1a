package e2e_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/schedgen/schedgen/deploy/schedgen/internal/stack"
)

// large is a request with a body beyond a limit, sent to its last byte before the answer is read, as simple clients do.
type large struct {
	method, path string
	mebibytes    int
	chunked      bool
	want         int
}

// begin is how a body begins that a route reads as far as its limit.
func (l large) begin() (contentType, text string) {
	if strings.HasSuffix(l.path, "/upload") {
		return "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\n\r\n%PDF-1.7\n"
	}
	return "application/json", `{"name":"`
}

// send sends all of it, and gives the answer's status.
func (l large) send(t *testing.T, address string) (int, error) {
	t.Helper()
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	connection, err := new(net.Dialer).DialContext(t.Context(), "tcp", at.Host)
	if err != nil {
		return 0, err
	}
	defer connection.Close() // the answer was read
	if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
		return 0, err
	}
	contentType, begin := l.begin()
	size := l.mebibytes<<20 + len(begin)
	length := fmt.Sprint("Content-Length: ", size)
	if l.chunked {
		length = "Transfer-Encoding: chunked"
		begin = fmt.Sprintf("%x\r\n%s", size, begin)
	}
	header := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\n%s\r\n\r\n",
		l.method, l.path, at.Host, eventToken, contentType, length)
	if _, err := io.WriteString(connection, header+begin); err != nil {
		return 0, fmt.Errorf("send the beginning: %w", err)
	}
	block := []byte(strings.Repeat("x", 1<<20))
	for i := range l.mebibytes {
		if _, err := connection.Write(block); err != nil {
			return 0, fmt.Errorf("cut after %d MiB: %w", i, err)
		}
	}
	if l.chunked {
		if _, err := io.WriteString(connection, "\r\n0\r\n\r\n"); err != nil {
			return 0, fmt.Errorf("send the end: %w", err)
		}
	}
	answer, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		return 0, fmt.Errorf("read the answer: %w", err)
	}
	defer answer.Body.Close() // read below
	if _, err := io.Copy(io.Discard, answer.Body); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return answer.StatusCode, fmt.Errorf("read the answer's body: %w", err)
	}
	return answer.StatusCode, nil
}

func (l large) check(t *testing.T, address string) {
	t.Helper()
	if got, err := l.send(t, address); err != nil || got != l.want {
		t.Errorf("%s %s%s with %d MiB (chunked: %v): got %d, %v, want %d", l.method, address, l.path, l.mebibytes, l.chunked, got, err, l.want)
	}
}

// TestALargeBodyGetsItsAnswer asks every kind of route of a whole system. What does not look at its body answers as
// ever, up to the limit of any request.
func TestALargeBodyGetsItsAnswer(t *testing.T) {
	t.Parallel()
	w := start(t, stack.Config{})
	for _, l := range []large{
		{"POST", "/api/upload", 12, false, 413}, {"POST", "/api/upload", 12, true, 413}, {"POST", "/api/upload", 200, false, 413},
		{"POST", "/api/upload", 200, true, 413}, {"POST", "/upload", 12, false, 413},
		{"POST", "/api/generate/ics", 12, false, 413}, {"POST", "/api/generate/ics", 12, true, 413}, {"POST", "/api/generate/ics", 100, false, 413},
		{"POST", "/api/feeds", 100, false, 413}, {"PUT", "/api/feeds/x", 100, true, 404},
		{"POST", "/events/s3", 12, false, 413}, {"POST", "/events/dead-letter", 12, true, 413}, {"POST", "/tasks/sweep", 100, false, 413},
		{"POST", "/api/calendars/events", 100, false, 413}, {"DELETE", "/api/jobs/x", 100, false, 413}, {"GET", "/api/years", 100, false, 413},
		{"POST", "/nothing/there", 100, false, 413}, {"POST", "/nothing/there", 100, true, 404},
	} {
		l.check(t, w.url)
	}
}

// TestALargeBodyGetsItsAnswerFromAFunctionAlone asks each function without a system around it.
func TestALargeBodyGetsItsAnswerFromAFunctionAlone(t *testing.T) {
	t.Parallel()
	b := newBackends(t)
	for name, paths := range map[string]map[string]int{
		"upload-ingest": {"/api/upload": 413, "/upload": 413, "/events/s3": 413, "/tasks/sweep": 200}, "pdf-parse": {"/": 413},
		"calendar-generate": {"/api/generate/ics": 413, "/api/feeds": 413, "/events/timetable": 413},
		"google-sync":       {"/api/calendars/events": 413, "/events/google": 413}, "backup": {"/": 413, "/tasks/watch": 413},
	} {
		function := b.function(name)
		for path, want := range paths {
			large{"POST", path, 18, false, want}.check(t, function.url)
		}
	}
}
