package e2e_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// hidden is a request that hostile ones hold. Nobody else sends one.
const hidden = "GET /api/me HTTP/1.1\r\nHost: " + siteHost + "\r\n\r\n"

// answered is how many requests of a route the function has answered; of all, where it is "".
func (e *edge) answered(route string) (n int) {
	e.t.Helper()
	if route != "" {
		route = "route=" + strconv.Quote(route) + ".*"
	}
	counts := regexp.MustCompile("(?m)^http_requests_total{.*" + route + "} (\\d+)")
	got, err := get(e.t.Context(), http.DefaultClient, e.function.url+"/metrics")
	if err != nil {
		e.t.Fatal(err)
	}
	for _, found := range counts.FindAllSubmatch(got.body, -1) {
		one, _ := strconv.Atoi(string(found[1])) // digits
		n += one
	}
	return n
}

// last ends a connection. Traefik itself answers it, where it is read as a request.
const last = "GET /nowhere HTTP/1.1\r\nHost: " + siteHost + "\r\nConnection: close\r\n\r\n"

// exchange sends bytes as they are, then last, and gives the status of each answer that came.
func (e *edge) exchange(sent string) (statuses []int, err error) {
	conn, err := e.dial(e.t.Context(), netip.MustParseAddr("127.0.0.1"), "http/1.1")
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	written := make(chan struct{})
	go func() {
		defer close(written)
		_, _ = io.WriteString(conn, sent+last) // a server that refuses may not read all of it
	}()
	defer func() {
		_ = conn.Close()
		<-written
	}()
	for answers := bufio.NewReader(conn); ; {
		response, err := http.ReadResponse(answers, nil)
		if err != nil {
			var timeout net.Error
			if errors.As(err, &timeout) && timeout.Timeout() {
				return statuses, err
			}
			return statuses, nil
		}
		_, _ = io.Copy(io.Discard, response.Body) // what is cut off is no answer, which the next turn sees
		_ = response.Body.Close()
		if response.StatusCode >= 200 {
			statuses = append(statuses, response.StatusCode)
		}
	}
}

// uploadOf is a request for an upload with the headers and the body, as bytes.
func uploadOf(headers, body string) string {
	return "POST /api/upload HTTP/1.1\r\nHost: " + siteHost + "\r\nContent-Type: multipart/form-data; boundary=b\r\n" + headers + "\r\n" + body
}

func lengthOf(body string) string { return fmt.Sprintf("Content-Length: %d\r\n", len(body)) }

