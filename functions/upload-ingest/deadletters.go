package uploadingest

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/schedgen/schedgen/functions/upload-ingest/sweep"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/events"
	"github.com/schedgen/schedgen/shared/faas"
	"github.com/schedgen/schedgen/shared/jobs"
)

// receiveDeadLetter keeps the events that a broker gave up. Their jobs are not lost, because the sweep looks at jobs
// and not at events; the dead letter records why the event was not taken.
func (f *Function) receiveDeadLetter(r *http.Request) (any, error) {
	body, err := faas.EventBody(r)
	if err != nil {
		return nil, err
	}
	var counts eventCounts
	for _, item := range events.Each(r.Header, body) {
		if err := f.keepDeadLetter(r.Context(), "broker", brokerReason(item), item); err != nil {
			return nil, err
		}
		counts.DeadLetters++
	}
	return api.Response{Status: http.StatusAccepted, Body: counts}, nil
}

// brokerReason returns why a broker gave an event up. Knative's broker adds what the receiver answered, in extensions
// of its delivery specification.
func brokerReason(item events.Item) string {
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

// listDeadLetters lists the newest first, at most ?limit= of them. ?before= is the last id of one list and asks for the next.
func (f *Function) listDeadLetters(r *http.Request) (any, error) {
	limit, err := intParameter(r, "limit", 100, 1000)
	if err != nil {
		return nil, err
	}
	before, err := intParameter(r, "before", math.MaxInt64, math.MaxInt64)
	if err != nil {
		return nil, err
	}
	list, err := f.jobs.DeadLetters(r.Context(), before, int(limit))
	if err != nil {
		return nil, err
	}
	if list == nil {
		list = []jobs.DeadLetter{}
	}
	return map[string][]jobs.DeadLetter{"deadLetters": list}, nil
}

// intParameter returns a parameter of the query from 1 to limit, or fallback if it is not given.
func intParameter(r *http.Request, name string, fallback, limit int64) (int64, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return fallback, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 || n > limit {
		return 0, api.New(api.ValidationFailed, map[string]string{"field": name}).WithMessage(
			fmt.Sprintf("The value of %q is not valid. Use a whole number from 1 to %d.", name, limit))
	}
	return n, nil
}

// findDeadLetter returns the dead letter that a request names.
func (f *Function) findDeadLetter(r *http.Request) (jobs.DeadLetter, error) {
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

// replayDeadLetter publishes a dead letter again, and deletes it once it is taken.
func (f *Function) replayDeadLetter(r *http.Request) (any, error) {
	letter, err := f.findDeadLetter(r)
	if err != nil {
		return nil, err
	}
	list, err := events.Reread(letter.Event)
	if err != nil {
		return nil, api.New(api.InvalidEvent).Wrap(err).WithMessage("This dead letter holds no event, so it cannot be sent again. Delete it.")
	}
	for _, e := range list {
		publisher := f.objects
		if e.Type() == events.TypeParsed {
			publisher = f.parsed
		}
		if !publisher.Enabled() {
			return nil, api.New(api.Unavailable).Wrap(sweep.ErrNoReceiver)
		}
		if err := publisher.Publish(r.Context(), e); err != nil {
			return nil, api.New(api.Unavailable).Wrap(err)
		}
	}
	if err := f.jobs.DeleteDeadLetter(r.Context(), letter.ID); err != nil && !errors.Is(err, jobs.ErrNotFound) {
		return nil, err // it was published; publishing it twice does no harm
	}
	return eventCounts{Events: len(list)}, nil
}

// deleteDeadLetter deletes a dead letter.
func (f *Function) deleteDeadLetter(r *http.Request) (any, error) {
	letter, err := f.findDeadLetter(r)
	if err != nil {
		return nil, err
	}
	if err := f.jobs.DeleteDeadLetter(r.Context(), letter.ID); err != nil && !errors.Is(err, jobs.ErrNotFound) {
		return nil, err
	}
	return api.Response{Status: http.StatusNoContent}, nil
}
