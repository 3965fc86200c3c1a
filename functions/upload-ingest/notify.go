package uploadingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/cloudevents/sdk-go/v2/event"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/events"
	"github.com/schedgen/schedgen/shared/jobs"
)

// taken counts what became of a notification's records.
type taken struct {
	Events      int `json:"events"`      // handed on
	DeadLetters int `json:"deadLetters"` // put aside
}

// notified hands an object store's notification on as CloudEvents, one for each record, and answers
// 2xx only when all of them were taken. What nobody can use becomes a dead letter, for it would be
// the same the next time. A notification that comes again is handed on again, which does no harm.
func (f *Function) notified(r *http.Request) (any, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("read the notification: %w", err)
	}
	if len(body) == 0 {
		return api.Response{Status: http.StatusNoContent}, nil // an object store that tries the address
	}
	var out taken
	for _, record := range records(body) {
		e, err := objectEvent(record)
		if err != nil {
			out.DeadLetters++
			if err := f.putAside(r.Context(), "/events/s3", err.Error(), record); err != nil {
				return nil, err
			}
			continue
		}
		if err := f.objects.Publish(r.Context(), e); err != nil {
			return nil, api.New(api.Unavailable).Wrap(err)
		}
		out.Events++
	}
	return out, nil
}

// records splits a notification into notifications of one record each, so that one that cannot be
// used does not take the others with it. What cannot be split is given as it is.
func records(body []byte) [][]byte {
	var n struct{ Records []json.RawMessage }
	if err := json.Unmarshal(body, &n); err != nil || len(n.Records) == 0 {
		return [][]byte{body}
	}
	all := make([][]byte, 0, len(n.Records))
	for _, record := range n.Records {
		one, err := json.Marshal(map[string][]json.RawMessage{"Records": {record}})
		if err != nil {
			return [][]byte{body}
		}
		all = append(all, one)
	}
	return all
}

// objectEvent is the event of a notification's only record, if it tells of an upload.
func objectEvent(record []byte) (event.Event, error) {
	list, err := events.Notification(record)
	if err != nil {
		return event.Event{}, err
	}
	if len(list) != 1 {
		return event.Event{}, errors.New("not one record")
	}
	object, err := events.ObjectOf(list[0])
	if err != nil {
		return event.Event{}, err
	}
	if object.JobID == "" {
		return event.Event{}, fmt.Errorf("the object %q is no upload", object.Key)
	}
	return list[0], nil
}

// putAside keeps a dead letter.
func (f *Function) putAside(ctx context.Context, source, reason string, body []byte) error {
	f.metrics.deadLetters.WithLabelValues(source).Inc()
	api.Logger(ctx).WarnContext(ctx, "dead letter", "source", source, "reason", reason)
	letter := jobs.DeadLetter{Source: source, Reason: reason, Event: body}
	if list, err := events.Decode(eventHeader(body), body); err == nil && len(list) == 1 {
		if object, err := events.ObjectOf(list[0]); err == nil {
			letter.JobID = object.JobID // so that it goes when its job is deleted
		}
	}
	_, err := f.jobs.Bury(ctx, letter)
	return err
}

// eventHeader is the header that a stored event needs to be decoded again.
func eventHeader(body []byte) http.Header {
	header := http.Header{}
	var e struct {
		SpecVersion string `json:"specversion"`
	}
	if json.Unmarshal(body, &e) == nil && e.SpecVersion != "" {
		header.Set("Content-Type", event.ApplicationCloudEventsJSON)
	}
	return header
}
