package jobs_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/postgres"
)

// sized is a job of that size, under a quota.
func (w *world) sized(size int64, quota jobs.Quota) (jobs.Job, error) {
	return w.Create(w.t.Context(), jobs.NewJob{Owner: w.owner, Size: size, Quota: quota})
}

func TestAQuotaHoldsWhenUploadsRace(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		quota jobs.Quota
		jobs  bool
		want  int64
	}{
		"bytes": {jobs.Quota{Bytes: 55}, false, 5},
		"jobs":  {jobs.Quota{Bytes: 1000, Jobs: 7}, true, 7},
	} {
		w.owner = uuid.NewString()
		var created atomic.Int64
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				_, err := w.sized(10, c.quota)
				over := (*jobs.OverQuotaError)(nil)
				switch {
				case err == nil:
					created.Add(1)
				case !errors.As(err, &over) || over.Jobs != c.jobs:
					t.Errorf("%s: got %v", name, err)
				}
			})
		}
		all.Wait()
		usage, err := w.Usage(t.Context(), w.owner)
		if err != nil || created.Load() != c.want || usage != (jobs.Usage{Bytes: 10 * c.want, Jobs: c.want}) {
			t.Errorf("%s: %d created, %+v, %v; want %d", name, created.Load(), usage, err, c.want)
		}
	}
}

// What is not stored any more, or never was, takes no room.
func TestUsageIsOfWhatIsStored(t *testing.T) {
	w := newWorld(t)
	first, second := w.stored(), w.stored()
	third, err := w.sized(10, jobs.Quota{Bytes: 30, Jobs: 9})
	w.must(err)
	if _, err := w.sized(1, jobs.Quota{Bytes: 30}); err == nil {
		t.Error("an owner whose room is used up got more")
	}
	w.must(w.Abandon(t.Context(), third.ID, jobs.CodeUploadIncomplete, ""))
	if _, err := w.pool.Exec(t.Context(), `update jobs set pdf_deleted_at = now() where id = $1::uuid`, first.ID); err != nil {
		t.Fatal(err)
	}
	w.must(w.Delete(t.Context(), w.owner, second.ID))
	if usage, err := w.Usage(t.Context(), w.owner); err != nil || usage != (jobs.Usage{Jobs: 2}) {
		t.Errorf("got %+v, %v; want no bytes, and two jobs", usage, err)
	}
	if _, err := w.sized(30, jobs.Quota{Bytes: 30}); err != nil {
		t.Errorf("an owner with room got %v", err)
	}
}

// A refused job takes no turn: those that its share is given later would wait for it.
func TestARefusedJobTakesNoTurn(t *testing.T) {
	w := newWorld(t)
	given := func() int64 {
		turns, err := postgres.QueryOne(t.Context(), w.pool, pgx.RowTo[int64], `select sum(given)::bigint from turns`)
		w.must(err)
		return turns
	}
	_, err := w.sized(10, jobs.Quota{Bytes: 15})
	w.must(err)
	before := given()
	if _, err := w.sized(10, jobs.Quota{Bytes: 15}); err == nil {
		t.Fatal("it was created")
	}
	if after := given(); before != after {
		t.Errorf("got %v turns after the refusal, want %v", after, before)
	}
}

func TestTheBacklogIsWhatIsPending(t *testing.T) {
	w := newWorld(t)
	for range 3 {
		w.stored()
	}
	_, err := w.sized(1, jobs.Quota{})
	w.must(err)
	w.claim(w.stored().ID)
	for limit, want := range map[int]int{100: 4, 3: 4, 2: 3} {
		if got, err := w.Backlog(t.Context(), limit); err != nil || got != want {
			t.Errorf("counting to %d of each sort: got %d, %v; want %d", limit, got, err, want)
		}
	}
}
