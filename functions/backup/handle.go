package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	handler "github.com/openfaas/templates-sdk/go-http"

	"github.com/schedgen/schedgen/functions/backup/store"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/strictjson"
)

// Handle takes an event of a schedule: a CloudEvent of PingSource, or whatever cron-connector posts.
// {"task":"watch"} asks for Watch, anything else for a backup. Schedules deliver at least once: an
// event that comes soon after a good backup, or while one is being made, asks for nothing.
func (f *Function) Handle(ctx context.Context, req handler.Request) (handler.Response, error) {
	if taskOf(req.Body) == "watch" {
		s, err := f.Watch(ctx)
		return answer(http.StatusOK, s, err)
	}
	m, err := f.runUnless(ctx, f.fresh)
	switch {
	case errors.Is(err, store.ErrLocked), errors.Is(err, ErrDisabled), errors.Is(err, errSpared):
		return handler.Response{StatusCode: http.StatusNoContent}, nil
	case err != nil:
		return handler.Response{}, unavailable(err)
	}
	return answer(http.StatusOK, Show(m), nil)
}

// taskOf is what the event asks for: in its data, wherever the platform put it.
func taskOf(body []byte) string {
	var structured struct {
		Task string `json:"task"`
		Data struct {
			Task string `json:"task"`
		} `json:"data"`
	}
	if strictjson.Unmarshal(body, &structured) != nil {
		return "" // a schedule's body is nobody's promise
	}
	if structured.Task != "" {
		return structured.Task
	}
	return structured.Data.Task
}

// fresh says that there is a good backup so new that the event is a duplicate. It is asked under the lock:
// an event that waited for it while another made a backup is one.
func (f *Function) fresh(ctx context.Context) bool {
	list, err := f.store.List(ctx)
	if err != nil {
		// Whatever is wrong with the bucket, the run meets it and alerts.
		api.Logger(ctx).WarnContext(ctx, "the present backups cannot be listed", "error", err)
		return false
	}
	m, ok := lastGood(list, f.Now())
	return ok && f.Now().Sub(m.CreatedAt) < f.cfg.MinInterval
}

// unavailable lets the platform deliver again, whatever a run failed of: the next may succeed.
func unavailable(err error) error {
	if api.From(err).Status() >= 500 && api.From(err).Code != api.Internal {
		return err
	}
	return api.New(api.Unavailable).Wrap(err).Say("The backup failed. Check the log for the reason.")
}

func answer(status int, value any, err error) (handler.Response, error) {
	if err != nil {
		return handler.Response{}, err
	}
	body, err := json.Marshal(value)
	if err != nil {
		return handler.Response{}, fmt.Errorf("encode the answer: %w", err)
	}
	return handler.Response{StatusCode: status, Body: body, Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}}}, nil
}
