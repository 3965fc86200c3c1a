package jobs_test

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/postgres"
)

// from is an owner's new job whose object is stored.
func (w *world) from(share, owner string, priority jobs.Priority) jobs.Job {
	w.t.Helper()
	job, err := w.Create(w.t.Context(), jobs.NewJob{Owner: owner, Share: share, Priority: priority})
	w.must(err)
	w.must(w.Uploaded(w.t.Context(), job.ID))
	return job
}

// flood is n jobs of one owner.
func (w *world) flood(n int, share, owner string, priority jobs.Priority) (all []string) {
	w.t.Helper()
	for range n {
		all = append(all, w.from(share, owner, priority).ID)
	}
	return all
}

// next claims the next job of the priorities, by default any.
func (w *world) next(priorities ...jobs.Priority) *jobs.Claim {
	w.t.Helper()
	if priorities == nil {
		priorities = []jobs.Priority{jobs.High, jobs.Normal, jobs.Low}
	}
	claim, err := w.Next(w.t.Context(), 30*time.Second, priorities...)
	w.must(err)
	return claim
}

// starts are the next n jobs.
func (w *world) starts(n int, priorities ...jobs.Priority) (all []string) {
	w.t.Helper()
	for range n {
		all = append(all, w.next(priorities...).Job.ID)
	}
	return all
}

// none expects that no job's turn can come.
func (w *world) none(priorities ...jobs.Priority) {
	w.t.Helper()
	if claim, err := w.Next(w.t.Context(), 30*time.Second, priorities...); !errors.Is(err, jobs.ErrNotClaimable) {
		w.t.Errorf("got %+v, %v; want none", claim, err)
	}
}

// account makes the owner one who signed in.
func (w *world) account(owner string) {
	w.t.Helper()
	_, err := w.pool.Exec(w.t.Context(), `insert into google_accounts (id, subject, email) values ($1::uuid, $2, '')`, owner, owner)
	w.must(err)
}

// Whoever floods the queue, from one address or with one session, is overtaken by those who come later.
func TestNobodyWaitsForAFlood(t *testing.T) {
	for name, who := range map[string]struct {
		other   bool // from another address
		account bool
	}{
		"another address":            {other: true},
		"another owner, one address": {},
		"an account":                 {account: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			for _, priority := range []jobs.Priority{jobs.High, jobs.Normal, jobs.Low} {
				address, student := uuid.NewString(), uuid.NewString()
				w.flood(20, address, uuid.NewString(), priority)
				w.starts(3, priority)
				if who.other {
					address = uuid.NewString()
				}
				if who.account {
					w.account(student)
				}
				mine := w.from(address, student, priority)
				if started := w.starts(2, priority); !slices.Contains(started, mine.ID) {
					t.Errorf("%s: the student's job is not among the next two", priority)
				}
			}
		})
	}
}

// Many owners of one address are one share: who sends no cookie has a new owner with each upload.
func TestOwnersOfOneAddressShareItsTurns(t *testing.T) {
	w := newWorld(t)
	address := uuid.NewString()
	for range 20 {
		w.from(address, uuid.NewString(), jobs.Normal)
	}
	w.starts(3)
	mine := w.from(uuid.NewString(), w.owner, jobs.Normal)
	if started := w.starts(2); !slices.Contains(started, mine.ID) {
		t.Error("the job from another address is not among the next two")
	}
}

// line is what one share, or one owner of it, waits for.
type line struct {
	waiting int
	passed  map[string]int // starts of each other since its own last one, or since it waits
}

// lines hold the property of turns: none is passed by any other more than twice while it waits.
type lines map[string]*line

func (l lines) arrive(who string) {
	mine := l[who]
	if mine == nil {
		mine = &line{}
		l[who] = mine
	}
	if mine.waiting == 0 {
		mine.passed = map[string]int{}
	}
	mine.waiting++
}

func (l lines) start(who string) error {
	l[who].waiting--
	l[who].passed = map[string]int{}
	for name, other := range l {
		if name == who || other.waiting == 0 {
			continue
		}
		if other.passed[who]++; other.passed[who] > 2 {
			return fmt.Errorf("%s started %d times while %s waited", who, other.passed[who], name)
		}
	}
	return nil
}

// Each share waits for at most two jobs of each other, and each owner for at most two of each other of the share,
// whatever comes in whatever order.
func TestNoneWaitsForMoreThanItsShare(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			w := newWorld(t)
			random := rand.New(rand.NewPCG(seed, 0))
			names := make([]string, 5)
			for i := range names {
				names[i] = uuid.NewString()
			}
			shares, owners := lines{}, map[string]lines{}
			pending := map[string][2]string{}
			for range 300 {
				if len(pending) == 0 || random.IntN(100) < 52 {
					// The first names send the most. An owner may come from several addresses.
					share := names[min(random.IntN(5), random.IntN(5))]
					owner := names[min(random.IntN(5), random.IntN(5))]
					pending[w.from(share, owner, jobs.Normal).ID] = [2]string{share, owner}
					if owners[share] == nil {
						owners[share] = lines{}
					}
					shares.arrive(share)
					owners[share].arrive(owner)
					continue
				}
				id := w.next().Job.ID
				of, ok := pending[id]
				if !ok {
					t.Fatalf("seed %d: job %s started twice", seed, id)
				}
				delete(pending, id)
				if err := cmp.Or(shares.start(of[0]), owners[of[0]].start(of[1])); err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
			}
			w.starts(len(pending))
			w.none(jobs.Normal)
		})
	}
}

