package googlesync

import (
	"context"
	"errors"
	"net/http"

	"github.com/schedgen/schedgen/shared/api"
)

// Swept counts what a sweep moved.
type Swept struct {
	HandedOut int64 `json:"handedOut"` // syncs that waited and that nobody worked on
	Deleted   int64 `json:"deleted"`   // finished syncs past their retention
}

// sweepBatch bounds the accounts of one sweep; the next one takes the others.
const sweepBatch = 50

func (f *Function) sweepTask(r *http.Request) (any, error) { return f.Sweep(r.Context()) }

// Sweep finds the syncs that no event will finish: put off until now, or left by a worker that died. It
// tells of them, or, where nobody is there to be told, works on them itself. It is safe to run at any time,
// any number of times, anywhere.
func (f *Function) Sweep(ctx context.Context) (Swept, error) {
	var s Swept
	if f.signIns == nil {
		return s, nil
	}
	due, err := f.syncs.Due(ctx, sweepBatch)
	if err != nil {
		return s, err
	}
	var errs []error
	end := f.until(ctx)
	for _, waiting := range due {
		if f.publisher.Enabled() {
			f.publish(ctx, waiting)
		} else if _, err := f.work(ctx, waiting, end); err != nil {
			errs = append(errs, err)
			continue
		}
		s.HandedOut++
	}
	if s.Deleted, err = f.syncs.ForgetFinished(ctx, f.cfg.SyncsKept); err != nil {
		errs = append(errs, err)
	}
	f.metrics.swept.WithLabelValues("handed out").Add(float64(s.HandedOut))
	f.metrics.swept.WithLabelValues("deleted").Add(float64(s.Deleted))
	if s != (Swept{}) {
		api.Logger(ctx).InfoContext(ctx, "swept", "moved", s)
	}
	return s, errors.Join(errs...)
}
