package ratelimit_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/cache"
	"github.com/schedgen/schedgen/shared/dev/testkit/redistest"
	"github.com/schedgen/schedgen/shared/faas"
	"github.com/schedgen/schedgen/shared/ratelimit"
	"github.com/schedgen/schedgen/shared/secret"
	"github.com/schedgen/schedgen/shared/session"
)

// small are limits that a test meets soon and that hardly refill while it runs.
var small = ratelimit.Limits{
	Client: ratelimit.Rate{Count: 3, Per: time.Hour}, Status: ratelimit.Rate{Count: 4, Per: time.Hour},
	Uploads: ratelimit.Rate{Count: 2, Per: time.Hour}, All: ratelimit.Rate{Count: 1000, Per: time.Hour},
	SignIn: ratelimit.Rate{Count: 3, Per: time.Hour}, Address: 3,
}

// instance is one instance of a function.
type instance struct {
	*testing.T
	guard    *ratelimit.Guard
	sessions *session.Sessions
	log      *bytes.Buffer
}

func newInstance(t *testing.T, redisURL string, limits ratelimit.Limits) *instance {
	t.Helper()
	sessions, err := session.New(session.Config{Keys: secret.List(strings.Repeat("k", 32))})
	if err != nil {
		t.Fatal(err)
	}
	return &instance{t, newGuard(t, limits, connect(t, redisURL), sessions), sessions, new(bytes.Buffer)}
}

func newGuard(t *testing.T, limits ratelimit.Limits, c *cache.Cache, sessions *session.Sessions) *ratelimit.Guard {
	t.Helper()
	guard, err := ratelimit.NewGuard(limits, c, sessions)
	if err != nil {
		t.Fatal(err)
	}
	return guard.WithTokens(ratelimit.Tokens{Open: []string{"/events/open"}, Event: secret.New("event"), Admin: secret.New("admin")})
}

