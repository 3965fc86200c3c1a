package e2e_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"regexp"
	"strconv"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/timetable"
)

// reset opens so many streams on one connection, and resets each without waiting for its answer. It ends early where the
// server ends the connection.
func (e *edge) reset(from netip.Addr, count int) (sent int, err error) {
	s, err := e.streams(from)
	if err != nil {
		return 0, err
	}
	read := make(chan struct{})
	go func() { // what the server says, or it would not read any more
		defer close(read)
		for {
			if _, err := s.framer.ReadFrame(); err != nil {
				return
			}
		}
	}()
	defer func() {
		_ = s.conn.Close()
		<-read
	}()
	const atOnce = 100 // fewer than Traefik serves of one connection, so that many reach the function
	for ; sent < count; sent += atOnce {
		for n := sent; n < sent+atOnce; n++ {
			if err := s.begin(uint32(2*n + 1)); err != nil {
				return sent, nil // the server had enough
			}
		}
		for n := sent; n < sent+atOnce; n++ {
			if err := s.framer.WriteRSTStream(uint32(2*n+1), http2.ErrCodeCancel); err != nil {
				return sent, nil
			}
		}
	}
	return sent, nil
}

// begin opens a stream with a whole request, or with an upload that has begun.
func (s *streams) begin(stream uint32) error {
	if stream%4 == 1 {
		return s.open(stream, true, ":method", "GET", ":scheme", "https", ":authority", siteHost, ":path", "/api/jobs/x")
	}
	if err := s.open(stream, false, uploadFields()...); err != nil {
		return err
	}
	return s.framer.WriteData(stream, false, []byte("--b\r\n"))
}

// inFlight finds how many requests are.
var inFlight = regexp.MustCompile(`(?m)^http_requests_in_flight{.*} (\d+)`)

// TestRapidResetsLeaveNothing: of streams that are opened and reset in a loop (CVE-2023-44487), from many addresses, no
// request and no goroutine is left, and another client is served meanwhile.
func TestRapidResetsLeaveNothing(t *testing.T) {
	e := newEdge(t, nil)
	pdf := generated(t, fixture.Options{Kind: timetable.Lecture, Seed: 4}).pdf
	honest := func() {
		t.Helper()
		if status, err := e.upload(pdf); err != nil || status != http.StatusAccepted {
			t.Errorf("an honest upload: got %d, %v, want 202", status, err)
		}
	}
	running := func(address string) int {
		t.Helper()
		got, err := get(t.Context(), http.DefaultClient, address)
		if err != nil {
			t.Fatal(err)
		}
		found := goroutines.FindSubmatch(got.body)
		if found == nil {
			t.Fatalf("no goroutines at %s", address)
		}
		n, _ := strconv.Atoi(string(found[1])) // digits
		return n
	}
	honest()
	atFunction, atTraefik := running(e.function.url+"/metrics"), running(e.metrics)

	const addresses, each = 20, 2000
	type end struct {
		sent int
		err  error
	}
	ends := make(chan end, addresses)
	for n := range byte(addresses) {
		go func() {
			sent, err := e.reset(netip.AddrFrom4([4]byte{127, 0, 1, n}), each)
			ends <- end{sent, err}
		}()
	}
	sent, uploads := 0, 0
	for left := addresses; left > 0; {
		select {
		case one := <-ends:
			left--
			sent += one.sent
			if one.err != nil {
				t.Error(one.err)
			}
		default:
			honest()
			uploads++
		}
	}
	t.Logf("%d streams were opened and reset, %d uploads taken meanwhile; the function answered %d requests", sent, uploads, e.answered(""))
	if sent == 0 || uploads == 0 {
		t.Error("want both")
	}
	honest()
	eventually(t, func() error {
		got, err := get(t.Context(), http.DefaultClient, e.function.url+"/metrics")
		if err != nil {
			return err
		}
		if found := inFlight.FindSubmatch(got.body); found == nil || string(found[1]) != "0" {
			return fmt.Errorf("in flight: %s", found)
		}
		return nil
	})
	eventually(t, func() error {
		const kept = 2*200 + 100 // goroutines of connections to the function that Traefik keeps for later
		if n := running(e.metrics); n > atTraefik+kept {
			return fmt.Errorf("Traefik has %d goroutines, before %d", n, atTraefik)
		}
		return nil
	})
	if err := e.traefik.process.Stop(patience); err != nil { // and with it those connections
		t.Fatal(err)
	}
	eventually(t, func() error {
		if n := running(e.function.url + "/metrics"); n > atFunction+30 {
			return fmt.Errorf("the function has %d goroutines, before %d", n, atFunction)
		}
		return nil
	})
}

// TestBodiesThatDoNotComeAreGivenUpBehindTraefik: each gets its answer, at the latest when Traefik stops reading, and
// another client is served meanwhile.
func TestBodiesThatDoNotComeAreGivenUpBehindTraefik(t *testing.T) {
	e := newEdge(t, soonGivenUp, "FUNCTION_BODY_STALL=500ms")
	var conns []*tls.Conn
	for range 50 {
		conn, err := e.dial(t.Context(), netip.MustParseAddr("127.0.0.1"), "http/1.1")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close() // its answer is read
		if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, uploadOf("Content-Length: 1000000\r\n", "--b\r\n")); err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
	}
	if status, err := e.upload(generated(t, fixture.Options{Kind: timetable.Lecture, Seed: 4}).pdf); err != nil || status != http.StatusAccepted {
		t.Errorf("an honest upload: got %d, %v, want 202", status, err)
	}
	for _, conn := range conns {
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("no answer: %v", err)
		}
		_ = response.Body.Close()
		if response.StatusCode < 400 {
			t.Errorf("got %s, want a refusal", response.Status)
		}
	}
}
