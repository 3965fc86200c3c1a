package retry_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/schedgen/schedgen/shared/retry"
)

var (
	errAway    = errors.New("away")
	errRefused = errors.New("refused")
)

func passes(err error) bool { return !errors.Is(err, errRefused) }

func TestWhatMayPassIsTriedAgain(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		times   int
		answers []error // in turn; the last stays
		want    error
		calls   int
		lasts   time.Duration
	}{
		"at once":          {4, []error{nil}, nil, 1, 0},
		"after an outage":  {4, []error{errAway, errAway, nil}, nil, 3, 3 * time.Second},
		"never":            {4, []error{errAway}, errAway, 4, 7 * time.Second},
		"refused for good": {4, []error{errAway, errRefused}, errRefused, 2, time.Second},
		"once":             {1, []error{errAway}, errAway, 1, 0},
		"not even once":    {-1, []error{errAway}, errAway, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began, calls := time.Now(), 0
				err := retry.Do(t.Context(), test.times, time.Second, passes, func() error {
					calls++
					return test.answers[min(calls, len(test.answers))-1]
				})
				if lasted := time.Since(began); !errors.Is(err, test.want) || calls != test.calls || lasted != test.lasts {
					t.Errorf("got %v after %d calls in %s, want %v after %d in %s", err, calls, lasted, test.want, test.calls, test.lasts)
				}
			})
		})
	}
}

func TestNothingOutlastsItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		began, calls := time.Now(), 0
		err := retry.Do(ctx, 10, time.Second, passes, func() error { calls++; return errAway })
		if lasted := time.Since(began); !errors.Is(err, errAway) || !errors.Is(err, context.DeadlineExceeded) || calls != 2 || lasted != 1500*time.Millisecond {
			t.Errorf("got %v after %d calls in %s, want both errors after 2 in 1.5s", err, calls, lasted)
		}
		if err := retry.Wait(ctx, 0); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a wait after the end gives %v, want %v", err, context.DeadlineExceeded)
		}
	})
}
