package readiness

import (
	"fmt"
	"strings"
	"time"
)

const health = `{"status":"ok","message":"Everything works.","checkedAt":"2026-03-10T12:00:00Z","services":{"uploads":"ok","reading":"ok","calendars":"ok","google":"ok"},
"parts":{"postgres":{"status":"ok","latencyMs":1},"redis":{"status":"ok"},"s3":{"status":"ok"},"parser":{"status":"ok"},
"backup":{"status":"ok","lastAt":"2026-03-10T00:00:00Z"}}}`

// backupsAt is the list of backups of so many hours ago.
func backupsAt(status string, bytes int, hours ...int) string {
	var list []string
	newest := ""
	for i, h := range hours {
		at := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC).Add(-time.Duration(h) * time.Hour).Format(time.RFC3339)
		if i == 0 {
			newest = fmt.Sprintf(`"lastGoodAt":%q,`, at)
		}
		dump := 1000
		if i == 0 {
			dump = bytes
		}
		list = append(list, fmt.Sprintf(`{"id":"b%d","createdAt":%q,"status":%q,"dumpBytes":%d,"verification":{"ok":true}}`, h, at, status, dump))
	}
	return `{` + newest + `"backups":[` + strings.Join(list, ",") + `]}`
}

func soundPages() map[string]reply {
	limited := map[string]string{"RateLimit-Limit": "100", "RateLimit-Policy": `"client";q=100;w=60`}
	return map[string]reply{
		"/api/health":        {200, nil, health},
		"/api/jobs/metrics":  {200, nil, `{"queue":{"pending":{"normal":1}},"oldestWaitSeconds":2}`},
		"/api/openapi.json":  {200, nil, `{"openapi":"3.1.0"}`},
		"/api/admin/backups": {200, nil, backupsAt("verified", 1000, 10, 34, 58, 82)},
		"/api/auth/google":   {302, map[string]string{"Location": "https://accounts.google.com/o?client_id=x"}, ""},
		"/api/jobs/00000000-0000-4000-8000-000000000000": {404, limited, ""},
		"/": {200, map[string]string{"Content-Security-Policy": "default-src 'self'", "X-Content-Type-Options": "nosniff"},
			`<script type="module" src="/assets/app-1.js"></script></html>`},
		"/api/admin/dead-letters": {200, nil, "[]"},
		"/assets/app-1.js":        {200, map[string]string{"Content-Encoding": "br", "Cache-Control": "public, max-age=31536000, immutable"}, "x"},
	}
}

