package uploadingest

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/dev/testkit"
	"github.com/schedgen/schedgen/shared/dev/testkit/functest"
	"github.com/schedgen/schedgen/shared/faas"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/secret"
)

// Anybody may ask for high priority, and only those who have the token get it.
func TestHighPriorityNeedsARight(t *testing.T) {
	with := newWorld(t, silent, with(func(c *Config) { c.PriorityToken = secret.New("priority-token") }))
	without := newWorldBeside(with, func(c *Config) { c.PriorityToken = secret.String{} })
	type priorities map[string]jobs.Priority
	plain := priorities{"high": jobs.Normal, "normal": jobs.Normal, "low": jobs.Low, "": jobs.Normal}
	for _, c := range []struct {
		*world
		tokens []string
		want   priorities
	}{
		{with, []string{"priority-token"}, priorities{"high": jobs.High, "normal": jobs.Normal, "low": jobs.Low, "": jobs.Normal}},
		{with, []string{"", "x", "priority-toke", "priority-token2", adminToken, eventToken, "Bearer priority-token"}, plain},
		{without, []string{"", "x", "priority-token"}, plain},
	} {
		for _, token := range c.tokens {
			for asked, want := range c.want {
				form, contentType := formOf(t, field{"priority", "", []byte(asked)}, field{"file", "a.pdf", pdf()})
				a := c.do(http.DefaultClient, "POST", "/api/upload", form, "Content-Type", contentType, "Prefer", "wait=0", "Priority-Token", token)
				if got := c.find(functest.Read[uploadAnswer](a.Want(http.StatusAccepted)).JobID).Priority; got != want {
					t.Errorf("%q asked for with token %q: got %q, want %q", asked, token, got, want)
				}
			}
		}
	}
}

// Those who did not sign in share the turns of their address, which is stored nowhere.
func TestWhoseTurnsAnUploadTakes(t *testing.T) {
	w := newWorld(t, silent)
	proxy := faas.Network{Prefix: netip.MustParsePrefix("127.0.0.0/8")}
	server := httptest.NewServer(faas.Wrap("upload-ingest", w.f, nil, faas.Config{TrustedProxies: []faas.Network{proxy}}))
	t.Cleanup(server.Close)
	apart := *w
	apart.url = server.URL
	share := func(w *world, address string, headers ...string) (share, owner string) {
		form, contentType := formOf(t, field{"file", "a.pdf", pdf()})
		headers = append(headers, "Content-Type", contentType, "Prefer", "wait=0", "X-Forwarded-For", address)
		job := w.find(functest.Read[uploadAnswer](w.do(http.DefaultClient, "POST", "/api/upload", form, headers...).Want(http.StatusAccepted)).JobID)
		share, err := postgres.QueryOne(t.Context(), w.f.pool, pgx.RowTo[string], "select share::text from jobs where id = $1::uuid", job.ID)
		if err != nil {
			t.Fatal(err)
		}
		return share, job.Owner
	}
	seen := map[string]string{}
	for _, address := range []string{"192.0.2.1", "192.0.2.2", "2001:db8:0:1::1", "2001:db8:0:2::1"} {
		first, _ := share(&apart, address)
		again, _ := share(&apart, address)
		if other := seen[first]; first != again || other != "" {
			t.Errorf("%s: got shares %s and %s, that of %q", address, first, again, other)
		}
		seen[first] = address
	}
	if got, _ := share(&apart, "2001:db8:0:2:ffff::7"); seen[got] != "2001:db8:0:2::1" {
		t.Error("an address of the same /64 has a share of its own")
	}
	// Where addresses cannot be told apart, and with an account, the owner has a share.
	if got, owner := share(w, "192.0.2.1"); got != owner {
		t.Errorf("got share %s, want that of the owner %s", got, owner)
	}
	owner := uuid.NewString()
	if _, err := w.f.pool.Exec(t.Context(), `insert into google_accounts (id, subject, email) values ($1::uuid, 'x', '')`, owner); err != nil {
		t.Fatal(err)
	}
	if got, _ := share(&apart, "192.0.2.1", "Authorization", "Bearer "+w.f.sessions.Token(owner)); got != owner {
		t.Errorf("got share %s, want that of the account %s", got, owner)
	}
}

// A notification is done with when its job is claimed: what takes long to read keeps no other waiting.
func TestANotificationDoesNotWaitForTheWork(t *testing.T) {
	w := newWorld(t, silent)
	hold := make(chan struct{})
	w.reader.set(func(r *reader) { r.hold = hold })
	for _, id := range w.waiting(3) {
		if got := functest.Read[eventCounts](w.notify(notification(record(t, id))).Want(200)); got != (eventCounts{Events: 1}) {
			t.Errorf("got %+v, want it handed on", got)
		}
		if status := w.find(id).Status; status != jobs.Processing {
			t.Errorf("the job is %s, want it claimed", status)
		}
	}
	close(hold)
	testkit.Eventually(w, "the work goes on", func() bool {
		n, err := postgres.QueryOne(t.Context(), w.f.pool, pgx.RowTo[int64], "select count(*) from jobs where status = 'completed'")
		return err == nil && n == 3
	})
}
