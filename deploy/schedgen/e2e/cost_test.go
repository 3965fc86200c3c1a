package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/dev/testkit/openapitest"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/dev/testkit/s3test"
	"github.com/schedgen/schedgen/shared/timetable"
)

// TestNoRequestCostsMoreThanItsBound tries each operation of the API's description, in the name of an owner who has as
// much as an owner may have, with the costliest bodies that its schema allows.
func TestNoRequestCostsMoreThanItsBound(t *testing.T) {
	t.Parallel()
	c := newCosts(t, costlySite(t))
	c.each(c.try)
}

// each goes through all operations of the description. One that is not in tries fails the test.
func (c *costs) each(do func(try, openapitest.Operation)) {
	c.t.Helper()
	left := map[string]openapitest.Operation{}
	for _, o := range c.site.world.api.Operations() {
		left[o.Method+" "+o.Path] = o
	}
	for _, tried := range tries {
		o, ok := left[tried.operation]
		if !ok {
			c.t.Errorf("%s is not described", tried.operation)
			continue
		}
		delete(left, tried.operation)
		do(tried, o)
	}
	for _, operation := range slices.Sorted(maps.Keys(left)) {
		c.t.Errorf("%s is described, and nobody tried what it costs: give it a line in tries", operation)
	}
}

// quickGoogle is a quota that no sync waits for.
const quickGoogle = "GOOGLE_CALLS_PER_MINUTE=60000"

// costlySite is the functions as processes.
func costlySite(t *testing.T) *site {
	t.Helper()
	f := processes(t, quickGoogle)
	return newSite(f, pgtest.New(t), s3test.New, f.run)
}

// costs tries operations at a site and measures its functions.
type costs struct {
	t            *testing.T
	site         *site
	owner, guest *student
	db           *pgx.Conn
	keeps        string            // asks how many bytes the database keeps
	last         map[string][]byte // the last answer of each operation to a request that was taken
}

// newCosts gives an owner all that one may have.
func newCosts(t *testing.T, s *site) *costs {
	t.Helper()
	db, err := pgx.Connect(t.Context(), s.dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close(context.Background()) }) // nothing is left to send
	c := &costs{t: t, site: s, owner: s.world.student(t), guest: s.world.student(t), db: db, last: map[string][]byte{}}
	c.keeps = c.asked(keepsSQL)
	c.guest.upload(generated(t, fixture.Options{Kind: timetable.Test, Seed: 1, Modules: 1}).pdf)
	job := c.owner.upload(generated(t, fixture.Options{Kind: timetable.Lecture, Seed: 7, Modules: 5}).pdf)
	c.owner.signIn(s.world.google)
	c.execute(fullOwnerSQL, job.JobID)
	c.execute(deadLettersSQL)
	return c
}

// fullOwnerSQL gives a job's owner four jobs more, each with as much text as a PDF may say: the newest with many rows, the
// others with long ones. That is more than calendars are made of.
const fullOwnerSQL = `
with made as (
	insert into jobs (id, owner, status, kind, object_key, created_at, uploaded_at, started_at, completed_at, announced_at)
	select gen_random_uuid(), owner, 'completed', 'lecture', 'uploads/seed/' || n, created_at + (5 - n) * interval '1 second', now(), now(), now() - n * interval '1 millisecond', now()
	from jobs, generate_series(1, 4) as n where id = $1::uuid
	returning id, object_key
), texts as (select string_agg(md5(n::text), '') as long from generate_series(1, 500) as n)
insert into entries (job_id, position, entry)
select id, p, jsonb_build_object('module', 'COS ' || p, 'offered', 'S1', 'group', 'G01', 'lang', '', 'activity', 'L' || p, 'day', 'Monday', 'date', '',
	'startTime', '08:30', 'endTime', '09:20', 'venues', jsonb_build_array(t.text), 'campus', t.text, 'comments', t.text, 'studyProg', t.text, 'page', 1)
from made, texts, lateral (select case when object_key = 'uploads/seed/1' then 10 else 16000 end as size) as z,
	lateral (select left(long, size) as text) as t, generate_series(1, case when size = 10 then 9000 else 16 end) as p`

const deadLettersSQL = `
insert into dead_letters (source, reason, event)
select 'test', 'test', to_jsonb(repeat(md5(n::text), 2000)) from generate_series(1, 100) as n`

// roomSQL lets the owner ask for one more sync and feed.
const roomSQL = `
with ended as (update google_syncs set status = 'done', finished_at = now() where status = 'pending')
delete from feeds where id < (select id from feeds order by id desc limit 1)`

func (c *costs) execute(query string, args ...any) {
	c.t.Helper()
	if _, err := c.db.Exec(c.t.Context(), query, args...); err != nil {
		c.t.Fatal(err)
	}
}

// asked is the first column of the first row of a query, as text.
func (c *costs) asked(query string) (answer string) {
	c.t.Helper()
	if err := c.db.QueryRow(c.t.Context(), query).Scan(&answer); err != nil {
		c.t.Fatalf("%s: %v", query, err)
	}
	return answer
}

