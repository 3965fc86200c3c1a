package googlesync

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/schedgen/schedgen/functions/google-sync/account"
	"github.com/schedgen/schedgen/functions/google-sync/plan"
	"github.com/schedgen/schedgen/functions/google-sync/syncs"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/years"
)

// Swept counts what a sweep moved.
type Swept struct {
	HandedOut int64 `json:"handedOut"` // syncs that waited and that nobody worked on
	Deleted   int64 `json:"deleted"`   // finished syncs past their retention
	Replanned int64 `json:"replanned"` // syncs made because an academic year changed
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
	var errs []error
	var err error
	if s.Replanned, err = f.replan(ctx); err != nil {
		errs = append(errs, err)
	}
	due, err := f.syncs.Due(ctx, sweepBatch)
	if err != nil {
		return s, errors.Join(append(errs, err)...)
	}
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
	if err := f.syncs.ForgetOldRecipes(ctx, f.cfg.JobsKept); err != nil {
		errs = append(errs, err)
	}
	f.metrics.swept.WithLabelValues("handed out").Add(float64(s.HandedOut))
	f.metrics.swept.WithLabelValues("deleted").Add(float64(s.Deleted))
	f.metrics.swept.WithLabelValues("replanned").Add(float64(s.Replanned))
	if s != (Swept{}) {
		api.Logger(ctx).InfoContext(ctx, "swept", "moved", s)
	}
	return s, errors.Join(errs...)
}

// replan makes a sync for calendars that were last made by academic years that changed since, once for each. Nobody is
// told of these syncs: the sweep hands them out at its own pace. One that cannot be made does not keep the others
// waiting.
func (f *Function) replan(ctx context.Context) (replanned int64, err error) {
	known, err := f.years.Newest(ctx)
	if err != nil {
		return 0, err
	}
	stamps, err := f.syncs.Stamps(ctx)
	if err != nil {
		return 0, err
	}
	stale := known.StaleOf(stamps)
	if len(stale) == 0 {
		return 0, nil
	}
	all, err := f.syncs.Stamped(ctx, stale, f.cfg.ReplanBatch)
	if err != nil {
		return 0, err
	}
	for _, c := range all {
		done, err := f.replanOne(ctx, known, c)
		switch {
		case ctx.Err() != nil:
			return replanned, fmt.Errorf("make calendars again: %w", ctx.Err())
		case err != nil:
			api.Logger(ctx).WarnContext(ctx, "a calendar could not be brought to a corrected academic year", "account", c.AccountID, "error", err.Error())
		case done:
			replanned++
		}
	}
	return replanned, nil
}

// replanOne makes the sync of one calendar, unless another sweep did meanwhile: of what is known of earlier syncs, and,
// where it follows, of all that was uploaded. A calendar that does not follow gets nothing of newer timetables by it.
func (f *Function) replanOne(ctx context.Context, known years.Snapshot, c syncs.Calendar) (done bool, err error) {
	person, err := f.accounts.Get(ctx, c.AccountID)
	if errors.Is(err, account.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	read, err := f.syncs.Recipes(ctx, c.AccountID, c.ID)
	if err != nil {
		return false, err
	}
	changed := syncs.Again{From: c, Read: read}
	var layers []plan.Layer
	for _, r := range read {
		made, layer := again(known, r, c.Given, person, c.ID)
		changed.Recipes, layers = append(changed.Recipes, made), append(layers, layer)
	}
	asked, newest, err := f.newest(ctx, person, c)
	if err != nil {
		return false, err
	}
	asked.Request.Wanted, asked.Request.Gone = plan.Lay(append(layers, newest))
	if len(asked.Request.Wanted)+len(asked.Request.Gone)+len(asked.Request.Scopes) == 0 {
		return false, f.syncs.Restamp(ctx, changed, asked.Years) // its timetables were deleted
	}
	done, err = f.syncs.Replan(ctx, asked, changed)
	if errors.Is(err, syncs.ErrTooMany) {
		return false, nil // the next sweep tries again
	}
	return done, err
}

// newest is a sync of what a calendar that follows should hold now, and its layer; of one that does not, they are empty.
func (f *Function) newest(ctx context.Context, person account.Account, c syncs.Calendar) (syncs.New, plan.Layer, error) {
	stamp := c.Years
	if c.Following {
		made, ok, err := f.followed(ctx, c)
		if err != nil {
			return syncs.New{}, plan.Layer{}, err
		}
		if ok {
			n := f.newSync(ctx, person, c.ID, made)
			return n, plan.Layer{Wanted: n.Request.Wanted, Scopes: n.Request.Scopes}, nil
		}
		stamp = years.None // the next upload makes a sync
	}
	return f.newSync(ctx, person, c.ID, built{years: stamp}), plan.Layer{}, nil
}
