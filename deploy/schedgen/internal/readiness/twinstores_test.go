package readiness

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/dev/testkit/redistest"
	"github.com/schedgen/schedgen/shared/dev/testkit/s3test"
)

func expect(t *testing.T, got Finding, state State, evidence string) {
	t.Helper()
	if got.State != state || !strings.Contains(got.Evidence, evidence) {
		t.Errorf("got %+v, want %s with %q", got, state, evidence)
	}
	if state == Failed && (got.Fix == "" || got.Command == "") {
		t.Errorf("got %+v, want what to do", got)
	}
}

// TestTheDatabaseIsAsked breaks a real one: an index that covers a foreign key is dropped, a transaction is held.
func TestTheDatabaseIsAsked(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	look := func(address, check string) Finding {
		s := newSystem(Options{Postgres: address})
		defer s.close()
		return s.look(t.Context(), Item{Check: check}, nil)
	}
	expect(t, look(dsn, "db-indexes"), OK, "none broken")
	expect(t, look(dsn, "db-connections"), OK, "connections are in use")
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), `create table parents (id int primary key); create table children (parent int references parents)`); err != nil {
		t.Fatal(err)
	}
	expect(t, look(dsn, "db-indexes"), Failed, "children.children_parent_fkey")
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = "127.0.0.1:1"
	expect(t, look(u.String(), "db-indexes"), Failed, "does not answer")
	if strings.Contains(look("not an address at all", "db-password").Evidence, "at all") {
		t.Error("an address that may hold a password is told")
	}
}

// TestAWeakPasswordOfTheDatabaseIsRed gives a role of a real database a weak password, and a strong one.
func TestAWeakPasswordOfTheDatabaseIsRed(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	for password, state := range map[string]State{"hunter2": Failed, "kS8vQm2Zr7Lx4Wn9Tb3Yc6Hd": OK} {
		role := fmt.Sprintf("readiness_%d", time.Now().UnixNano())
		if _, err := conn.Exec(t.Context(), fmt.Sprintf(`create role %s login password '%s'`, role, password)); err != nil {
			t.Fatal(err)
		}
		u.User = url.UserPassword(role, password)
		s := newSystem(Options{Postgres: u.String()})
		expect(t, s.look(t.Context(), Item{Check: "db-password"}, nil), state, "password")
		s.close()
		if _, err := conn.Exec(t.Context(), `drop role `+role); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRedisIsAsked looks at a real Redis, which has no limit until it is given one.
func TestRedisIsAsked(t *testing.T) {
	t.Parallel()
	address := redistest.New(t).URL()
	look := func(check string) Finding {
		return newSystem(Options{Redis: address}).look(t.Context(), Item{Check: check}, nil)
	}
	expect(t, look("redis maxmemory 2gb"), Failed, `maxmemory is "0" instead of 2gb`)
	expect(t, look("redis appendonly maybe"), Failed, "appendonly")
	expect(t, look("redis maxmemory 0"), OK, "maxmemory is 0")
	// Without an address, the deployment tells.
	expect(t, soundWorld().find(t, "redis maxmemory 2gb"), OK, "--maxmemory 2gb")
}

// TestTheBucketIsAsked looks at a real object store, for a bucket that is there and one that is not.
func TestTheBucketIsAsked(t *testing.T) {
	t.Parallel()
	server := s3test.New(t)
	config := server.Config()
	if err := server.Store(t).Ready(t.Context()); err != nil { // which makes the bucket
		t.Fatal(err)
	}
	u, err := url.Parse(config.URL)
	if err != nil {
		t.Fatal(err)
	}
	u.User, u.Path = url.UserPassword(config.AccessKey, config.SecretKey), "/"+config.Bucket
	look := func() Finding {
		return newSystem(Options{S3: u.String()}).look(t.Context(), Item{Check: "bucket"}, nil)
	}
	expect(t, look(), OK, "without a key it answers")
	u.Path = "/another"
	expect(t, look(), Failed, "there is no bucket another")
	u.User = url.UserPassword(config.AccessKey, "wrong")
	expect(t, look(), Failed, "ask the object store")
}

// TestCertificates looks at one that is good, and at it in other times, for another name, and from a stranger.
func TestCertificates(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(nil)
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	end := server.Certificate().NotAfter
	for _, c := range []struct {
		name     string
		now      time.Time
		roots    *x509.CertPool
		state    State
		evidence string
	}{
		{"example.com", end.AddDate(0, 0, -100), roots, OK, "valid until"},
		{"example.com", end.AddDate(0, 0, -5), roots, Failed, "expires in 5 days"},
		{"example.com", end.AddDate(0, 0, 5), roots, Failed, "expired on"},
		{"schedgen.example.org", end.AddDate(0, 0, -100), roots, Failed, "not to be trusted"},
		{"example.com", end.AddDate(0, 0, -100), x509.NewCertPool(), Failed, "not to be trusted"},
	} {
		s := newSystem(Options{Now: func() time.Time { return c.now }})
		got := s.certificateAt(t.Context(), c.name, server.Listener.Addr().String(), c.roots)
		if got.State != c.state || !strings.Contains(got.Evidence, c.evidence) {
			t.Errorf("%s at %s: got %+v, want %s with %q", c.name, c.now, got, c.state, c.evidence)
		}
	}
	look := func(target, check string) Finding {
		return newSystem(Options{Target: target}).look(t.Context(), Item{Check: check}, nil)
	}
	expect(t, look("http://192.0.2.1", "certificate"), Failed, "is not https")
	expect(t, look("http://localhost:8080", "certificate"), NotLooked, "this machine")
}

// TestTheNameLeadsToAServer asks a stand-in of the resolver.
func TestTheNameLeadsToAServer(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]struct {
		told     []string
		err      error
		state    State
		evidence string
	}{
		"https://192.0.2.1":       {nil, nil, Failed, "an address and no name"},
		"https://sound.example":   {[]string{"192.0.2.1", "2001:db8::1"}, nil, OK, "192.0.2.1, 2001:db8::1"},
		"https://own.example":     {[]string{"192.0.2.1", "127.0.1.1"}, nil, Failed, "127.0.1.1, which each machine has for itself"},
		"https://none.example":    {nil, &net.DNSError{Err: "no such host", IsNotFound: true}, Failed, "has no address"},
		"https://unknown.example": {nil, &net.DNSError{Err: "server misbehaving"}, NotLooked, "cannot be asked for"},
	} {
		lookup := func(context.Context, string) ([]string, error) { return want.told, want.err }
		expect(t, newSystem(Options{Target: address, Lookup: lookup}).look(t.Context(), Item{Check: "name"}, nil), want.state, want.evidence)
	}
}

// TestHTTPLeadsToHTTPS is the sound twin of to-https.
func TestHTTPLeadsToHTTPS(t *testing.T) {
	t.Parallel()
	status := http.StatusOK
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	t.Cleanup(secure.Close)
	w := soundWorld()
	w.pages["/"] = reply{301, map[string]string{"Location": "https://schedgen.example.org/"}, ""}
	w.options = func(o *Options) { reach(o, secure) }
	expect(t, w.find(t, "to-https"), OK, "leads to https://")
	status = http.StatusBadGateway
	expect(t, w.find(t, "to-https"), Failed, "which answers 502")
}
