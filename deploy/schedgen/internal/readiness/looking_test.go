package readiness

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/secret"
)

// TestARefusalIsNoProof: an address that is not there refuses nobody, so nothing is known of who may see it.
func TestARefusalIsNoProof(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]State{401: OK, 403: OK, 404: NotLooked, 405: NotLooked, 429: NotLooked, 502: NotLooked, 200: Failed, 302: Failed} {
		w := soundWorld()
		w.pages["/api/admin/dead-letters"] = reply{status, map[string]string{"Open": "1"}, ""}
		if got := w.find(t, "audit /api/admin/dead-letters"); got.State != want {
			t.Errorf("%d: got %+v, want %s", status, got, want)
		}
	}
}

// TestARedirectedTargetIsNotLookedAt: a site that sends everybody to another name was not seen.
func TestARedirectedTargetIsNotLookedAt(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://www.example.org"+r.URL.Path, http.StatusMovedPermanently)
	}))
	t.Cleanup(server.Close)
	all, err := Run(t.Context(), Options{Target: server.URL, Token: secret.New(token)}, Selection{Phase: "monitoring"})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		if r.State == Failed || r.State == OK {
			t.Errorf("%s: got %+v, want it not looked at", r.ID, r.Finding)
		}
		if r.Check == "whole" && r.How != "schedgen readiness --target https://www.example.org" {
			t.Errorf("%s: got %q, want to look at the site that it leads to", r.ID, r.How)
		}
	}
}

// TestNoPasswordOfAnAddressIsTold: addresses of Prometheus, stores and the database hold passwords.
func TestNoPasswordOfAnAddressIsTold(t *testing.T) {
	t.Parallel()
	const password = "kept-to-itself"
	in := func(scheme string) string { return scheme + "://user:" + password + "@127.0.0.1:1/x" }
	all, err := Run(t.Context(), Options{Target: in("http"), Token: secret.New("a-token"), Prometheus: in("http"), Postgres: secret.New(in("postgres")), Redis: secret.New(in("redis")), S3: secret.New(in("http"))}, Selection{})
	if err != nil {
		t.Fatal(err)
	}
	var report strings.Builder
	if err := errors.Join(RenderJSON(&report, all), Render(&report, all, true)); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{password, "a-token", "user:"} {
		if strings.Contains(report.String(), secret) {
			t.Errorf("the report tells %q", secret)
		}
	}
	hidden := newSystem(Options{S3: secret.New("http://key:" + password + "@host/x")})
	if got := hidden.printable("the server says: " + password + " is wrong\nfor http://a:b@c/"); got != "the server says: xxxxx is wrong for http://c/" {
		t.Errorf("got %q", got)
	}
}

// TestARunEnds: a run is over after its time, and what was not reached is not looked at.
func TestARunEnds(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 100)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	all, err := Run(t.Context(), Options{Target: server.URL, Token: secret.New(token), Timeout: 100 * time.Millisecond}, Selection{Section: "health"})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		if r.State != NotLooked || !strings.Contains(r.How, "--timeout") {
			t.Errorf("%s: got %+v, want it not looked at for want of time", r.ID, r.Finding)
		}
	}
	if len(asked) != 1 {
		t.Errorf("the system was asked %d times, want once", len(asked))
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ended, Options{}, Selection{}); !errors.Is(err, context.Canceled) {
		t.Errorf("who gives up gets %v, want the reason", err)
	}
}

// TestAProgramThatHangsIsEnded: kubectl or git may wait for ever for an answer.
func TestAProgramThatHangsIsEnded(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := runProgram(ctx, "sh", "-c", "sleep 60 & wait"); err == nil || !strings.Contains(err.Error(), "does not end") {
		t.Errorf("got %v, want that it does not end", err)
	}
}

// TestUnknownNamesAreRefused lists the names that there are.
func TestUnknownNamesAreRefused(t *testing.T) {
	t.Parallel()
	for want, only := range map[string]Selection{
		"the phases are critical, monitoring, load":      {Phase: "criticle"},
		"the sections are workers, queue, database-pool": {Section: "worker"},
		`there is no item "x"`:                           {IDs: []string{"workers-limited", "x"}},
		`the phase "load" has no section "workers"`:      {Phase: "load", Section: "workers"},
	} {
		if _, err := Run(t.Context(), Options{}, only); !errors.Is(err, ErrSelection) || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want %q", only, err, want)
		}
	}
}

// TestAReportIsTheSameEachTime: what is wrong with several is told in one order.
func TestAReportIsTheSameEachTime(t *testing.T) {
	t.Parallel()
	w := soundWorld()
	w.mode = 0o644
	for name := range w.beside {
		w.beside[name] = 0o640
	}
	broken := strings.NewReplacer(`"uploads":"ok"`, `"uploads":"down"`, `"reading":"ok"`, `"reading":"down"`, `"calendars":"ok"`, `"calendars":"down"`,
		`"status":"ok","message"`, `"status":"down","message"`, `"redis":{"status":"ok"}`, `"redis":{"status":"down"}`, `"s3":{"status":"ok"}`, `"s3":{"status":"down"}`).Replace(health)
	w.pages["/api/health"] = reply{200, nil, broken}
	o := w.build(t)
	for _, check := range []string{"flows", "whole", "private"} {
		var seen []string
		for range 20 {
			if got := newSystem(o).look(t.Context(), Item{Check: check}, nil).Evidence; !slices.Contains(seen, got) {
				seen = append(seen, got)
			}
		}
		if len(seen) != 1 {
			t.Errorf("%s: got different answers: %q", check, seen)
		}
	}
}

