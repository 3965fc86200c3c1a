// Package pgtest gives each test a migrated PostgreSQL database of its own, on a real server that
// is shared by the test process: the one of SCHEDGEN_TEST_POSTGRES, or a private one that is
// started for the first test and gone with the process.
package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/dev/stack/pg"
	"github.com/schedgen/schedgen/shared/dev/testkit"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/secret"
)

// patience bounds each thing that is asked of the server here.
const patience = time.Minute

// cluster is the shared server, as the address of its administrator.
var cluster = sync.OnceValues(func() (string, error) {
	if dsn := os.Getenv("SCHEDGEN_TEST_POSTGRES"); dsn != "" {
		return dsn, nil
	}
	dir, err := testkit.Dir("postgres")
	if err != nil {
		return "", err
	}
	server, err := pg.Start(context.Background(), dir, pg.Fast(), pg.Connections(300))
	if err != nil {
		return "", errors.Join(err, os.RemoveAll(dir))
	}
	return server.DSN(), testkit.Reap(dir, server.Pid())
})

// template is the name of a database with the newest schema, to be copied: much faster than
// migrating each time.
var template = sync.OnceValues(func() (string, error) {
	name := "template_" + suffix()
	if err := admin("create database " + pgx.Identifier{name}.Sanitize()); err != nil {
		return "", err
	}
	dsn, err := address(name)
	if err != nil {
		return "", err
	}
	return name, postgres.Migrate(context.Background(), dsn)
})

// New is the address of a new database with the newest schema and no rows. It is dropped after the test.
func New(t testing.TB) (dsn string) {
	t.Helper()
	needServer(t)
	from, err := template()
	if err != nil {
		t.Fatalf("make the template database: %v", err)
	}
	return create(t, " template "+pgx.Identifier{from}.Sanitize())
}

// Empty is the address of a new database without a schema. It is dropped after the test.
func Empty(t testing.TB) (dsn string) {
	t.Helper()
	needServer(t)
	return create(t, "")
}

// Pool is an open pool on a database of the test's own.
func Pool(t testing.TB) *postgres.Pool {
	t.Helper()
	pool, err := postgres.Open(postgres.Config{URL: secret.New(New(t))})
	if err != nil {
		t.Fatalf("open the pool: %v", err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// Own is a private server for one test that stops and starts it, with the database migrated.
func Own(t testing.TB, dir string, opts ...pg.Option) *pg.Server {
	t.Helper()
	needServer(t)
	if err := testkit.Passable(dir); err != nil {
		t.Fatal(err)
	}
	server, err := pg.Start(t.Context(), dir, append([]pg.Option{pg.Fast()}, opts...)...)
	if err != nil {
		t.Fatalf("start a server: %v", err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Errorf("stop the server: %v", err)
		}
	})
	if err := postgres.Migrate(t.Context(), server.DSN()); err != nil {
		t.Fatalf("migrate: %v", err)
	}
	return server
}

// needServer skips the test where there is no PostgreSQL to test with.
func needServer(t testing.TB) {
	t.Helper()
	_, err := cluster()
	if errors.Is(err, pg.ErrNotInstalled) {
		t.Skipf("needs a PostgreSQL server: run `make setup`, or apt-get install postgresql, or set SCHEDGEN_TEST_POSTGRES to an administrator's address")
	}
	if err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
}

// create makes a database with a new name.
func create(t testing.TB, clause string) (dsn string) {
	t.Helper()
	name := "test_" + suffix()
	quoted := pgx.Identifier{name}.Sanitize()
	if err := admin("create database " + quoted + clause); err != nil {
		t.Fatalf("create database: %v", err)
	}
	t.Cleanup(func() {
		if err := admin("drop database if exists " + quoted + " with (force)"); err != nil {
			t.Errorf("drop database: %v", err)
		}
	})
	dsn, err := address(name)
	if err != nil {
		t.Fatal(err)
	}
	return dsn
}

// one at a time: a database cannot be copied while it is being copied by a connection that lingers.
var mu sync.Mutex

// admin runs one statement as the administrator.
func admin(sql string) error {
	mu.Lock()
	defer mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	dsn, err := cluster()
	if err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx) // only asked
	_, err = conn.Exec(ctx, sql)
	return err
}

// address is the administrator's address of another database.
func address(name string) (string, error) {
	dsn, err := cluster()
	if err != nil {
		return "", err
	}
	parsed, err := url.Parse(dsn)
	if err != nil {
		return "", errors.New("SCHEDGEN_TEST_POSTGRES is not an address such as postgres://user@host:5432/postgres")
	}
	parsed.Path = "/" + name
	return parsed.String(), nil
}

// suffix keeps the names of any number of test processes apart.
func suffix() string { return strings.ToLower(rand.Text()) }