// TestTraefikHandsOnNoHiddenRequest: a request whose end is unclear is refused, one that is clear ends where it says, and
// what is in a body is never a request, whether or not the function reads it.
func TestTraefikHandsOnNoHiddenRequest(t *testing.T) {
	e := newEdge(t, soonGivenUp, "FUNCTION_BODY_STALL=500ms") // of the body that is too short
	many := strings.Repeat(hidden, 12<<20/len(hidden))        // more than the function takes
	for name, sent := range map[string]string{
		"two lengths":                  uploadOf(lengthOf(hidden)+"Content-Length: 5\r\n", hidden+hidden),
		"a list of lengths":            uploadOf("Content-Length: 5, 50\r\n", hidden+hidden),
		"a signed length":              uploadOf("Content-Length: +5\r\n", hidden),
		"a negative length":            uploadOf("Content-Length: -1\r\n", hidden),
		"a hexadecimal length":         uploadOf("Content-Length: 0x10\r\n", hidden),
		"a length folded":              uploadOf("Content-Length:\r\n 5\r\nX: \r\n", hidden),
		"a length and unknown coding":  uploadOf("Content-Length: 5\r\nTransfer-Encoding: xchunked\r\n", "0\r\n\r\n"+hidden),
		"an unknown coding":            uploadOf("Transfer-Encoding: xchunked\r\n", hidden),
		"a quoted coding":              uploadOf("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n"+hidden),
		"an empty coding":              uploadOf("Transfer-Encoding:\r\n", "0\r\n\r\n"+hidden),
		"two codings":                  uploadOf("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"+hidden),
		"the coding twice":             uploadOf("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"+hidden),
		"a coding and a vertical tab":  uploadOf("Transfer-Encoding: \vchunked\r\n", "0\r\n\r\n"+hidden),
		"a space before the colon":     uploadOf("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"+hidden),
		"a tab before the colon":       uploadOf("Transfer-Encoding\t: chunked\r\n", "0\r\n\r\n"+hidden),
		"a NUL in a name":              uploadOf("Transfer-Encoding\x00: chunked\r\n", "0\r\n\r\n"+hidden),
		"a header without a colon":     uploadOf("Transfer-Encoding\r\n", hidden),
		"a CR in a header":             uploadOf("X: a\rTransfer-Encoding: chunked\r\n", "0\r\n\r\n"+hidden),
		"a negative chunk":             uploadOf("Transfer-Encoding: chunked\r\n", "-1\r\n\r\n"+hidden),
		"a signed chunk":               uploadOf("Transfer-Encoding: chunked\r\n", "+5\r\nhello\r\n0\r\n\r\n"+hidden),
		"a chunk of no number":         uploadOf("Transfer-Encoding: chunked\r\n", "0x5\r\nhello\r\n0\r\n\r\n"+hidden),
		"a chunk that is longer":       uploadOf("Transfer-Encoding: chunked\r\n", "5\r\nhello world\r\n0\r\n\r\n"+hidden),
		"a chunk ended by LF":          uploadOf("Transfer-Encoding: chunked\r\n", "5\nhello\n0\n\n"+hidden),
		"an extension with LF":         uploadOf("Transfer-Encoding: chunked\r\n", "2;\nxx\r\n"+fmt.Sprintf("%x\r\n", len(hidden))+hidden+"\r\n0\r\n\r\n"),
		"a huge chunk":                 uploadOf("Transfer-Encoding: chunked\r\n", "FFFFFFFFFFFFFFFFF\r\n"+hidden),
		"a refused body":               uploadOf(lengthOf(hidden), hidden),
		"a refused body in chunks":     uploadOf("Transfer-Encoding: chunked\r\n", fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(hidden), hidden)),
		"a large body":                 uploadOf(lengthOf(many), many),
		"a large body in chunks":       uploadOf("Transfer-Encoding: chunked\r\n", fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(many), many)),
		"a body that is not read":      strings.Replace(uploadOf(lengthOf(hidden), hidden), "POST /api/upload", "GET /api/jobs/x", 1),
		"a body that is too short":     uploadOf("Content-Length: 1000\r\n", hidden),
		"a body that is not asked for": uploadOf("Expect: 100-continue\r\n"+lengthOf(hidden), hidden),
		"another expectation":          uploadOf("Expect: y 100-continue\r\n"+lengthOf(hidden), hidden),
		"no path for it":               strings.Replace(uploadOf(lengthOf(hidden), hidden), "/api/upload", "/nowhere", 1),
		"a length as no hop's":         uploadOf("Connection: Content-Length\r\n"+lengthOf(hidden), hidden),
		"a method of two lines":        "GET /api/jobs/x HTTP/1.1\nX: \r\nHost: " + siteHost + "\r\n" + lengthOf(hidden) + "\r\n" + hidden,
		"a path with a request":        "GET /api/jobs/x%20HTTP/1.1%0d%0aHost:%20x%0d%0a%0d%0aGET%20/api/me HTTP/1.1\r\nHost: " + siteHost + "\r\n\r\n",
		"HTTP/2 without its preface":   "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + hidden,
	} {
		statuses, err := e.exchange(sent)
		if err != nil || len(statuses) < 1 || len(statuses) > 2 || slices.Min(statuses) < 400 { // of two the other is that of last
			t.Errorf("%s: answered with %v, %v, want one refusal", name, statuses, err)
		}
		if n := e.answered("/api/me"); n != 0 {
			t.Fatalf("%s: %d hidden requests reached the function", name, n)
		}
	}
	if statuses, err := e.exchange(hidden); err != nil || len(statuses) != 2 || e.answered("/api/me") != 1 {
		t.Errorf("the hidden request by itself: answered with %v, %v, and %d reached the function, want one, and last", statuses, err, e.answered("/api/me"))
	}
}

// streams is a connection that speaks HTTP/2 as nobody should.
type streams struct {
	conn    *tls.Conn
	framer  *http2.Framer
	encoder *hpack.Encoder
	block   bytes.Buffer
}

func (e *edge) streams(from netip.Addr) (*streams, error) {
	conn, err := e.dial(e.t.Context(), from, "h2")
	if err != nil {
		return nil, err
	}
	s := &streams{conn: conn, framer: http2.NewFramer(conn, conn)}
	s.framer.AllowIllegalWrites = true
	s.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	s.encoder = hpack.NewEncoder(&s.block)
	_, err = io.WriteString(conn, http2.ClientPreface)
	return s, errors.Join(err, conn.SetDeadline(time.Now().Add(patience)), s.framer.WriteSettings())
}

// open sends a request's fields, names and values, on a stream.
func (s *streams) open(stream uint32, ends bool, fields ...string) error {
	s.block.Reset()
	for i := 0; i+1 < len(fields); i += 2 {
		if err := s.encoder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]}); err != nil {
			return err
		}
	}
	return s.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: s.block.Bytes(), EndHeaders: true, EndStream: ends})
}

