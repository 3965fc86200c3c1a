package ratelimit

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-redis/redis_rate/v10"
)

func TestRatesAreReadAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"100/1m": "100/1m0s", "10/1h": "10/1h0m0s", "5/15m": "5/15m0s", "1/1s": "1/1s", "off": "off", "OFF": "off",
	} {
		var r Rate
		if err := r.UnmarshalText([]byte(text)); err != nil || r.String() != want {
			t.Errorf("%q: got %v, %v; want %s", text, r, err, want)
		}
		written, err := r.MarshalText()
		var again Rate
		if err != nil || again.UnmarshalText(written) != nil || again != r {
			t.Errorf("%v is written as %q and read as %v", r, written, again)
		}
	}
	for _, text := range []string{"100", "0/1m", "-1/1m", "100/0s", "100/-1m", "100/1", "100/10ms", "100/1500ms", "x/1m", "9999999/1m", "1/9000h", "1/1m/1m"} {
		r := Off
		if err := r.UnmarshalText([]byte(text)); err == nil || r != Off {
			t.Errorf("%q: got %v, %v; want an error, and no change", text, r, err)
		}
	}
}

// Each route that the API describes has a class of its own: a new one fails here until it has.
func TestEachRouteIsListed(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../functions/upload-ingest/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal(data, &document); err != nil {
		t.Fatal(err)
	}
	for path, methods := range document.Paths {
		for method := range methods {
			if method == "parameters" {
				continue
			}
			r := httptest.NewRequest(strings.ToUpper(method), strings.NewReplacer("{", "", "}", "").Replace(path), nil)
			if route, _ := classify(r); route == otherRoute {
				t.Errorf("%s %s: add it to routes, with what it costs", strings.ToUpper(method), path)
			}
		}
	}
	if len(document.Paths) < 30 {
		t.Errorf("only %d paths were compared", len(document.Paths))
	}
}

func TestOnlyARealPreflightIsFree(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodOptions, "/api/years", nil)
	if _, class := classify(r); class != client {
		t.Errorf("OPTIONS without a question: got class %v", class)
	}
	r.Header.Set("Access-Control-Request-Method", "PUT")
	if _, class := classify(r); class != exempt {
		t.Errorf("a preflight: got class %v", class)
	}
}

// However many callers there are, one process keeps count of so many, and no call looks at all of them.
func TestLocalCountsAreBounded(t *testing.T) {
	t.Parallel()
	var l localBuckets
	var blocks localBlocks
	refusals, now := newRefusals(), time.Now()
	limit := redis_rate.Limit{Rate: 2, Burst: 2, Period: time.Hour}
	for i := range 3 * mostLocal {
		name := fmt.Sprint(i)
		if _, _, d := l.take([]bucket{{key: name, limit: limit}}, now); !d.Allowed || d.Remaining != 1 {
			t.Fatalf("caller %d: got %+v", i, d)
		}
		refusals.since(name, now)
		blocks.end([]subject{{id: name, most: 2}}, false, true, time.Hour, now)
	}
	for name, kept := range map[string]int{"buckets": len(l.fullAt.young) + len(l.fullAt.old), "failures": len(blocks.of.young) + len(blocks.of.old),
		"refusals": len(refusals.unlogged)} {
		if kept > mostLocal || kept < mostLocal/2 {
			t.Errorf("%d %s are kept, want at most %d, and half of them", kept, name, mostLocal)
		}
	}
	if _, _, d := l.take([]bucket{{key: fmt.Sprint(3*mostLocal - 1), limit: limit}}, now); d.Remaining != 0 {
		t.Errorf("the last caller is forgotten: got %+v", d)
	}
}

func TestALocalBucketRefills(t *testing.T) {
	t.Parallel()
	var l localBuckets
	limit, now := redis_rate.Limit{Rate: 6, Burst: 2, Period: time.Minute}, time.Now()
	take := func(now time.Time) Decision {
		_, _, d := l.take([]bucket{{key: "a", limit: limit}}, now)
		return d
	}
	take(now)
	take(now)
	if d := take(now); d.Allowed || d.RetryAfter != 10*time.Second {
		t.Errorf("the third at once: got %+v", d)
	}
	if d := take(now.Add(10 * time.Second)); !d.Allowed {
		t.Errorf("ten seconds later: got %+v", d)
	}
	if d := take(now.Add(11 * time.Second)); d.Allowed || d.RetryAfter != 9*time.Second {
		t.Errorf("a second after that: got %+v", d)
	}
}

func TestRefusalsOfAMinuteAreToldInTheNext(t *testing.T) {
	t.Parallel()
	l, at := newRefusals(), time.Date(2026, 2, 9, 8, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		after  time.Duration
		before int
		log    bool
	}{{0, 0, true}, {time.Second, 0, false}, {59 * time.Second, 0, false}, {time.Minute, 2, true}, {5 * time.Minute, 0, true}} {
		if before, log := l.since("a", at.Add(c.after)); before != c.before || log != c.log {
			t.Errorf("after %v: got %d, %v; want %d, %v", c.after, before, log, c.before, c.log)
		}
	}
}

// What is absurd is refused at the start, and does not turn into no limit at all.
func TestAbsurdLimitsAreRefused(t *testing.T) {
	t.Parallel()
	for address, want := range map[int]bool{-1: false, 0: true, 1: true, mostAddress: true, mostAddress + 1: false, math.MaxInt: false} {
		if _, err := NewGuard(Limits{Address: address}, nil, nil); (err == nil) != want {
			t.Errorf("LIMIT_ADDRESS=%d: got %v", address, err)
		}
	}
	var l localBuckets
	widest := Rate{mostCount, time.Second}.times(mostAddress)
	if _, _, d := l.take([]bucket{{key: "a", limit: widest.redis()}}, time.Now()); widest.Count != mostCount*mostAddress || !d.Allowed {
		t.Errorf("the widest limit: got %+v, %+v", widest, d)
	}
}

// Names in the log hold for a day; those of buckets stay.
func TestNamesInTheLogRotateDaily(t *testing.T) {
	t.Parallel()
	n, other := names{callers: pseudonyms("key")}, names{callers: pseudonyms("other key")}
	day := time.Date(2026, 2, 9, 23, 59, 0, 0, time.UTC)
	today, again := n.log("address", "196.21.0.1", day), n.log("address", "196.21.0.1", day.Add(-23*time.Hour))
	tomorrow, theirs := n.log("address", "196.21.0.1", day.Add(time.Minute)), other.log("address", "196.21.0.1", day)
	if today != again || today == tomorrow || today == theirs || len(today) != 16 {
		t.Errorf("got %s, %s within a day; %s the next; %s with another key", today, again, tomorrow, theirs)
	}
	if n.log("owner", "196.21.0.1", day) == n.log("address", "196.21.0.1", day) {
		t.Error("an owner and an address have one name")
	}
}

// pseudonyms stand in for sessions.
type pseudonyms string

func (p pseudonyms) SignedOwner(*http.Request) (string, bool) { return "", false }
func (p pseudonyms) Ensure(http.Header, *http.Request) string { return "" }
func (p pseudonyms) Pseudonym(of string) string               { return string(p) + of }
