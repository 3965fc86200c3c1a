package sweeps_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/sweeps"
)

func TestWhatRanIsNoted(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	if all, err := sweeps.Last(t.Context(), pool); err != nil || len(all) != 0 {
		t.Fatalf("got %v, %v, want nothing", all, err)
	}
	for range 2 {
		if err := sweeps.Finished(t.Context(), pool, sweeps.Feeds); err != nil {
			t.Fatal(err)
		}
	}
	all, err := sweeps.Last(t.Context(), pool)
	if run := all[sweeps.Feeds]; err != nil || len(all) != 1 || run.Ago < 0 || run.Ago > 600 || run.At.IsZero() {
		t.Errorf("got %v, %v", all, err)
	}
}

func TestOneOfManyIsToldThatItIsDue(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	told := func(every time.Duration) int32 {
		var due atomic.Int32
		var asking sync.WaitGroup
		for range 8 {
			asking.Go(func() {
				is, err := sweeps.Due(t.Context(), pool, sweeps.Probe, every)
				if err != nil {
					t.Error(err)
				}
				if is {
					due.Add(1)
				}
			})
		}
		asking.Wait()
		return due.Load()
	}
	if n := told(time.Hour); n != 1 {
		t.Errorf("the first time %d were told, want one", n)
	}
	if n := told(time.Hour); n != 0 {
		t.Errorf("within the hour %d were told", n)
	}
	if _, err := pool.Exec(t.Context(), `update sweeps set finished_at = finished_at - interval '2 hours'`); err != nil {
		t.Fatal(err)
	}
	if n := told(time.Hour); n != 1 {
		t.Errorf("after the hour %d were told, want one", n)
	}
}