// status is that of the answer on a stream; 0 where the stream or the connection was ended instead.
func (s *streams) status(stream uint32) (int, error) {
	for {
		frame, err := s.framer.ReadFrame()
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			return 0, err
		}
		if err != nil {
			return 0, nil
		}
		switch f := frame.(type) {
		case *http2.MetaHeadersFrame:
			if f.StreamID == stream {
				return strconv.Atoi(f.PseudoValue("status"))
			}
		case *http2.RSTStreamFrame:
			if f.StreamID == stream {
				return 0, nil
			}
		case *http2.GoAwayFrame:
			if f.ErrCode != http2.ErrCodeNo {
				return 0, nil
			}
		}
	}
}

// uploadFields are those of an upload over HTTP/2, and more.
func uploadFields(more ...string) []string {
	return append([]string{":method", "POST", ":scheme", "https", ":authority", siteHost, ":path", "/api/upload",
		"content-type", "multipart/form-data; boundary=b"}, more...)
}

// TestTraefikMakesNoHiddenRequestOfHTTP2: what HTTP/2 can say and HTTP/1.1 cannot must not become a second request on the
// way to the function.
func TestTraefikMakesNoHiddenRequestOfHTTP2(t *testing.T) {
	e := newEdge(t, nil)
	jobs := func(name, value string) []string {
		fields := []string{":method", "GET", ":scheme", "https", ":authority", siteHost, ":path", "/api/jobs/x"}
		for i := 0; i < len(fields); i += 2 {
			if fields[i] == name {
				fields[i+1] = value
				return fields
			}
		}
		return append(fields, name, value)
	}
	const lines = "\r\nHost: " + siteHost + "\r\n\r\n" + hidden
	for name, c := range map[string]struct {
		fields []string
		data   string
	}{
		"no length and a request":         {uploadFields(), hidden},
		"a length of nothing":             {uploadFields("content-length", "0"), hidden},
		"a length that is too short":      {uploadFields("content-length", "5"), "0\r\n\r\n" + hidden},
		"two lengths":                     {uploadFields("content-length", "5", "content-length", fmt.Sprint(len(hidden))), hidden},
		"a length with lines":             {uploadFields("content-length", "0\r\n\r\n"+hidden), ""},
		"a coding":                        {uploadFields("transfer-encoding", "chunked"), "0\r\n\r\n" + hidden},
		"a coding and a length":           {uploadFields("transfer-encoding", "chunked", "content-length", fmt.Sprint(len(hidden)+5)), "0\r\n\r\n" + hidden},
		"a connection":                    {uploadFields("connection", "transfer-encoding, content-length"), hidden},
		"lines in a value":                {jobs("x", "a"+lines), ""},
		"a coding after lines in a value": {uploadFields("x", "a\r\ntransfer-encoding: chunked"), "0\r\n\r\n" + hidden},
		"LF in a value":                   {uploadFields("x", "a\ntransfer-encoding: chunked"), "0\r\n\r\n" + hidden},
		"lines in a name":                 {jobs("x: a"+lines+"y", "b"), ""},
		"a colon in a name":               {uploadFields("transfer-encoding: chunked\r\nx", "a"), "0\r\n\r\n" + hidden},
		"a space in a name":               {uploadFields("transfer-encoding ", "chunked"), "0\r\n\r\n" + hidden},
		"capital letters":                 {uploadFields("Transfer-Encoding", "chunked"), "0\r\n\r\n" + hidden},
		"lines in the path":               {jobs(":path", "/api/jobs/x HTTP/1.1"+lines), ""},
		"a version in the path":           {jobs(":path", "/api/jobs/x HTTP/1.1"), ""},
		"lines in the method":             {jobs(":method", "GET /api/jobs/x HTTP/1.1"+lines), ""},
		"lines in the authority":          {jobs(":authority", siteHost+"\r\n\r\n"+hidden), ""},
		"lines in the scheme":             {jobs(":scheme", "https://x/ HTTP/1.1"+lines), ""},
		"another host":                    {jobs("host", "x"+lines), ""},
		"a path after a field":            {append(uploadFields("x", "a"), ":path", "/api/me"), ""},
		"two paths":                       {append(jobs("x", "a")[:8], ":path", "/api/me"), ""},
	} {
		s, err := e.streams(netip.MustParseAddr("127.0.0.1"))
		if err != nil {
			t.Fatal(err)
		}
		err = s.open(1, c.data == "", c.fields...)
		if err == nil && c.data != "" {
			err = s.framer.WriteData(1, true, []byte(c.data))
		}
		var status int
		if err == nil { // else it was refused while it came
			status, err = s.status(1)
		}
		_ = s.conn.Close()
		var timeout net.Error
		if status != 0 && status < 400 || errors.As(err, &timeout) && timeout.Timeout() {
			t.Errorf("%s: answered with %d, %v, want a refusal", name, status, err)
		}
		if n := e.answered("/api/me"); n != 0 {
			t.Fatalf("%s: %d hidden requests reached the function", name, n)
		}
	}
}
