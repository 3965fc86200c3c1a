package autosync

import (
	"context"
	"errors"
	"fmt"

	"github.com/schedgen/schedgen/functions/google-sync/account"
	"github.com/schedgen/schedgen/functions/google-sync/content"
	"github.com/schedgen/schedgen/functions/google-sync/plan"
	"github.com/schedgen/schedgen/functions/google-sync/syncs"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/pack"
	"github.com/schedgen/schedgen/shared/years"
)

// Swept counts what a sweep moved.
type Swept struct {
	HandedOut int64 `json:"handedOut"` // syncs that waited without a worker
	Deleted   int64 `json:"deleted"`   // finished syncs past their retention
	Replanned int64 `json:"replanned"` // syncs made because an academic year changed
	Revoked   int64 `json:"revoked"`   // accesses to Google that ended because their people deleted everything
}

// sweepBatch bounds the accounts of one sweep; the next one takes the others.
const sweepBatch = 50

// Sweep makes syncs for calendars whose academic year was corrected, hands out syncs that no event will finish (their
// retry is due, or their worker died), and deletes what is past its retention. It may run at any time, any number of
// times, in several processes at once, and be killed anywhere.
func (s *Scheduler) Sweep(ctx context.Context) (moved Swept, err error) {
	var failures [4]error
	moved.Replanned, failures[0] = s.replan(ctx)
	due, err := s.syncs.Due(ctx, sweepBatch)
	if err != nil {
		return moved, errors.Join(failures[0], err)
	}
	moved.HandedOut, failures[1] = s.worker.HandOut(ctx, due)
	moved.Deleted, failures[2] = s.syncs.DeleteFinished(ctx, s.cfg.SyncsKept)
	failures[3] = s.syncs.DeleteOldRecipes(ctx, s.cfg.JobsKept)
	s.swept.WithLabelValues("handed_out").Add(float64(moved.HandedOut))
	s.swept.WithLabelValues("deleted").Add(float64(moved.Deleted))
	s.swept.WithLabelValues("replanned").Add(float64(moved.Replanned))
	if moved != (Swept{}) {
		api.Logger(ctx).InfoContext(ctx, "swept", "moved", moved)
	}
	return moved, errors.Join(failures[:]...)
}

// replan makes one sync for each calendar that was last made by academic years that changed since. It publishes none
// of them: the sweep hands them out at its own pace. A calendar that fails does not keep the others waiting.
func (s *Scheduler) replan(ctx context.Context) (replanned int64, err error) {
	known, err := s.content.Years.Reload(ctx)
	if err != nil {
		return 0, err
	}
	stamps, err := s.syncs.Stamps(ctx)
	if err != nil {
		return 0, err
	}
	stale := known.StaleOf(stamps)
	if len(stale) == 0 {
		return 0, nil
	}
	all, err := s.syncs.Stamped(ctx, stale, s.cfg.ReplanBatch)
	if err != nil {
		return 0, err
	}
	for _, c := range all {
		created, err := s.replanOne(ctx, known, c)
		switch {
		case ctx.Err() != nil:
			return replanned, fmt.Errorf("replan calendars: %w", ctx.Err())
		case err != nil:
			api.Logger(ctx).WarnContext(ctx, "calendar not brought to the corrected academic year", "owner", s.logName(c.AccountID), "error", err.Error())
		case created:
			replanned++
		}
	}
	return replanned, nil
}

// replanOne makes the sync of one calendar from the recipes of earlier syncs and, if it follows, from all uploads. A
// calendar that does not follow gets nothing of newer timetables. created is false where another sweep was first.
func (s *Scheduler) replanOne(ctx context.Context, known years.Snapshot, c syncs.Calendar) (created bool, err error) {
	person, err := s.accounts.Get(ctx, c.AccountID)
	if errors.Is(err, account.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	read, err := s.syncs.Recipes(ctx, c.AccountID, c.ID)
	if err != nil {
		return false, err
	}
	change := syncs.Rebuilt{Calendar: c, Read: read}
	var layers []plan.Layer
	for _, r := range read {
		recipe, layer := content.Rebuild(known, r, c.Colors, person, c.ID)
		change.Recipes, layers = append(change.Recipes, recipe), append(layers, layer)
	}
	next, newest, err := s.newestLayer(ctx, person, c)
	if err != nil {
		return false, err
	}
	next.Request.Wanted, next.Request.Gone = plan.MergeLayers(append(layers, newest))
	if len(next.Request.Wanted)+len(next.Request.Gone)+len(next.Request.Scopes) == 0 {
		return false, s.syncs.Restamp(ctx, change, next.Years) // its timetables were deleted
	}
	created, err = s.syncs.Replan(ctx, next, change)
	switch {
	case errors.Is(err, syncs.ErrTooMany):
		return false, nil // the next sweep tries again
	case errors.Is(err, pack.ErrTooLong):
		s.logCannotFollow(ctx, c, api.PayloadTooLarge)
		return false, s.syncs.Restamp(ctx, change, next.Years) // the next sweep would find it too long again
	}
	return created, err
}

// newestLayer is a sync of what a following calendar should hold now, and its layer. Both are empty for a calendar
// that does not follow.
func (s *Scheduler) newestLayer(ctx context.Context, person account.Account, c syncs.Calendar) (syncs.New, plan.Layer, error) {
	stamp := c.Years
	if c.Following {
		made, ok, err := s.followerContent(ctx, c)
		if err != nil {
			return syncs.New{}, plan.Layer{}, err
		}
		if ok {
			n := made.Sync(ctx, person, c.ID, s.cfg.SyncsWaiting)
			return n, plan.Layer{Wanted: n.Request.Wanted, Scopes: n.Request.Scopes}, nil
		}
		stamp = years.NoYears // the next upload makes a sync
	}
	return content.Content{Years: stamp}.Sync(ctx, person, c.ID, s.cfg.SyncsWaiting), plan.Layer{}, nil
}