func TestTurnsInParallel(t *testing.T) {
	w := newWorld(t)
	var all sync.WaitGroup
	const owners, each = 4, 10
	for range owners {
		owner := uuid.NewString()
		for range each {
			all.Go(func() {
				job, err := w.Create(t.Context(), jobs.NewJob{Owner: owner, Share: w.owner})
				if err == nil {
					err = w.Uploaded(t.Context(), job.ID)
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
	n, err := postgres.QueryOne(t.Context(), w.pool, scanCounts, `select count(distinct turn)::int, count(distinct (owner, round))::int from jobs`)
	if want := [2]int{owners * each, owners * each}; err != nil || n != want {
		t.Errorf("got %v turns and rounds, %v; want %v", n, err, want)
	}
	var mu sync.Mutex
	started := map[string]bool{}
	for range owners * each {
		all.Go(func() {
			// Who finds every job in another's hands asks again.
			claim, err := w.Next(t.Context(), 30*time.Second, jobs.Normal)
			for errors.Is(err, jobs.ErrNotClaimable) && t.Context().Err() == nil {
				claim, err = w.Next(t.Context(), 30*time.Second, jobs.Normal)
			}
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			started[claim.Job.ID] = true
		})
	}
	all.Wait()
	if len(started) != owners*each {
		t.Errorf("%d jobs started, want %d", len(started), owners*each)
	}
	w.none(jobs.Normal)
}

func TestPrioritiesComeInTheOrderAsked(t *testing.T) {
	w := newWorld(t)
	low, normal, high := w.from("", w.owner, jobs.Low), w.from("", w.owner, jobs.Normal), w.from("", w.owner, jobs.High)
	if got := w.next(jobs.High, jobs.Normal).Job.ID; got != high.ID {
		t.Error("high is not first")
	}
	if got := w.next(jobs.Low, jobs.Normal).Job.ID; got != low.ID {
		t.Error("low is not first where it is asked for first")
	}
	w.none(jobs.High, jobs.Low)
	if got := w.next().Job.ID; got != normal.ID {
		t.Error("normal is not left")
	}
}

// A job that must be tried again has had its turn, and does not wait for another.
func TestAnotherAttemptNeedsNoTurn(t *testing.T) {
	w := newWorld(t)
	first := w.from("", w.owner, jobs.Normal)
	claim := w.next()
	w.flood(3, "", uuid.NewString(), jobs.Normal)
	w.starts(1)
	if _, err := w.Retry(t.Context(), claim, "X", "x"); err != nil {
		t.Fatal(err)
	}
	if w.next().Job.ID == first.ID {
		t.Error("it did not wait for its backoff")
	}
	w.age(first.ID, time.Minute)
	if got := w.next(); got.Job.ID != first.ID || got.Job.Attempts != 2 {
		t.Errorf("got %+v, want the second attempt", got.Job)
	}
	w.flood(3, "", uuid.NewString(), jobs.Normal)
	w.age(first.ID, time.Minute) // its lease is over
	if got := w.next(); got.Job.ID != first.ID || got.Job.Attempts != 3 {
		t.Errorf("got %+v, want the third attempt", got.Job)
	}
}

// Whoever deletes what waits, or breaks uploads off, must not put off those who share the address.
func TestTurnsThatAreNotTakenAreGivenBack(t *testing.T) {
	w := newWorld(t)
	address := uuid.NewString()
	vandal := uuid.NewString()
	for _, id := range w.flood(10, address, vandal, jobs.Normal) {
		w.must(w.Delete(t.Context(), vandal, id))
	}
	for range 10 {
		job, err := w.Create(t.Context(), jobs.NewJob{Owner: vandal, Share: address})
		w.must(err)
		w.must(w.Abandon(t.Context(), job.ID, "X", "x"))
	}
	mine := w.from(address, w.owner, jobs.Normal)
	w.flood(5, "", uuid.NewString(), jobs.Normal)
	if got := w.next().Job.ID; got != mine.ID {
		t.Error("the first to come is not the next")
	}
}

// Nothing tells where an upload came from once its turn has come, or soon after the last one.
func TestNoShareIsKept(t *testing.T) {
	w := newWorld(t)
	address := uuid.NewString()
	waits := w.flood(2, address, w.owner, jobs.Normal)[1]
	w.next()
	unfinished, err := w.Create(t.Context(), jobs.NewJob{Owner: w.owner, Share: address})
	w.must(err)
	w.must(w.Abandon(t.Context(), unfinished.ID, "X", "x"))
	kept := func() (n [2]int) {
		n, err := postgres.QueryOne(t.Context(), w.pool, scanCounts, `select (select count(*) from jobs where share is not null)::int,
			(select count(*) from turns where share = $1::uuid)::int`, address)
		w.must(err)
		return n
	}
	if got := kept(); got != [2]int{1, 2} {
		t.Errorf("got %v, want the share of the job that waits, and the turns of share and owner", got)
	}
	for _, gone := range []int64{0, 2} {
		if n, err := w.DeleteOldTurns(t.Context(), 0, 10); err != nil || n != gone {
			t.Errorf("%d turns are forgotten, %v; want %d", n, err, gone)
		}
		if gone == 0 {
			w.claim(waits)
		}
	}
	if got := kept(); got != [2]int{} {
		t.Errorf("got %v, want nothing", got)
	}
}

func scanCounts(row pgx.CollectableRow) (n [2]int, err error) {
	err = row.Scan(&n[0], &n[1])
	return n, err
}
