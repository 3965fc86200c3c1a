package uploadingest

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/dev/testkit/functest"
	"github.com/schedgen/schedgen/shared/faas"
)

// TestContentDecidesWhatAFileIs: neither a file's name nor the type that its sender gives makes it a PDF.
func TestContentDecidesWhatAFileIs(t *testing.T) {
	w := newWorld(t)
	for name, content := range map[string]string{
		"HTML":    "<!doctype html><script>alert(1)</script>",
		"SVG":     `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`,
		"ZIP":     "PK\x03\x04" + strings.Repeat("\x00", 60),
		"GZIP":    gzipped("%PDF-1.7 within an archive"),
		"program": "MZ\x90\x00" + strings.Repeat("\x00", 60),
		"script":  "#!/bin/sh\nrm -rf /\n",
		"GIF":     "GIF89a" + strings.Repeat("\x00", 60),
		"late":    strings.Repeat(" ", headerWithin) + "%PDF-1.7",
	} {
		form, contentType := formOf(t, field{"file", "timetable.pdf", []byte(content)})
		w.do(w.client, "POST", "/api/upload", form, "Content-Type", contentType).Refused(http.StatusUnprocessableEntity, api.NotPDF)
		if n := w.sql("delete from jobs"); n != 0 {
			t.Errorf("%s: %d jobs were made", name, n)
		}
	}
}

// TestAPolyglotIsOnlyEverAPDF: a file that is two things at once is kept under a name of ours and as a PDF,
// whatever its own name promises.
func TestAPolyglotIsOnlyEverAPDF(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"a.html", "../../etc/passwd", "a.pdf.php", "CON", "a;rm -rf.pdf", `..\..\a.exe`} {
		form, contentType := formOf(t, field{"file", name, append([]byte("<script>alert(1)</script>"), pdf()...)})
		a := w.do(http.DefaultClient, "POST", "/api/upload", form, "Content-Type", contentType, "Prefer", "wait=20").Want(http.StatusCreated)
		job := w.find(functest.Read[uploadAnswer](a).JobID)
		if job.ObjectKey != "uploads/normal/"+job.ID+".pdf" || strings.ContainsAny(job.Filename, "/\\\x00") {
			t.Errorf("%q: kept as %s with the name %q", name, job.ObjectKey, job.Filename)
		}
		if got := a.Header.Get("Content-Type"); !strings.HasPrefix(got, "application/json") || a.Header.Get("X-Content-Type-Options") == "" {
			t.Errorf("%q: answered as %q without nosniff", name, got)
		}
	}
}

func gzipped(text string) string {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write([]byte(text)) // a buffer takes everything
	_ = w.Close()
	return out.String()
}

// serveAsDeployed serves the function with the limits that every program has, and gives the address.
func (w *world) serveAsDeployed() string {
	w.Helper()
	listener, err := new(net.ListenConfig).Listen(w.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		w.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- faas.Serve(ctx, "upload-ingest", keptOpen{w.f}, listener, slog.New(slog.DiscardHandler), faas.Config{RequestTimeout: patience})
	}()
	w.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			w.Error(err)
		}
	})
	return listener.Addr().String()
}

// keptOpen is the function with its limits, which its server does not close: its world does.
type keptOpen struct{ *Function }

func (keptOpen) Close() {}

// exchange sends bytes as they are, ends the sending, and gives the status of each answer that came.
func exchange(t *testing.T, address, sent string) []int {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	go func() { // a server that refuses may not read all of it
		_, _ = io.WriteString(conn, sent)
		_ = conn.(*net.TCPConn).CloseWrite()
	}()
	var statuses []int
	for answers := bufio.NewReader(conn); ; {
		response, err := http.ReadResponse(answers, nil)
		if err != nil {
			var timeout net.Error
			if errors.As(err, &timeout) && timeout.Timeout() {
				t.Fatalf("no end of the answer to %.100q", sent)
			}
			return statuses
		}
		_, _ = io.Copy(io.Discard, response.Body) // what is cut off is no answer, which the next turn sees
		statuses = append(statuses, response.StatusCode)
	}
}

// upload is a request for an upload with the headers and the body, as bytes.
func uploadRequest(headers, body string) string {
	return "POST /api/upload HTTP/1.1\r\nHost: schedgen\r\nContent-Type: multipart/form-data; boundary=b\r\n" + headers + "\r\n" + body
}

// wholeForm is a form that would be accepted.
var wholeForm = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\n\r\n" + string(pdf()) + "\r\n--b--\r\n"