// systemTwins break what the running system answers.
func systemTwins() []twin {
	says := func(path string, status int, body string) func(*world) {
		return func(w *world) { w.pages[path] = reply{status, w.pages[path].header, body} }
	}
	header := func(path, name, value string) func(*world) {
		return func(w *world) { w.pages[path].header[name] = value }
	}
	const list = "/api/admin/backups"
	return []twin{
		{"whole", says("/api/health", 200, strings.Replace(health, `"status":"ok","message":"Everything`, `"status":"degraded","message":"Nearly everything`, 1)), "degraded", "runbook"},
		{"whole", says("/api/health", 502, ""), "answers 502", "runbook"},
		{"part redis", says("/api/health", 200, strings.Replace(health, `"redis":{"status":"ok"}`, `"redis":{"status":"degraded","problem":"CACHE_UNAVAILABLE"}`, 1)), "CACHE_UNAVAILABLE", "runbook of redis"},
		{"part s3", says("/api/health", 200, strings.Replace(health, `"s3":{"status":"ok"},`, ``, 1)), "does not speak of s3", "runbook of s3"},
		{"flows", says("/api/health", 200, strings.Replace(health, `"reading":"ok"`, `"reading":"down"`, 1)), "reading: down", "runbook"},
		{"whole", says("/api/health", 200, strings.Replace(health, "2026-03-10T12:00", "2026-03-10T09:00", 1)), "keeps old answers", "runbook"},
		{"answers /api/openapi.json \"openapi\":", says("/api/openapi.json", 500, ""), "answers 500", "/api/openapi.json"},
		{"answers /api/openapi.json \"openapi\":", says("/api/openapi.json", 200, "<html></html>"), "something else", "/api/openapi.json"},
		{"answers / </html>", says("/", 200, ""), "something else", "does not answer"},
		{"request-id", says("/api/openapi.json", 404, ""), "answers 404", "X-Request-Id"},
		{"queue", says("/api/jobs/metrics", 200, `{"queue":{},"oldestWaitSeconds":0}`), "without the queue's numbers", "route /api/jobs/"},
		{"queue", says("/api/jobs/metrics", 404, ""), "answers 404", "route /api/jobs/"},
		{"request-id", func(w *world) {
			w.pages["/api/openapi.json"] = reply{200, map[string]string{"No-Id": "1"}, ""}
		}, `X-Request-Id ""`, "X-Request-Id"},
		{"limit-headers 100", header("/api/jobs/00000000-0000-4000-8000-000000000000", "RateLimit-Policy", `"client";q=5000;w=60`), "more than 100 a minute", "LIMIT_CLIENT"},
		{"limit-headers 100", header("/api/jobs/00000000-0000-4000-8000-000000000000", "RateLimit-Policy", `"client";q=100;w=1`), "more than 100 a minute", "LIMIT_CLIENT"},
		{"limit-headers 100", header("/api/jobs/00000000-0000-4000-8000-000000000000", "RateLimit-Limit", ""), "tell no limit", "LIMIT_CLIENT"},
		{"page", header("/assets/app-1.js", "Content-Encoding", ""), "not compressed", "Build the page"},
		{"page", header("/assets/app-1.js", "Cache-Control", "no-cache"), "may not be kept", "Build the page"},
		{"audit /api/admin/dead-letters", func(w *world) {
			w.pages["/api/admin/dead-letters"] = reply{200, map[string]string{"Open": "1"}, "[]"}
		}, "answers 200", "ADMIN_TOKEN"},
		{"sign-in", says("/api/auth/google", 501, ""), "no Google project", "GOOGLE_CLIENT_ID"},
		{"sign-in", header("/api/auth/google", "Location", "https://accounts.google.com/o?client_id="), "does not lead to Google", "GOOGLE_CLIENT_ID"},
		{"audit /api/admin/dead-letters", header("/", "X-Content-Type-Options", "off"), "protects from nothing", "compose.prod.yml"},
		{"audit /api/admin/dead-letters", header("/", "Content-Security-Policy", ""), "without Content-Security-Policy", "compose.prod.yml"},
		{"to-https", func(w *world) { w.options = publicly }, "answers 200 instead of leading to https", "port 80"},
		{"to-https", func(w *world) {
			w.pages["/"] = reply{301, map[string]string{"Location": "https://another.example.org/"}, ""}
			w.options = publicly
		}, "instead of https of the same name", "port 80"},
		{"to-https", func(w *world) { // nobody answers at port 443
			w.pages["/"] = reply{301, map[string]string{"Location": "https://schedgen.example.org/"}, ""}
			w.options = publicly
		}, "does not answer", "port 80"},
		{"backup-recent", says(list, 200, backupsAt("verified", 1000, 30)), "30 hours old", "Make a backup now"},
		{"backup-recent", says(list, 200, `{"backups":[]}`), "no good backup", "Make a backup now"},
		{"backup-verified", says(list, 200, backupsAt("checked", 1000, 10)), "is checked, not proved", "identity"},
		{"backups-since-launch", says(list, 200, backupsAt("verified", 1000, 10, 58, 82)), "no good backup of 2026-03-09", "Make a backup now"},
		{"backup-recent", says(list, 200, backupsAt("verified", 1000, -24)), "still to come", "Make a backup now"},
		{"backups-since-launch", says(list, 200, backupsAt("verified", 1000, 130, 154)), "no good backup of 2026-03-09, 2026-03-08", "Make a backup now"},
		{"backups-since-launch", func(w *world) { // of before the launch
			w.pages[list] = reply{200, nil, backupsAt("verified", 1000, 40, 64)}
			w.options = func(o *Options) { o.Launched = w.now.Add(-30 * time.Hour) }
		}, "made since the launch", "Make a backup now"},
		{"backups-since-launch", says(list, 200, backupsAt("verified", 100, 10, 34, 58, 82)), "has 100 bytes", "Compare"},
	}
}

const sampleLine = `{"metric":{"__name__":%q,%s"job":"functions"},"value":[1,%q]}`

func vector(samples ...string) string {
	return `{"status":"success","data":{"result":[` + strings.Join(samples, ",") + `]}}`
}

func measured(name, labels, value string) string { return fmt.Sprintf(sampleLine, name, labels, value) }

func soundSamples() []string {
	return []string{
		measured("http_requests_total", `"code":"200",`, "900"), measured("http_requests_total", `"code":"503",`, "1"),
		measured("schedgen_dead_letters", "", "0"), measured("schedgen_db_connections_max", "", "40"),
		measured("schedgen_db_connections", `"state":"in_use",`, "3"), measured("schedgen_cache_requests_total", `"outcome":"hit",`, "900"),
		measured("schedgen_cache_requests_total", `"outcome":"miss",`, "100"), measured("", "", "0.3"), measured("up", "", "1"),
	}
}

func soundAnswers() map[string]string {
	return map[string]string{
		"/api/v1/query": vector(soundSamples()...),
		"/api/v1/rules": `{"data":{"groups":[{"rules":[{"name":"BackupMissing","type":"alerting","health":"ok","labels":{"severity":"critical"}},
{"name":"schedgen:cost","type":"recording","health":"ok"}]}]}}`,
		"/api/v1/alertmanagers": `{"data":{"activeAlertmanagers":[{"url":"http://alertmanager:9093"}]}}`,
	}
}