// TestWhatWasNotMeasuredIsNotGreen takes measures away, and gives some that are no number.
func TestWhatWasNotMeasuredIsNotGreen(t *testing.T) {
	t.Parallel()
	without := func(old, new string) func(*world) {
		return func(w *world) {
			w.answers["/api/v1/query"] = strings.ReplaceAll(w.answers["/api/v1/query"], old, new)
		}
	}
	asked := func(query string, samples ...string) func(*world) {
		return func(w *world) { w.queries[query] = vector(samples...) }
	}
	for at, c := range []struct {
		check   string
		changed func(*world)
	}{
		{"at-most schedgen_dead_letters 0", without("schedgen_dead_letters", "another")},
		{"at-most schedgen_dead_letters 0", without(`"value":[1,"0"]`, `"value":[1,"NaN"]`)},
		{"pool 16 400", without(`"state":"in_use"`, `"state":"idle"`)},
		{"pool 16 400", without(`"value":[1,"40"]`, `"value":[1,"NaN"]`)},
		{"error-rate 0.5", asked(answeredQuery, measured("", `"code":"200",`, "NaN"))},
		{"error-rate 0.5", asked(answeredQuery)},
		{"hits 50", without("schedgen_cache_requests_total", "another")},
		{"expression cpu 0.5", asked(expressions["cpu"])},
		{"expression latency 1", asked(expressions["latency"], measured("", "", "NaN"))},
		{"known schedgen:cost", asked("schedgen:cost", measured("schedgen:cost", "", "NaN"))},
		{"receiver", asked(sentQuery)},
		{"receiver", asked(managerQuery)},
		{"alerts BackupMissing", func(w *world) {
			w.answers["/api/v1/rules"] = strings.Replace(w.answers["/api/v1/rules"], `"health":"ok"`, `"health":"unknown"`, 1)
		}},
		{"scraped pdf-parse web", asked(seenQuery, measured("", `"function":"web",`, "3"))},
		{"backups-since-launch", func(w *world) { w.options = func(o *Options) { o.Launched = w.now.AddDate(0, 0, 1) } }},
		{"backups-since-launch", func(w *world) {
			w.pages["/api/admin/backups"] = reply{200, nil, backupsAt("verified", 1000, 34, 58)}
			w.options = func(o *Options) { o.Launched = w.now.Add(-12 * time.Hour) }
		}},
		{"backup-recent", func(w *world) { w.options = func(o *Options) { o.Token, o.Prometheus = secret.String{}, "" } }},
		{"backup-recent", func(w *world) {
			w.pages["/api/admin/backups"] = reply{401, nil, ""}
			w.options = func(o *Options) { o.Prometheus = "" }
		}},
	} {
		w := soundWorld()
		c.changed(w)
		if got := w.find(t, c.check); got.State != NotLooked || got.How == "" {
			t.Errorf("%d, %s: got %+v, want it not looked at", at, c.check, got)
		}
	}
}

// TestInstancesAreNotAdded: each instance of the backup function tells of the same backups.
func TestInstancesAreNotAdded(t *testing.T) {
	t.Parallel()
	w := soundWorld()
	w.pages["/api/admin/backups"] = reply{404, nil, ""}
	at := func(age time.Duration) string { return fmt.Sprint(w.now.Add(-age).Unix()) }
	gauges := func(first, second string) {
		w.answers["/api/v1/query"] = vector(measured("schedgen_backup_last_success_timestamp_seconds", "", first), measured("schedgen_backup_last_success_timestamp_seconds", "", second),
			measured("schedgen_backup_verified", "", "1"), measured("schedgen_backup_verified", "", "0"))
	}
	gauges(at(100*time.Hour), at(100*time.Hour))
	expect(t, w.find(t, "backup-recent"), Failed, "100 hours old")
	expect(t, w.find(t, "backup-verified"), Failed, "not proved")
	gauges("0", at(time.Hour))
	expect(t, w.find(t, "backup-recent"), OK, "newest good backup")
}

// TestANativeHistogramIsMeasured: Prometheus gives it in place of a value.
func TestANativeHistogramIsMeasured(t *testing.T) {
	t.Parallel()
	w := soundWorld()
	w.answers["/api/v1/query"] = vector(append(soundSamples(), `{"metric":{"__name__":"http_request_duration_seconds"},"histogram":[1,{"count":"3","sum":"0.1","buckets":[]}]}`)...)
	expect(t, w.find(t, "metrics http_request_duration_seconds"), OK, "1 series")
	expect(t, w.find(t, "pool 16 400"), OK, "connections")
}