// TestRequestsWhoseEndIsUnclear: two programs that read one such request differently, a proxy and a
// function, would see two requests where there is one. Each is refused, and nothing after it is answered.
func TestRequestsWhoseEndIsUnclear(t *testing.T) {
	w := newWorld(t)
	address := w.serveAsDeployed()
	const hidden = "GET /health HTTP/1.1\r\nHost: schedgen\r\n\r\n"
	length := fmt.Sprintf("Content-Length: %d\r\n", len(wholeForm))
	for name, sent := range map[string]string{
		"two lengths":              uploadRequest(length+"Content-Length: 5\r\n", wholeForm+hidden),
		"a list of lengths":        uploadRequest(fmt.Sprintf("Content-Length: %d, 5\r\n", len(wholeForm)), wholeForm+hidden),
		"a signed length":          uploadRequest("Content-Length: +5\r\n", wholeForm+hidden),
		"a negative length":        uploadRequest("Content-Length: -1\r\n", hidden),
		"a hexadecimal length":     uploadRequest("Content-Length: 0x10\r\n", wholeForm+hidden),
		"an unknown coding":        uploadRequest("Transfer-Encoding: xchunked\r\n", hidden),
		"two codings":              uploadRequest("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"+hidden),
		"the coding twice":         uploadRequest("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"+hidden),
		"a space before the colon": uploadRequest("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"+hidden),
		"a header without a colon": uploadRequest("Transfer-Encoding\r\n", hidden),
		"a negative chunk":         uploadRequest("Transfer-Encoding: chunked\r\n", "-1\r\n\r\n"+hidden),
		"a signed chunk":           uploadRequest("Transfer-Encoding: chunked\r\n", "+5\r\nhello\r\n0\r\n\r\n"+hidden),
		"a chunk of no number":     uploadRequest("Transfer-Encoding: chunked\r\n", "0x5\r\nhello\r\n0\r\n\r\n"+hidden),
		"a chunk that is longer":   uploadRequest("Transfer-Encoding: chunked\r\n", "5\r\nhello world\r\n0\r\n\r\n"+hidden),
		"a huge chunk":             uploadRequest("Transfer-Encoding: chunked\r\n", "FFFFFFFFFFFFFFFFF\r\n"+hidden),
		"a length and chunks":      uploadRequest("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"+hidden),
		"chunks in HTTP/1.0":       strings.Replace(uploadRequest("Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n", hidden), "HTTP/1.1", "HTTP/1.0", 1),
		"HTTP/2 without TLS":       "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + hidden,
	} {
		statuses := exchange(t, address, sent)
		if len(statuses) != 1 || statuses[0] < 400 {
			t.Errorf("%s: answered with %v, want one refusal", name, statuses)
		}
	}
	if n := w.sql("delete from jobs"); n != 0 {
		t.Errorf("%d jobs were made", n)
	}
}

// TestBodiesThatAreNotWhatTheySay holds what becomes of lengths, codings and expectations.
func TestBodiesThatAreNotWhatTheySay(t *testing.T) {
	w := newWorld(t)
	address := w.serveAsDeployed()
	packed := gzipped(wholeForm)
	for name, c := range map[string]struct {
		sent string
		want []int
	}{
		"too short":       {uploadRequest(fmt.Sprintf("Content-Length: %d\r\n", len(wholeForm)+100), wholeForm[:len(wholeForm)-10]), []int{400}},
		"no end":          {uploadRequest("Transfer-Encoding: chunked\r\n", "40\r\n--b\r\n"), []int{400}},
		"packed":          {uploadRequest(fmt.Sprintf("Content-Encoding: gzip\r\nContent-Length: %d\r\n", len(packed)), packed), []int{400}},
		"10,000 parts":    {chunked(strings.Repeat("--b\r\nContent-Disposition: form-data; name=x\r\n\r\nx\r\n", 10_000)), []int{400}},
		"10,000 headers":  {uploadRequest(strings.Repeat("X-Header: value\r\n", 10_000), ""), []int{431}},
		"a long header":   {uploadRequest("X-Header: "+strings.Repeat("x", 1<<20)+"\r\n", ""), []int{431}},
		"a long address":  {"GET /" + strings.Repeat("x", 1<<20) + " HTTP/1.1\r\nHost: schedgen\r\n\r\n", []int{431}},
		"an expectation":  {uploadRequest("Expect: payment\r\nContent-Length: 5\r\n", "hello"), []int{417}},
		"no host":         {"POST /api/upload HTTP/1.1\r\n\r\n", []int{400}},
		"two hosts":       {"POST /api/upload HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", []int{400}},
		"another version": {"POST /api/upload HTTP/3.0\r\nHost: schedgen\r\n\r\n", []int{505}},
	} {
		if got := exchange(t, address, c.sent); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
	if n := w.sql("delete from jobs"); n != 0 {
		t.Errorf("%d jobs were made", n)
	}
	whole := chunked(wholeForm)
	if got := exchange(t, address, whole); len(got) != 1 || got[0] >= 300 {
		t.Errorf("the same form whole: got %v, want it accepted", got)
	}
}

// chunked is an upload whose length is not told.
func chunked(body string) string {
	return uploadRequest("Transfer-Encoding: chunked\r\nPrefer: wait=0\r\n", fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body))
}

// TestACallerThatAsksFirstIsToldToGoOn: RFC 9110, section 10.1.1.
func TestACallerThatAsksFirstIsToldToGoOn(t *testing.T) {
	w := newWorld(t)
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", w.serveAsDeployed())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, uploadRequest(fmt.Sprintf("Expect: 100-continue\r\nContent-Length: %d\r\n", len(wholeForm)), "")); err != nil {
		t.Fatal(err)
	}
	if got, err := textproto.NewReader(bufio.NewReader(conn)).ReadLine(); err != nil || got != "HTTP/1.1 100 Continue" {
		t.Errorf("got %q, %v", got, err)
	}
}
