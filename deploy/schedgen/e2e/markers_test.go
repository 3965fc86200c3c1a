package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/deploy/schedgen/internal/stack"
	"github.com/schedgen/schedgen/shared/dev/stack/fakegoogle"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/dev/testkit/otlptest"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/secret"
	"github.com/schedgen/schedgen/shared/session"
	"github.com/schedgen/schedgen/shared/timetable"
)

// Texts that are in nothing else, each planted into one kind of input.
const (
	fileMarker    = "marked-file-name-7f3a"
	insideMarker  = "MARKEDINSIDETHEPDF7F3A" // within the file, and in no row
	moduleMarker  = "MRK 999"
	classMarker   = "marked class of a person 7f3a"
	pathMarker    = "marked-path-7f3a"
	queryMarker   = "marked-query-7f3a"
	headerMarker  = "marked-header-7f3a"
	fieldMarker   = "markedField7f3a"
	eventMarker   = "marked-event-7f3a"
	returnMarker  = "marked-return-7f3a"
	addressMarker = "203.0.113.77"
)

// marked is a system into which markers were planted, and where they may be found.
type marked struct {
	*student
	log    *kept
	db     *pgx.Conn
	traces *otlptest.Collector
	// allowed are the tables of the database that may have a marker; no output may have any.
	allowed map[string][]string
}

// TestNothingPersonalLeaks plants markers into every kind of input and looks for them in all logs, in metrics and health,
// in traces, and in the tables that have no business with them.
func TestNothingPersonalLeaks(t *testing.T) {
	t.Parallel()
	m := plant(t)
	m.uploads()
	m.requests()
	m.feeds()
	m.googles()
	m.platforms()
	m.refusals()
	for _, path := range []string{"/metrics", "/health", "/ready"} {
		got, err := get(t.Context(), http.DefaultClient, m.world.url+path)
		if err != nil {
			t.Fatal(err)
		}
		m.mustNotHold(path, string(got.body))
	}
	m.mustNotHold("the log", m.log.all())
	if err := m.world.system.Stop(); err != nil { // so that the last spans are sent
		t.Fatal(err)
	}
	m.mustNotHold("the traces", m.traces.Text())
	if n := len(m.traces.Spans()); n < 1000 {
		t.Errorf("only %d spans were sent: the test shows nothing", n)
	}
	m.database()
}

// all is the whole log.
func (k *kept) all() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.text.String()
}

func plant(t *testing.T) *marked {
	t.Helper()
	log, dsn, traces := &kept{}, pgtest.New(t), otlptest.New(t)
	w := start(t, stack.Config{Postgres: secret.New(dsn), Google: stack.FakeGoogle,
		Logger: slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))},
		"TRUSTED_PROXIES", "127.0.0.0/8", "LIMIT_CLIENT", "600/1m", "LIMIT_SIGNIN", "off",
		"OTEL_EXPORTER_OTLP_ENDPOINT", traces.URL, "OTEL_EXPORTER_OTLP_HEADERS", "authorization="+headerMarker)
	db, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close(context.Background()) }) // nothing is left to send
	return &marked{student: w.student(t), log: log, db: db, traces: traces, allowed: map[string][]string{
		fileMarker:   {"jobs"},
		insideMarker: nil,
		moduleMarker: {"entries", "feeds", "google_calendars", "google_recipes", "google_recipe_parts", "google_syncs"},
		classMarker:  {"feeds", "google_calendars", "google_recipes", "google_syncs", "google_recipe_parts"},
		eventMarker:  {"dead_letters"},
		person:       {"google_accounts", "google_calendars", "google_events", "google_syncs", "google_recipes"}, // Google names a person's first calendar so
		pathMarker:   nil, queryMarker: nil, headerMarker: nil, fieldMarker: nil, returnMarker: nil, addressMarker: nil,
		adminToken: nil, eventToken: nil, priorityToken: nil,
	}}
}

// markedPDF is a timetable whose first module is the marker, with more that no row has.
func (m *marked) markedPDF() []byte {
	m.t.Helper()
	p := generated(m.t, fixture.Options{Kind: timetable.Lecture, Seed: 7, Modules: 2, Plain: true})
	module := p.doc.Entries[0].Module
	pdf := bytes.ReplaceAll(p.pdf, []byte("("+module), []byte("("+moduleMarker+strings.Repeat(" ", len(module)-len(moduleMarker))))
	return append(pdf, []byte("\n% "+insideMarker+"\n")...)
}

