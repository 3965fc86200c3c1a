package uploadingest

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/events"
	"github.com/schedgen/schedgen/shared/faas"
	"github.com/schedgen/schedgen/shared/jobs"
)

// deadLetter takes what a broker gives up on. The job is not lost by that, for the sweep looks at
// jobs and not at events; the letter says why the event was not taken.
func (f *Function) deadLetter(r *http.Request) (any, error) {
	body, err := faas.EventBody(r)
	if err != nil {
		return nil, err
	}
	var out taken
	for _, item := range events.Each(r.Header, body) {
		if err := f.putAside(r.Context(), "broker", givenUp(item), item); err != nil {
			return nil, err
		}
		out.DeadLetters++
	}
	return api.Response{Status: http.StatusAccepted, Body: out}, nil
}

// givenUp is why a broker gave an event up: Knative's says what the receiver answered (its
// extensions of the delivery specification).
func givenUp(item events.Item) string {
	reason := "given up by the broker"
	if item.Err != nil {
		return reason
	}
	for _, name := range []string{"knativeerrordest", "knativeerrorcode", "knativeerrordata"} {
		if value, ok := item.Event.Extensions()[name]; ok {
			reason += fmt.Sprintf("; %s %.300s", strings.TrimPrefix(name, "knativeerror"), fmt.Sprint(value))
		}
	}
	return reason
}

// deadLetters lists the newest first, at most ?limit= of them.
func (f *Function) deadLetters(r *http.Request) (any, error) {
	const usual, most = 100, 1000
	limit := usual
	if text := r.URL.Query().Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > most {
			return nil, api.New(api.ValidationFailed, map[string]string{"field": "limit"}).Say(
				fmt.Sprintf("The limit is not one that we know. Use a number from 1 to %d.", most))
		}
		limit = n
	}
	list, err := f.jobs.DeadLetters(r.Context(), limit)
	if err != nil {
		return nil, err
	}
	if list == nil {
		list = []jobs.DeadLetter{}
	}
	return map[string][]jobs.DeadLetter{"deadLetters": list}, nil
}

// letterOf gives the dead letter that a request names.
func (f *Function) letterOf(r *http.Request) (jobs.DeadLetter, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return jobs.DeadLetter{}, api.New(api.NotFound)
	}
	letter, err := f.jobs.DeadLetter(r.Context(), id)
	if errors.Is(err, jobs.ErrNotFound) {
		return letter, api.New(api.NotFound)
	}
	return letter, err
}

// replay sends a dead letter on once more, and deletes it when it was taken.
func (f *Function) replay(r *http.Request) (any, error) {
	letter, err := f.letterOf(r)
	if err != nil {
		return nil, err
	}
	list, err := events.Reread(letter.Event)
	if err != nil {
		return nil, api.New(api.InvalidEvent).Wrap(err).Say("This dead letter holds no event, so it cannot be sent again. Delete it.")
	}
	for _, e := range list {
		to := f.objects
		if e.Type() == events.TypeParsed {
			to = f.parsed
		}
		if !to.Enabled() {
			return nil, api.New(api.Unavailable).Wrap(errNobody)
		}
		if err := to.Publish(r.Context(), e); err != nil {
			return nil, api.New(api.Unavailable).Wrap(err)
		}
	}
	if err := f.jobs.Discard(r.Context(), letter.ID); err != nil && !errors.Is(err, jobs.ErrNotFound) {
		return nil, err // it was sent; once more does no harm
	}
	return taken{Events: len(list)}, nil
}

// deleteDeadLetter ends a dead letter that a person has looked at.
func (f *Function) deleteDeadLetter(r *http.Request) (any, error) {
	letter, err := f.letterOf(r)
	if err != nil {
		return nil, err
	}
	if err := f.jobs.Discard(r.Context(), letter.ID); err != nil && !errors.Is(err, jobs.ErrNotFound) {
		return nil, err
	}
	return api.Response{Status: http.StatusNoContent}, nil
}
