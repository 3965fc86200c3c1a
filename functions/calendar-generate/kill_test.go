package calendargenerate

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/dev/testkit/tabletest"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/secret"
	"github.com/schedgen/schedgen/shared/session"
	"github.com/schedgen/schedgen/shared/timetable"
)

// sweeperEnv holds the database of a process that sweeps until it is killed.
const sweeperEnv = "SCHEDGEN_TEST_FEED_SWEEPER"

func TestMain(m *testing.M) {
	if dsn := os.Getenv(sweeperEnv); dsn != "" {
		if err := sweepOnce(dsn); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// sweepOnce sweeps as an instance does.
func sweepOnce(dsn string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	f, err := New(ctx, Config{
		Postgres: postgres.Config{URL: secret.New(dsn), MaxConns: 2}, Session: session.Config{Keys: secret.List(strings.Repeat("k", 32))}, ReplanTime: 5 * time.Minute,
	})
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.Sweep(ctx)
	return err
}

// TestSweepersThatAreKilledChangeEachFeedOnce: processes are killed without warning at several places, others run
// beside them, and in the end each event of each feed changed once.
func TestSweepersThatAreKilledChangeEachFeedOnce(t *testing.T) {
	t.Parallel()
	const all = 1500
	dsn := pgtest.New(t)
	s := world{t, newFunction(t, dsn)}.student()
	s.uploaded(timetable.Document{Kind: timetable.Lecture, Entries: tabletest.Lectures().Entries[2:5]})
	s.exec(`update jobs set created_at = '2026-03-01'`)
	s.f.cfg.PublicURL = "https://schedgen.example.org"
	s.subscribed(`{}`)
	s.copies(all - 1)
	s.imported(corrected)
	changed := func() int { return s.count(`select count(*) from feed_events where sequence > 0`) }
	for _, at := range []int{1, 700, 2000, 3500} {
		first, second := sweeper(t, dsn), sweeper(t, dsn)
		for changed() < at {
		}
		first.Process.Kill() // SIGKILL
		second.Process.Kill()
		first.Wait()
		second.Wait()
	}
	s.swept()
	if once, twice := s.count(`select count(*) from feed_events where sequence = 1`), s.count(`select count(*) from feed_events where sequence > 1`); once != 3*all || twice != 0 {
		t.Errorf("%d events changed once and %d more often, want all %d once", once, twice, 3*all)
	}
	if n := s.count(`select count(*) from feeds where years <> (select max(years) from feeds)`); n != 0 {
		t.Errorf("%d feeds are not noted as made again", n)
	}
}

// sweeper starts a process that sweeps.
func sweeper(t *testing.T, dsn string) *exec.Cmd {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	child.Env = append(os.Environ(), sweeperEnv+"="+dsn)
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	return child
}
