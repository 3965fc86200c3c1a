package readiness

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/dev/testkit/redistest"
	"github.com/schedgen/schedgen/shared/dev/testkit/s3test"
	"github.com/schedgen/schedgen/shared/secret"
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
		s := newSystem(Options{Postgres: secret.New(address)})
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

// TestAServerThatTrustsItsCallersIsRed has a stand-in of PostgreSQL let everybody in.
func TestAServerThatTrustsItsCallersIsRed(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			served <- err
			return
		}
		defer conn.Close()
		backend := pgproto3.NewBackend(conn, conn)
		_, err = backend.ReceiveStartupMessage()
		backend.Send(&pgproto3.AuthenticationOk{})
		backend.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		err = errors.Join(err, backend.Flush())
		_, bad := backend.Receive() // that it is closed
		served <- errors.Join(err, bad)
	}()
	s := newSystem(Options{Postgres: secret.New("postgres://schedgen:kS8vQm2Zr7Lx4Wn9Tb3Yc6Hd@" + listener.Addr().String() + "/x?sslmode=disable")})
	expect(t, s.look(t.Context(), Item{Check: "db-password"}, nil), Failed, "lets schedgen in with any password")
	listener.Close()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// TestAnEmptyDatabaseIsRed: where there is no index, none is broken.
func TestAnEmptyDatabaseIsRed(t *testing.T) {
	t.Parallel()
	u, err := url.Parse(pgtest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Set("search_path", "pg_temp")
	u.RawQuery = query.Encode()
	s := newSystem(Options{Postgres: secret.New(u.String())})
	defer s.close()
	expect(t, s.look(t.Context(), Item{Check: "db-indexes"}, nil), Failed, "nothing of schedgen is in it")
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
	run := func(statement string) {
		t.Helper()
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	const strong = "kS8vQm2Zr7Lx4Wn9Tb3Yc6Hd"
	for _, c := range []struct {
		password, rights string
		state            State
		evidence         string
	}{{"hunter2", "", Failed, "fewer than 20"}, {strong, "", OK, "no other is taken"}, {strong, "superuser", OK, "SCRAM hashes"}} {
		role := fmt.Sprintf("readiness_%d", time.Now().UnixNano())
		run(fmt.Sprintf(`create role %s login %s password '%s'`, role, c.rights, c.password))
		u.User = url.UserPassword(role, c.password)
		look := func(check string) Finding {
			s := newSystem(Options{Postgres: secret.New(u.String())})
			defer s.close()
			return s.look(t.Context(), Item{Check: check}, nil)
		}
		expect(t, look("db-password"), c.state, c.evidence)
		if c.rights == "" && c.state == OK { // it sees no other user's sessions
			expect(t, look("db-connections"), NotLooked, "are hidden")
		}
		if c.rights != "" {
			other := role + "_md5"
			run(`set password_encryption = 'md5'; create role ` + other + ` login password 'x'; reset password_encryption`)
			expect(t, look("db-password"), Failed, other)
			run(`drop role ` + other)
		}
		run(`drop role ` + role)
	}
}

// TestRedisIsAsked looks at a real Redis, which has no limit until it is given one.
func TestRedisIsAsked(t *testing.T) {
	t.Parallel()
	address := redistest.New(t).URL()
	look := func(check string) Finding {
		return newSystem(Options{Redis: secret.New(address)}).look(t.Context(), Item{Check: check}, nil)
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
	u.User, u.Path = url.UserPassword(config.AccessKey, config.SecretKey.Reveal()), "/"+config.Bucket
	look := func() Finding {
		return newSystem(Options{S3: secret.New(u.String())}).look(t.Context(), Item{Check: "bucket"}, nil)
	}
	expect(t, look(), NotLooked, "has no PDF yet")
	if _, err := server.Store(t).Put(t.Context(), "uploads/a b.pdf", strings.NewReader("x"), 1, "application/pdf", nil); err != nil {
		t.Fatal(err)
	}
	expect(t, look(), OK, "without a key nobody lists it")
	u.Path = "/another"
	expect(t, look(), Failed, "there is no bucket another")
	u.User = url.UserPassword(config.AccessKey, "wrong")
	expect(t, look(), Failed, "ask the object store")
}

// TestABucketThatStrangersReadIsRed asks a stand-in that answers callers without a key.
func TestABucketThatStrangersReadIsRed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		list, read int
		state      State
		evidence   string
	}{
		{403, 401, OK, "nobody lists it"}, {200, 403, Failed, "everybody may list"}, {403, 200, Failed, "everybody may read"}, {403, 206, Failed, "everybody may read"},
		{503, 403, NotLooked, "answers 503"}, {403, 404, NotLooked, "answers 404"}, {301, 403, NotLooked, "answers 301"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.Header.Get("Authorization") == "" && strings.HasSuffix(r.URL.Path, ".pdf"):
				w.WriteHeader(c.read)
			case r.Header.Get("Authorization") == "":
				w.WriteHeader(c.list)
			case r.URL.Query().Has("location"):
				fmt.Fprint(w, `<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></LocationConstraint>`)
			case r.URL.Query().Has("list-type"):
				fmt.Fprint(w, `<ListBucketResult><Contents><Key>uploads/x.pdf</Key></Contents></ListBucketResult>`)
			}
		}))
		t.Cleanup(server.Close)
		address := strings.Replace(server.URL, "http://", "http://key:secret-of-the-key@", 1) + "/pdfs"
		expect(t, newSystem(Options{S3: secret.New(address)}).look(t.Context(), Item{Check: "bucket"}, nil), c.state, c.evidence)
	}
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