// try sends one operation's costliest requests. At least one of them must be answered as it says.
func (c *costs) try(tried try, o openapitest.Operation) {
	c.t.Helper()
	addresses, bodies := tried.requests(c, o)
	m := c.meter(c.instance(tried.function))
	var worst cost
	var said []string
	taken := 0
	for _, address := range addresses {
		for _, body := range bodies {
			if m.left() > costMemory/8 { // what a request left behind is not the next one's
				m = c.meter(c.instance(tried.function))
			}
			status, answer, spent := c.measure(m, tried, o, address, body)
			if status == tried.want {
				taken++
				c.last[tried.operation] = answer
			}
			if over := spent.over(); over != "" || status >= 500 {
				c.t.Errorf("%s, %s (%d bytes): %d %.300s; %s", tried.operation, body.Name, len(body.Data), status, answer, over)
			}
			said = append(said, fmt.Sprintf("%s (%d): %d, %s, %.200s", body.Name, len(body.Data), status, mebibytes(spent.memory), answer))
			worst = cost{max(worst.memory, spent.memory), max(worst.stored, spent.stored), max(worst.seconds, spent.seconds)}
		}
	}
	c.t.Logf("%s: %d of %d taken; at most %s, %.2f s, %d bytes stored", tried.operation, taken, len(said), mebibytes(worst.memory), worst.seconds, worst.stored)
	if taken == 0 {
		c.t.Errorf("%s: none was answered with %d:\n%s", tried.operation, tried.want, strings.Join(said, "\n"))
	}
}

// measure sends one request, and waits until all that it began has ended.
func (c *costs) measure(m *meter, tried try, o openapitest.Operation, address string, body openapitest.Body) (status int, answer []byte, spent cost) {
	c.t.Helper()
	c.execute(roomSQL)
	stored := c.stored()
	m.reset()
	status, answer = c.send(tried, o, address, body)
	c.settle()
	spent = m.spent()
	spent.stored = c.stored() - stored
	return status, answer, spent
}

// send sends one request to the function itself, in the name of somebody who may.
func (c *costs) send(tried try, o openapitest.Operation, address string, body openapitest.Body) (status int, answer []byte) {
	c.t.Helper()
	request, err := http.NewRequestWithContext(c.t.Context(), o.Method, c.instance(tried.function).url+address, bytes.NewReader(body.Data))
	if err != nil {
		c.t.Error(err)
		return 0, nil
	}
	if body.ContentType != "" {
		request.Header.Set("Content-Type", body.ContentType)
	}
	for scheme, token := range map[string]string{"adminToken": adminToken, "eventToken": eventToken} {
		if slices.Contains(o.Tokens, scheme) {
			request.Header.Set("Authorization", "Bearer "+token)
		}
	}
	who := tried.as(c).client
	got, err := send(&http.Client{Jar: who.Jar, CheckRedirect: who.CheckRedirect, Timeout: patience}, request)
	if err != nil {
		c.t.Errorf("%s, %s: %v", tried.operation, body.Name, err)
		return 0, nil
	}
	return got.StatusCode, got.body
}

// settle waits until no sync goes on.
func (c *costs) settle() {
	c.t.Helper()
	eventually(c.t, func() error {
		if pending := c.asked("select count(*)::text from google_syncs where status = 'pending'"); pending != "0" {
			return fmt.Errorf("%s syncs go on", pending)
		}
		return nil
	})
}

// keepsSQL makes a query of how many bytes the database keeps, but for the entries of PDFs, which no other request makes.
const keepsSQL = `
select 'select (' || string_agg(format('(select coalesce(sum(pg_column_size(%I)), 0) from %I)', column_name, table_name), '+') || ')::text'
from information_schema.columns
where table_schema = 'public' and data_type in ('text', 'jsonb', 'bytea') and table_name not in ('schema_version', 'entries')`

// stored is how many bytes the database keeps.
func (c *costs) stored() int64 {
	c.t.Helper()
	sum, err := strconv.ParseInt(c.asked(c.keeps), 10, 64)
	if err != nil {
		c.t.Fatal(err)
	}
	return sum
}

// instance is a function.
func (c *costs) instance(name string) *instance {
	return map[string]*instance{"upload-ingest": c.site.ingest, "calendar-generate": c.site.calendar, "google-sync": c.site.google, "backup": c.site.backup}[name]
}

// meter starts the function again, so that nothing is left of what was asked before.
func (c *costs) meter(i *instance) *meter {
	c.t.Helper()
	if err := errors.Join(i.kill(), i.start()); err != nil {
		c.t.Fatal(err)
	}
	for _, path := range []string{"/health", "/ready", "/metrics"} {
		if _, err := get(c.t.Context(), http.DefaultClient, i.url+path); err != nil {
			c.t.Fatal(err)
		}
	}
	return newMeter(c.t, i.pid())
}