const (
	answeredQuery = `sum by (code) (increase(http_requests_total[1d]))`
	seenQuery     = `count by (function) (schedgen_trace_spans_total)`
	silentQuery   = `up{job="functions"} == 0`
	managerQuery  = `up{job="alertmanager"}`
	sentQuery     = `sum(alertmanager_notifications_total)`
	unsentQuery   = `sum(increase(alertmanager_notifications_failed_total[1d]))`
	firingQuery   = `ALERTS{alertstate="firing",severity="critical"}`
)

// soundQueries are Prometheus' answers to single questions.
func soundQueries() map[string]string {
	return map[string]string{
		answeredQuery: vector(measured("", `"code":"200",`, "900"), measured("", `"code":"503",`, "1")),
		seenQuery:     vector(measured("", `"function":"pdf-parse",`, "3"), measured("", `"function":"web",`, "3")), silentQuery: vector(),
		managerQuery: vector(measured("up", "", "1")), sentQuery: vector(measured("", "", "7")), unsentQuery: vector(measured("", "", "0")),
		firingQuery: vector(), "schedgen:cost": vector(measured("schedgen:cost", "", "1.5")),
	}
}

// watchedTwins break what Prometheus says.
func watchedTwins() []twin {
	instead := func(old, new string) func(*world) {
		return func(w *world) {
			w.answers["/api/v1/query"] = strings.Replace(vector(soundSamples()...), old, new, 1)
		}
	}
	asked := func(query string, samples ...string) func(*world) {
		return func(w *world) { w.queries[query] = vector(samples...) }
	}
	ruled := func(old, new string) func(*world) {
		return func(w *world) { w.answers["/api/v1/rules"] = strings.Replace(w.answers["/api/v1/rules"], old, new, 1) }
	}
	return []twin{
		{"metrics http_requests_total", func(w *world) { w.answers["/api/v1/query"] = vector() }, "nothing measures http_requests_total", "Prometheus"},
		{"at-most schedgen_dead_letters 0", instead(`"value":[1,"0"]`, `"value":[1,"3"]`), "is 3, more than 0", "runbook"},
		{"error-rate 0.5", asked(answeredQuery, measured("", `"code":"200",`, "900"), measured("", `"code":"503",`, "50")), "50 of 950", "RequestsFail"},
		{"pool 16 400", instead(`"value":[1,"40"]`, `"value":[1,"4000"]`), "4000 connections", "DATABASE_MAX_CONNS"},
		{"pool 16 400", instead(`"value":[1,"3"]`, `"value":[1,"39"]`), "39 of 40", "DATABASE_MAX_CONNS"},
		{"hits 50", instead(`"value":[1,"900"]},{"metric":{"__name__":"schedgen_cache_requests_total","outcome":"miss"`,
			`"value":[1,"20"]},{"metric":{"__name__":"schedgen_cache_requests_total","outcome":"miss"`), "17 % of 120", "JOB_CACHE_TTL"},
		{"alerts BackupMissing", func(w *world) { w.answers["/api/v1/rules"] = `{"data":{"groups":[]}}` }, "no alert BackupMissing", "deploy/monitoring/rules"},
		{"receiver", func(w *world) { w.answers["/api/v1/alertmanagers"] = `{"data":{"activeAlertmanagers":[]}}` }, "reaches no Alertmanager", "alertmanager.yml"},
		{"alerts BackupMissing", ruled(`"health":"ok"`, `"health":"err","lastError":"no such label"`), "cannot evaluate the alert BackupMissing: no such label", "deploy/monitoring/rules"},
		{"receiver", asked(managerQuery, measured("up", "", "0")), "does not answer", "alertmanager.yml"},
		{"receiver", asked(unsentQuery, measured("", "", "3")), "failed to send 3", "alertmanager.yml"},
		{"quiet", asked(firingQuery, measured("ALERTS", `"alertname":"DatabaseUnavailable",`, "1"), measured("ALERTS", `"alertname":"BackupMissing",`, "1")),
			"BackupMissing, DatabaseUnavailable", "runbook"},
		{"quiet", ruled(`"critical"`, `"warning"`), "no critical alert", "deploy/monitoring/rules"},
		{"quiet", ruled(`"health":"ok"`, `"health":"err"`), "cannot evaluate", "runbook"},
		{"expression disk 0.8", asked(expressions["disk"], measured("", "", "0.93")), "disk is at 0.93", "sizing"},
		{"known schedgen:cost", func(w *world) {
			w.queries["schedgen:cost"] = vector()
			ruled(`"schedgen:cost"`, `"another"`)(w)
		}, "no schedgen:cost", "rules"},
		{"scraped pdf-parse web", asked(silentQuery, measured("up", `"instance":"web:8080",`, "0")), "do not answer Prometheus: web:8080", "TargetDown"},
		{"scraped pdf-parse web", asked(seenQuery), "scrapes no function", "targets"},
	}
}
