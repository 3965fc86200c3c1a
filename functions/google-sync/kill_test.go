package googlesync

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/schedgen/schedgen/functions/google-sync/syncs"
	"github.com/schedgen/schedgen/shared/dev/stack/fakegoogle"
	"github.com/schedgen/schedgen/shared/dev/testkit/childtest"
)

// childEnv holds the configuration of a process that works until it is killed.
const childEnv = "SCHEDGEN_TEST_GOOGLE_CHILD"

func TestMain(m *testing.M) {
	if text := os.Getenv(childEnv); text != "" {
		if err := childWorks(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// childWorks sweeps as an instance does, until there is nothing left or half a minute has passed.
func childWorks(text string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var cfg Config
	if err := childtest.DecodeConfig(text, &cfg); err != nil {
		return err
	}
	f, err := New(ctx, cfg)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.Sweep(ctx)
	return err
}

// TestKilledInTheMiddle: 200 events, workers killed at several places, and the calendar is exact in the end.
// The same then with changes and deletes.
func TestKilledInTheMiddle(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.Lease = time.Second })
	b, id := w.ready(67)
	choices := syncs.Calendar{AccountID: b.owner(), ID: id}
	w.must(w.f.syncs.SaveCalendar(t.Context(), choices))
	enqueue := func() string {
		t.Helper()
		person, err := w.f.accounts.Get(t.Context(), b.owner())
		w.must(err)
		choices.Options.Year = 2026
		all, err := w.f.content.ForFollower(t.Context(), person.ID, choices.Options, time.Now())
		w.must(err)
		made, err := w.f.syncs.Create(t.Context(), all.Sync(t.Context(), person, id, w.f.cfg.Auto.SyncsWaiting))
		w.must(err)
		return made.ID
	}
	w.google.Inject(fakegoogle.Fault{Times: -1, Delay: 2 * time.Millisecond}) // a network's time
	first := enqueue()
	for _, at := range []int{1, 37, 90, 150} {
		w.killAfter(at)
	}
	w.finish(b, first, 201)
	b.exact(id, 201)

	changed := lectures(67)
	for i := range 60 {
		changed.Entries[i].Venues = []string{"Moved"}
	}
	changed.Entries = changed.Entries[:141]
	w.upload(b.owner(), changed)
	w.google.Forget()
	second := enqueue()
	for _, at := range []int{20, 59, 80} {
		w.killAfter(at)
	}
	w.finish(b, second, 141)
	b.exact(id, 141)
	for _, e := range w.google.Events(id)[:20] {
		if e["location"] != "Moved" {
			t.Errorf("%v is at %v, want it moved", e["summary"], e["location"])
		}
	}
	if n := w.google.Writes(); n > 123 {
		t.Errorf("%d writing calls for 120 changes and 3 killed workers: work was done twice", n)
	}
}

// killAfter starts a worker as a process of its own and kills it without warning when Google has had that
// many writing calls in all.
func (w *world) killAfter(writes int) {
	w.Helper()
	cfg, err := childtest.EncodeConfig(w.cfg)
	w.must(err)
	ctx, cancel := context.WithTimeout(w.Context(), time.Minute)
	defer cancel()
	for ctx.Err() == nil && w.google.Writes() < writes {
		child := exec.CommandContext(ctx, os.Args[0], "-test.run=^$")
		child.Env = append(os.Environ(), childEnv+"="+cfg)
		child.Stderr = w.log
		w.must(child.Start())
		ended := make(chan error, 1)
		go func() { ended <- child.Wait() }()
		w.until(ctx, ended, writes)
		_ = child.Process.Kill() // SIGKILL; it may have ended by itself, the lease being still a dead one's
		<-ended
	}
	if w.google.Writes() < writes {
		w.Fatalf("%d writing calls, want %d before the kill", w.google.Writes(), writes)
	}
}

// until waits for the writing calls or for the child's end, whichever comes first.
func (w *world) until(ctx context.Context, ended chan error, writes int) {
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for w.google.Writes() < writes {
		select {
		case err := <-ended:
			ended <- err
			return
		case <-ctx.Done():
			return
		case <-look.C:
		}
	}
}

// finish sweeps until a sync is done: the last killed worker's lease must end first.
func (w *world) finish(b *browser, id string, count int) {
	w.Helper()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for range 1200 {
		<-look.C
		_, err := w.f.Sweep(w.logged())
		w.must(err)
		var s synced
		b.want(b.do("GET", "/api/calendars/syncs/"+id, nil), 200, &s)
		if s.Status == "done" {
			if s.Count < count-4 || s.Count > count || s.Done != s.Planned {
				w.Errorf("the sync ends as %+v, want %d events", s, count)
			}
			return
		}
	}
	w.Fatal("the sync does not end within a minute")
}