// ask sends a request with markers in its headers, and whatever comes back.
func (m *marked) ask(method, path, contentType string, body io.Reader, headers ...string) answer {
	m.t.Helper()
	request, err := http.NewRequestWithContext(m.t.Context(), method, m.world.url+path, body)
	if err != nil {
		m.t.Fatal(err)
	}
	for name, value := range map[string]string{"Content-Type": contentType, "X-Forwarded-For": addressMarker, "User-Agent": headerMarker,
		"Referer": "https://example.org/" + headerMarker, "X-Marked": headerMarker, "Priority-Token": priorityToken} {
		request.Header.Set(name, value)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	got, err := send(&http.Client{Jar: m.client.Jar, CheckRedirect: m.client.CheckRedirect}, request)
	if err != nil {
		m.t.Fatal(err)
	}
	return got
}

func (m *marked) uploads() {
	m.t.Helper()
	for _, file := range [][]byte{m.markedPDF(), []byte("%PDF-1.7\n" + insideMarker + " obj << /" + insideMarker), []byte(insideMarker),
		generated(m.t, fixture.Options{Kind: timetable.Test, Seed: 3, Nonsense: true}).pdf} {
		for _, path := range []string{"/api/upload", "/upload"} {
			contentType, body := form(file, "priority", "high")
			data, err := io.ReadAll(body)
			if err != nil {
				m.t.Fatal(err)
			}
			data = bytes.ReplaceAll(data, []byte("timetable.pdf"), []byte(fileMarker+".pdf"))
			m.ask("POST", path, contentType, bytes.NewReader(data), "Prefer", "wait=20")
		}
	}
	if n := m.count("select count(*) from entries where entry::text like '%" + moduleMarker + "%'"); n == 0 {
		m.t.Error("the marked module was not read: the test shows nothing")
	}
}

// requests are refused in every way. Some would end the session, or delete everything, so they have one of their own.
func (m *marked) requests() {
	m.t.Helper()
	own := m.student
	m.student = m.world.student(m.t)
	defer func() { m.student = own }()
	contentType, body := form([]byte(insideMarker))
	m.ask("POST", "/api/upload", contentType, body)
	for _, o := range m.world.api.Operations() {
		path := strings.NewReplacer("{id}", pathMarker, "{token}", pathMarker, "{year}", pathMarker).Replace(o.Path)
		for _, body := range []string{`{"` + fieldMarker + `":1}`, `{` + fieldMarker, `{"jobId":"` + pathMarker + `"}`, `{"events":[{"summary":"` + classMarker + `"}]}`} {
			m.ask(o.Method, path+"?a="+queryMarker+"&limit="+queryMarker+"&semester="+queryMarker, "application/json", strings.NewReader(body),
				"Authorization", "Bearer "+headerMarker)
		}
	}
	m.ask("GET", "/"+pathMarker+"?"+queryMarker, "", nil)
	m.ask("POST", "/api/upload", "multipart/form-data; boundary="+headerMarker, strings.NewReader("--"+headerMarker+"\r\n"+fieldMarker))
	m.ask("POST", "/api/generate/ics", "application/x-www-form-urlencoded", strings.NewReader(fieldMarker+"=1"))
	m.ask("GET", "/api/auth/google/callback?state="+queryMarker+"&code="+queryMarker, "", nil)
	m.ask("GET", "/api/auth/google?returnUrl=/"+returnMarker, "", nil)
}

func (m *marked) feeds() {
	m.t.Helper()
	extra := map[string]any{"extra": []any{map[string]any{"module": "COS 212", "activity": classMarker, "date": "2026-03-02", "startTime": "08:30", "endTime": "09:20", "notes": classMarker}},
		"terms": terms2026, "year": 2026}
	var feed struct{ Token string }
	got := m.ask("POST", "/api/feeds", "application/json", jsonOf(m.t, extra))
	got.into(m.t, &feed)
	if feed.Token == "" {
		m.t.Fatalf("no feed was made: %d %.500s", got.StatusCode, got.body)
	}
	m.allowed[feed.Token] = nil
	m.ask("GET", "/api/feeds/"+feed.Token+".ics", "", nil)
	m.ask("PUT", "/api/feeds/"+feed.Token, "application/json", jsonOf(m.t, extra))
	m.ask("POST", "/api/generate/ics", "application/json", jsonOf(m.t, map[string]any{"events": []any{map[string]any{"summary": classMarker}}}))
}

func (m *marked) googles() {
	m.t.Helper()
	m.signIn(m.world.google)
	sync := map[string]any{"calendarId": person, "terms": terms2026, "year": 2026,
		"extra": []any{map[string]any{"module": "COS 212", "activity": classMarker, "date": "2026-03-02", "startTime": "08:30", "endTime": "09:20"}}}
	m.ask("POST", "/api/calendars/events", "application/json", jsonOf(m.t, sync))
	m.world.google.Inject(fakegoogle.Fault{Status: 403, Times: 3})
	m.ask("POST", "/api/calendars/follow", "application/json", jsonOf(m.t, map[string]any{"calendarId": person, "follow": true}))
	m.ask("POST", "/api/calendars/events", "application/json", jsonOf(m.t, sync))
	m.ask("GET", "/api/calendars", "", nil)
	m.world.google.Heal()
	for _, c := range m.client.Jar.Cookies(parsed(m.t, m.world.url)) {
		if c.Name == session.CookieName {
			m.allowed[c.Value] = nil
		}
	}
	if n := m.count("select count(*) from google_accounts where email = '" + person + "'"); n != 1 {
		m.t.Error("nobody is signed in: the test shows nothing")
	}
}

// platforms are events and tasks, with what nobody can use.
func (m *marked) platforms() {
	m.t.Helper()
	for _, path := range []string{"/events/s3", "/events/dead-letter"} {
		for _, body := range []string{`{"EventName":"s3:ObjectCreated:Put","Key":"schedgen-pdfs/` + eventMarker + `","Records":[{"s3":{"object":{"key":"` + eventMarker + `"}}}]}`,
			`{"specversion":"1.0","id":"` + eventMarker + `","source":"/a","type":"` + eventMarker + `","data":{"a":"` + eventMarker + `"}}`, eventMarker} {
			m.ask("POST", path, "application/cloudevents+json", strings.NewReader(body), "Authorization", "Bearer "+eventToken)
		}
	}
	m.ask("POST", "/tasks/sweep", "", nil, "Authorization", "Bearer "+eventToken)
	m.ask("GET", "/api/admin/dead-letters", "", nil, "Authorization", "Bearer "+adminToken)
	m.ask("GET", "/api/admin/backups/"+pathMarker, "", nil, "Authorization", "Bearer "+adminToken)
	m.ask("GET", "/api/jobs/"+uuid.NewString(), "", nil)
}

// refusals asks until a limit is met.
func (m *marked) refusals() {
	m.t.Helper()
	for range 1500 {
		if m.ask("GET", "/api/years/"+pathMarker+"?"+queryMarker, "", nil).StatusCode == http.StatusTooManyRequests {
			return
		}
	}
	m.t.Error("no limit was met: the test does not show what is logged then")
}

func jsonOf(t *testing.T, value any) io.Reader {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(data)
}

func (m *marked) count(query string) (n int) {
	m.t.Helper()
	if err := m.db.QueryRow(m.t.Context(), query).Scan(&n); err != nil {
		m.t.Fatalf("%s: %v", query, err)
	}
	return n
}

// mustNotHold looks for each marker as it is, and as it stands in an address.
func (m *marked) mustNotHold(where, text string) {
	m.t.Helper()
	for marker := range m.allowed {
		for _, form := range []string{marker, url.QueryEscape(marker), url.PathEscape(marker), strings.ReplaceAll(marker, " ", "")} {
			i := strings.Index(text, form)
			if i < 0 {
				continue
			}
			line := text[strings.LastIndexByte(text[:i], '\n')+1:]
			line, _, _ = strings.Cut(line, "\n")
			m.t.Errorf("%s holds %q: %.600s", where, marker, line)
			break
		}
	}
}

// database looks into all tables, packed columns too.
func (m *marked) database() {
	m.t.Helper()
	rows, err := m.db.Query(m.t.Context(), `select table_name::text from information_schema.tables where table_schema = 'public'`)
	if err != nil {
		m.t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		m.t.Fatal(err)
	}
	for _, marker := range slices.Sorted(maps.Keys(m.allowed)) {
		for _, table := range tables {
			var n int
			err := m.db.QueryRow(m.t.Context(), `select count(*) from `+pgx.Identifier{table}.Sanitize()+` t where position($1 in t::text) > 0`, marker).Scan(&n)
			if err != nil {
				m.t.Fatal(err)
			}
			if n > 0 && !slices.Contains(m.allowed[marker], table) {
				m.t.Errorf("%d rows of %s hold %q", n, table, marker)
			}
		}
	}
}
