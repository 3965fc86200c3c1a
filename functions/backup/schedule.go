package backup

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	handler "github.com/openfaas/templates-sdk/go-http"

	"github.com/schedgen/schedgen/functions/backup/run"
	"github.com/schedgen/schedgen/functions/backup/store"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/personal"
	"github.com/schedgen/schedgen/shared/strictjson"
)

// Handle answers an event of a schedule: a CloudEvent of PingSource, or what cron-connector posts. {"task":"watch"}
// asks for Watch, anything else for a backup. Schedules deliver at least once, so an event that comes shortly after
// a good backup, or while one is being made, does nothing.
func (f *Function) Handle(ctx context.Context, req handler.Request) (handler.Response, error) {
	if taskOf(req.Body) == "watch" {
		s, err := f.Watch(ctx)
		return jsonResponse(s, err)
	}
	m, err := f.runIfDue(ctx, f.cfg.MinInterval)
	switch {
	case errors.Is(err, store.ErrLocked), errors.Is(err, ErrDisabled), errors.Is(err, run.ErrNotDue):
		return handler.Response{StatusCode: http.StatusNoContent}, nil
	case err != nil:
		return handler.Response{}, unavailable(err)
	}
	return jsonResponse(m.Summary(), nil)
}

// taskOf returns the task in an event's data, wherever the platform put it.
func taskOf(body []byte) string {
	var structured struct {
		Task string `json:"task"`
		Data struct {
			Task string `json:"task"`
		} `json:"data"`
	}
	if strictjson.Unmarshal(body, &structured) != nil {
		return "" // a schedule may send anything
	}
	if structured.Task != "" {
		return structured.Task
	}
	return structured.Data.Task
}

// unavailable makes the platform deliver the event again, whatever the run failed of: the next may succeed.
func unavailable(err error) error {
	if api.From(err).Status() >= 500 && api.From(err).Code != api.Internal {
		return err
	}
	return api.New(api.Unavailable).Wrap(err).WithMessage("The backup failed. Check the log for the reason.")
}

func jsonResponse(value any, err error) (handler.Response, error) {
	if err != nil {
		return handler.Response{}, err
	}
	body, err := json.Marshal(value)
	return handler.Response{StatusCode: http.StatusOK, Body: body, Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}}}, err
}

// Schedule is when a process makes its own backups, where no platform sends events.
type Schedule struct {
	At         time.Duration // of the day, in local time: 2 * time.Hour is 02:00
	Interval   time.Duration // between looks at the clock; 0 means a minute
	RetryAfter time.Duration // after a failure; 0 means an hour
}

// watchInterval is how often Daily checks that no backup was missed.
const watchInterval = time.Hour

// Daily makes a backup each day and watches, until ctx ends, and returns when its work has ended. A deletion of a person
// waits neither for the watch nor for a backup that is being made: it is listed beside the backups at the next look at
// the clock. Daily compares the clock with the newest good backup, not with a timer, so it makes up for a backup that
// was missed while the machine was off or asleep, or its clock was wrong. The watch lets it do so for an hour.
func (f *Function) Daily(ctx context.Context, s Schedule) {
	if s.Interval <= 0 {
		s.Interval = time.Minute
	}
	if s.RetryAfter <= 0 {
		s.RetryAfter = time.Hour
	}
	tick := time.NewTicker(s.Interval)
	defer tick.Stop()
	var tried, watched time.Time
	running, ended := false, make(chan error, 1) // the run, which logs and reports its failure
	for {
		now := f.Now()
		// Abs, here and below: a clock may be set back.
		if !running && now.Sub(tried).Abs() >= s.RetryAfter && f.due(ctx, s.At) {
			tried, running = now, true
			go func() {
				_, err := f.Run(ctx)
				ended <- err
			}()
		}
		if now.Sub(watched).Abs() >= watchInterval && (!running || now.Sub(tried).Abs() >= watchInterval) {
			watched = now
			if _, err := f.Watch(ctx); err != nil && ctx.Err() == nil {
				api.Logger(ctx).WarnContext(ctx, "backups not checked", "error", err)
			}
		}
		f.listNew(ctx)
		for looked := false; !looked; {
			select {
			case <-ctx.Done():
				if running {
					<-ended
				}
				return
			case err := <-ended:
				if running = false; err == nil || errors.Is(err, store.ErrLocked) {
					tried = time.Time{}
				}
			case <-tick.C:
				looked = true
			}
		}
	}
}

// keepListing lists new deletions until stop is called. What asks for a backup may be all that calls this process while
// it is made.
func (f *Function) keepListing(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	group.Go(func() {
		tick := time.NewTicker(f.ListEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				f.listNew(ctx)
			}
		}
	})
	return func() { cancel(); group.Wait() }
}

// listNew lists deletions beside the backups if there are others than those that this process listed last. What fails is
// tried again at the next call, and reported by the watch.
func (f *Function) listNew(ctx context.Context) {
	if !f.Enabled() {
		return
	}
	entries, err := personal.NewStore(f.pool).Deletions(ctx)
	if err != nil || slices.EqualFunc(entries, *f.listed.Load(), personal.Entry.Equal) {
		return
	}
	if list, err := f.store.List(ctx); err == nil {
		_ = f.listDeletions(ctx, entries, list)
	}
}

// due reports whether no good backup was made since the time of day last passed. If the bucket cannot be read, a
// backup is due too: the run fails and reports it.
func (f *Function) due(ctx context.Context, at time.Duration) bool {
	list, err := f.store.List(ctx)
	if err != nil {
		return ctx.Err() == nil
	}
	now := f.Now()
	m, ok := store.NewestGood(list, now)
	return !ok || m.CreatedAt.Before(lastOccurrence(now, at))
}

// lastOccurrence returns when that time of day last passed.
func lastOccurrence(now time.Time, at time.Duration) time.Time {
	year, month, day := now.Date()
	moment := time.Date(year, month, day, 0, 0, 0, 0, now.Location()).Add(at)
	if moment.After(now) {
		moment = time.Date(year, month, day-1, 0, 0, 0, 0, now.Location()).Add(at)
	}
	return moment
}