// connectAgain is connect of one who asks a dead Redis with each call.
func connectAgain(t *testing.T, url string) *cache.Cache {
	t.Helper()
	c, err := cache.Open(cache.Config{URL: secret.New(url), Timeout: 5 * time.Second, Retry: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// caller is where a request comes from, and whose it is.
type caller struct {
	address, owner string
	browser        bool
}

const (
	campus = "196.21.0.1"
	home   = "102.65.0.1"
)

// owner is the owner of that number.
func owner(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

// answer is what a caller gets of the guard.
type answer struct {
	*httptest.ResponseRecorder
	refused *api.Error
	done    func(status int)
}

// callback is where people come back to from Google.
const callback = "/api/auth/google/callback"

// begin sends a request, which goes on until it is done where the guard admits it.
func (i *instance) begin(from caller, method, path string, header ...string) answer {
	i.Helper()
	r := httptest.NewRequest(method, path, nil)
	if from.owner != "" {
		r.AddCookie(i.sessions.Cookie(from.owner))
	}
	if from.browser {
		r.Header.Set("Sec-Fetch-Mode", "cors")
	}
	for n := 0; n+1 < len(header); n += 2 {
		r.Header.Set(header[n], header[n+1])
	}
	address := faas.ClientNetwork(netip.MustParseAddr(from.address))
	visitor := i.guard.Caller(r, address)
	logger := slog.New(slog.NewJSONHandler(i.log, nil).WithAttrs(visitor.Attributes()))
	r = r.WithContext(api.WithLogger(r.Context(), logger))
	w := httptest.NewRecorder()
	done, err := visitor.Admit(w.Header(), r)
	if err != nil {
		api.WriteError(w, r, err)
		return answer{w, api.From(err), nil}
	}
	if done == nil {
		done = func(int) {}
	}
	return answer{w, nil, func(status int) {
		if r.URL.Path == callback && status == http.StatusBadRequest {
			ratelimit.SignInFailed(r.Context()) // as google-sync does
		}
		done(status)
	}}
}

// ask is begin of a request that is answered at once.
func (i *instance) ask(from caller, method, path string, status int, header ...string) answer {
	i.Helper()
	a := i.begin(from, method, path, header...)
	if a.refused == nil {
		a.done(status)
	}
	return a
}

// until asks until it is refused, and says how often it was admitted.
func (i *instance) until(from caller, method, path string, status int) (admitted int, last answer) {
	i.Helper()
	for admitted = 0; admitted < 500; admitted++ {
		if last = i.ask(from, method, path, status); last.refused != nil {
			return admitted, last
		}
	}
	return admitted, last
}

func TestEachCallerHasItsOwnLimits(t *testing.T) {
	t.Parallel()
	one := newInstance(t, redistest.New(t).URL(), small)
	for _, c := range []struct {
		name, method, path, policy string
		want                       int
	}{
		{"requests", "GET", "/api/years", "client", 3},
		{"status", "GET", "/api/jobs/7", "status", 4},
		{"uploads", "POST", "/api/upload", "uploads", 2},
		{"uploads without script", "POST", "/upload", "uploads", 0},
		{"wrong addresses", "GET", "/nothing", "client", 0},
	} {
		admitted, refused := one.until(caller{address: home}, c.method, c.path, 200)
		if admitted != c.want || refused.Code != http.StatusTooManyRequests || refused.refused.Details.(map[string]any)["policy"] != c.policy {
			t.Errorf("%s: %d admitted, then %d %+v; want %d, then 429 by %s", c.name, admitted, refused.Code, refused.refused, c.want, c.policy)
		}
	}
	if admitted, _ := one.until(caller{address: "102.65.0.2"}, "GET", "/api/years", 200); admitted != 3 {
		t.Errorf("another address: %d admitted, want 3", admitted)
	}
}

func TestAnswersTellOfTheLimit(t *testing.T) {
	t.Parallel()
	one := newInstance(t, redistest.New(t).URL(), small)
	first := one.ask(caller{address: home}, "GET", "/api/years", 200)
	for name, want := range map[string]string{
		"RateLimit-Policy": `"client";q=3;w=3600`, "RateLimit": `"client";r=2;t=1200`,
		"RateLimit-Limit": "3", "RateLimit-Remaining": "2", "RateLimit-Reset": "1200",
	} {
		if got := first.Header().Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	_, refused := one.until(caller{address: home}, "GET", "/api/years", 200)
	seconds, err := strconv.Atoi(refused.Header().Get("Retry-After"))
	if err != nil || seconds < 1100 || seconds > 1200 {
		t.Errorf("Retry-After: got %q, want some 1200 seconds", refused.Header().Get("Retry-After"))
	}
	if got := refused.Header().Get("RateLimit"); got != fmt.Sprintf(`"client";r=0;t=%d`, seconds) {
		t.Errorf("RateLimit of a refusal: got %q", got)
	}
	var object api.Object
	if err := json.Unmarshal(refused.Body.Bytes(), &object); err != nil {
		t.Fatal(err)
	}
	if object.Error != api.RateLimited || object.Message != "You have sent many requests in a short time. Try again in 20 minutes." {
		t.Errorf("got %+v", object)
	}
}

// The limits of an address are wider than those of each session behind it.
func TestACampusBehindOneAddressIsNotLockedOut(t *testing.T) {
	t.Parallel()
	one := newInstance(t, redistest.New(t).URL(), small)
	if admitted, _ := one.until(caller{address: campus}, "GET", "/api/years", 200); admitted != 3 {
		t.Fatalf("without a session: %d admitted", admitted)
	}
	for n := range 2 {
		if admitted, _ := one.until(caller{address: campus, owner: owner(n)}, "GET", "/api/years", 200); admitted != 3 {
			t.Errorf("session %d: %d admitted, want 3", n, admitted)
		}
	}
	admitted, refused := one.until(caller{address: campus, owner: owner(9)}, "GET", "/api/years", 200)
	if admitted != 0 || refused.refused.Details.(map[string]any)["policy"] != "address" {
		t.Errorf("beyond the address's own limit: %d admitted, then %+v", admitted, refused.refused)
	}
	if admitted, _ := one.until(caller{address: home, owner: owner(9)}, "GET", "/api/years", 200); admitted != 3 {
		t.Errorf("a session that was refused for its address alone: %d admitted elsewhere, want 3", admitted)
	}
}

// A visitor who is refused because of others at the same address gets a session, and is let in with it.
func TestABrowserWithoutASessionGetsOne(t *testing.T) {
	t.Parallel()
	one := newInstance(t, redistest.New(t).URL(), small)
	one.until(caller{address: campus}, "POST", "/api/upload", 202)
	program := one.ask(caller{address: campus}, "POST", "/api/upload", 202)
	if program.refused == nil || program.Header().Get("Set-Cookie") != "" || program.Header().Get("Retry-After") == "1" {
		t.Errorf("a program: got %+v", program.Header())
	}
	browser := one.ask(caller{address: campus, browser: true}, "POST", "/api/upload", 202)
	if browser.refused == nil || browser.Header().Get("Retry-After") != "1" {
		t.Fatalf("a browser: got %+v", browser.Header())
	}
	again := one.ask(caller{address: campus, browser: true}, "POST", "/api/upload", 202,
		"Cookie", strings.SplitN(browser.Header().Get("Set-Cookie"), ";", 2)[0])
	if again.refused != nil {
		t.Errorf("with its cookie: got %v", again.refused)
	}
	if unsigned := one.ask(caller{address: campus}, "POST", "/api/upload", 202, "Cookie", "__Host-schedgen_session=v2.forged"); unsigned.refused == nil {
		t.Error("a cookie that we did not sign has limits of its own")
	}
}

func TestIPv6IsCountedByNetwork(t *testing.T) {
	t.Parallel()
	one := newInstance(t, redistest.New(t).URL(), small)
	one.until(caller{address: "2001:db8:1:2::1"}, "GET", "/api/years", 200)
	if got := one.ask(caller{address: "2001:db8:1:2:ffff::9"}, "GET", "/api/years", 200); got.refused == nil {
		t.Error("another address of the same /64 was admitted")
	}
	if got := one.ask(caller{address: "2001:db8:1:3::1"}, "GET", "/api/years", 200); got.refused != nil {
		t.Errorf("another /64: got %v", got.refused)
	}
}

func TestLimitsAreSharedByAllInstances(t *testing.T) {
	t.Parallel()
	redis := redistest.New(t).URL()
	one, two := newInstance(t, redis, small), newInstance(t, redis, small)
	one.until(caller{address: home}, "GET", "/api/years", 200)
	if got := two.ask(caller{address: home}, "GET", "/api/years", 200); got.refused == nil {
		t.Error("another instance admitted it")
	}
}

func TestAllTogetherAreLimitedAndWhatIsRefusedUsesUpNothing(t *testing.T) {
	t.Parallel()
	limits := small
	limits.All = ratelimit.Rate{Count: 2, Per: time.Hour}
	redis := redistest.New(t).URL()
	admitted, refused := newInstance(t, redis, limits).until(caller{address: home}, "GET", "/api/years", 200)
	if admitted != 2 || refused.refused.Details.(map[string]any)["policy"] != "all" || refused.Header().Get("RateLimit-Policy") != `"all";q=2;w=3600` {
		t.Fatalf("%d admitted, then %+v with %v", admitted, refused.refused, refused.Header())
	}
	for range 5 {
		newInstance(t, redis, limits).ask(caller{address: home}, "GET", "/api/years", 200)
	}
	limits.All = ratelimit.Off
	if admitted, _ := newInstance(t, redis, limits).until(caller{address: home}, "GET", "/api/years", 200); admitted != 1 {
		t.Errorf("%d more admitted, want the third of the address's own three", admitted)
	}
}

// One address must not use up everything for everybody, whatever it asks for and with however many sessions.
func TestNobodyUsesUpEverythingForEverybody(t *testing.T) {
	t.Parallel()
	for name, redis := range map[string]string{"with Redis": redistest.New(t).URL(), "without": ""} {
		one := newInstance(t, redis, ratelimit.Limits{All: ratelimit.Rate{Count: 20, Per: time.Hour},
			Client: ratelimit.Rate{Count: 15, Per: time.Hour}, Address: 100})
		if admitted, _ := one.until(caller{address: campus}, "GET", "/api/years", 200); admitted != 15 {
			t.Errorf("%s: %d admitted, want all 15 of the one who is there alone", name, admitted)
		}
		for n := range 50 {
			one.until(caller{address: campus, owner: owner(n)}, "GET", "/api/years", 200)
			one.until(caller{address: campus}, "GET", fmt.Sprintf("/api/feeds/%d", n), 200)
		}
		_, last := one.until(caller{address: campus, owner: owner(99)}, "GET", "/api/years", 200)
		if last.refused.Details.(map[string]any)["policy"] != "all" || last.Header().Get("RateLimit-Limit") != "20" {
			t.Errorf("%s: got %+v", name, last.refused)
		}
		if admitted, _ := one.until(caller{address: home}, "GET", "/api/years", 200); admitted != 5 {
			t.Errorf("%s: %d of another address admitted, want its share of 5", name, admitted)
		}
		total := 0
		for n := range 20 {
			admitted, _ := one.until(caller{address: fmt.Sprintf("192.0.2.%d", n)}, "GET", "/api/years", 200)
			total += admitted
		}
		if total != 20+10-20-5 {
			t.Errorf("%s: %d more of all others admitted, want the rest of the reserve, 5", name, total)
		}
	}
}

// Google fetches the feeds of many people from few addresses.
func TestFeedsHaveLimitsOfTheirOwn(t *testing.T) {
	t.Parallel()
	one := newInstance(t, redistest.New(t).URL(), small)
	one.until(caller{address: "66.249.0.1"}, "GET", "/api/years", 200)
	for n := range 3 {
		if got := one.ask(caller{address: "66.249.0.1"}, "GET", fmt.Sprintf("/api/feeds/t%d.ics", n), 304); got.refused != nil {
			t.Errorf("feed %d: got %v", n, got.refused)
		}
	}
	if admitted, _ := one.until(caller{address: "66.249.0.2"}, "GET", "/api/feeds/t0", 304); admitted != 2 {
		t.Errorf("one feed, from two addresses: %d more admitted, want 2", admitted)
	}
}

func TestWhatHasNoLimit(t *testing.T) {
	t.Parallel()
	one := newInstance(t, "", small)
	for _, route := range []string{"GET /", "GET /assets/a.js", "POST /events/open"} {
		method, path, _ := strings.Cut(route, " ")
		if admitted, _ := one.until(caller{address: home}, method, path, 200); admitted != 500 {
			t.Errorf("%s: refused after %d", route, admitted)
		}
	}
	for n := range 10 {
		for _, path := range []string{"/events/s3", "/tasks/sweep", "/"} {
			if got := one.ask(caller{address: home}, "POST", path, 200, "Authorization", "Bearer event"); got.refused != nil {
				t.Errorf("%s with its token, for the %d. time: %v", path, n+1, got.refused)
			}
		}
	}
	if admitted, _ := one.until(caller{address: home}, "POST", "/tasks/sweep", 401); admitted != 3 {
		t.Errorf("a task without its token: %d admitted, want 3 as of any request", admitted)
	}
	off := newInstance(t, "", ratelimit.Unlimited)
	if admitted, last := off.until(caller{address: home}, "GET", "/api/years", 200); admitted != 500 || last.Header().Get("RateLimit") != "" {
		t.Errorf("switched off: refused after %d, %v", admitted, last.Header())
	}
}

// An upload that could not be taken is not one of the ten.
func TestAnUploadThatFailedOnOurSideIsGivenBack(t *testing.T) {
	t.Parallel()
	for name, redis := range map[string]string{"with Redis": redistest.New(t).URL(), "without": ""} {
		one := newInstance(t, redis, small)
		one.ask(caller{address: home}, "POST", "/api/upload", 202)
		for n := range 10 {
			status := []int{503, 429, 500}[n%3] // 429 is what a server answers that has no room
			if got := one.ask(caller{address: home}, "POST", "/api/upload", status); got.refused != nil {
				t.Fatalf("%s: got %v", name, got.refused)
			}
		}
		if admitted, _ := one.until(caller{address: home}, "POST", "/api/upload", 202); admitted != 1 {
			t.Errorf("%s: %d admitted, want the second of two", name, admitted)
		}
	}
}

// What is given back of an upload was taken for it: of an empty share nothing was.
func TestAnEmptyShareIsNotGivenBackTo(t *testing.T) {
	t.Parallel()
	for name, redis := range map[string]string{"with Redis": redistest.New(t).URL(), "without": ""} {
		one := newInstance(t, redis, ratelimit.Limits{All: ratelimit.Rate{Count: 20, Per: time.Hour},
			Uploads: ratelimit.Rate{Count: 100, Per: time.Hour}})
		for range 10 { // its share is 5
			one.ask(caller{address: campus}, "POST", "/api/upload", 202)
		}
		var going []answer
		for range 10 {
			going = append(going, one.begin(caller{address: campus}, "POST", "/api/upload"))
		}
		for _, a := range going {
			a.done(503)
		}
		for n := range 10 { // two others take what was given back
			one.ask(caller{address: []string{home, "192.0.2.1"}[n%2]}, "POST", "/api/upload", 202)
		}
		if admitted, _ := one.until(caller{address: campus}, "POST", "/api/upload", 202); admitted != 0 {
			t.Errorf("%s: %d more admitted, want none: its share is used up, and the reserve is for others", name, admitted)
		}
	}
}

func TestWithoutRedisAnInstanceCountsAlone(t *testing.T) {
	t.Parallel()
	server := redistest.New(t)
	one := newInstance(t, server.URL(), small)
	one.ask(caller{address: home}, "GET", "/api/years", 200)
	server.Stop()
	if admitted, _ := one.until(caller{address: home}, "GET", "/api/years", 200); admitted != 3 {
		t.Errorf("%d admitted, want 3", admitted)
	}
	if admitted, _ := one.until(caller{address: home}, "GET", callback, 400); admitted != 0 {
		t.Errorf("callbacks: %d admitted", admitted)
	}
	if admitted, _ := one.until(caller{address: campus}, "GET", callback, 400); admitted != 3 {
		t.Errorf("failed sign-ins: %d admitted, want 3", admitted)
	}
}

func TestRefusalsAreCountedAndLoggedOnceAMinute(t *testing.T) {
	t.Parallel()
	one := newInstance(t, "", small)
	one.until(caller{address: home, owner: owner(1)}, "GET", "/api/years/2026", 200)
	for range 9 {
		one.ask(caller{address: home, owner: owner(1)}, "GET", "/api/years/2027", 200)
	}
	lines := strings.Split(strings.TrimSpace(one.log.String()), "\n")
	var line struct{ Msg, Client, Owner, Policy, Route string }
	if err := json.Unmarshal([]byte(lines[0]), &line); err != nil || len(lines) != 1 {
		t.Fatalf("%v; got the lines %q, want one", err, lines)
	}
	if line.Msg != "requests refused" || line.Policy != "client" || line.Route != "/api/years/{year}" || len(line.Client) != 16 || len(line.Owner) != 16 {
		t.Errorf("got %+v", line)
	}
	if strings.Contains(one.log.String(), home) || strings.Contains(one.log.String(), owner(1)) {
		t.Errorf("the log names the caller: %s", one.log)
	}
	want := "# HELP schedgen_requests_refused_total Requests refused by a limit of callers (LIMIT_...), by route and policy.\n" +
		"# TYPE schedgen_requests_refused_total counter\n" + `schedgen_requests_refused_total{policy="client",route="/api/years/{year}"} 10` + "\n"
	if err := testutil.CollectAndCompare(one.guard.Collectors()[0], strings.NewReader(want)); err != nil {
		t.Error(err)
	}
}
