package events

import (
	"context"
	"errors"
	"net/http"

	"github.com/cloudevents/sdk-go/v2/event"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/faas"
)

// Receive answers a request that tells of events: each is given to take, in order, once all of them could be
// read, and 204 says that all were taken. The first error ends it, and whoever told tells of all of them again.
// What is an ErrInvalid, of the request or of take, would be the same then: it is answered as INVALID_EVENT.
func Receive(take func(context.Context, event.Event) error) func(*http.Request) (any, error) {
	return func(r *http.Request) (any, error) {
		body, err := faas.EventBody(r)
		if err != nil {
			return nil, err
		}
		told, err := Decode(r.Header, body)
		for _, e := range told {
			if err = take(r.Context(), e); err != nil {
				break
			}
		}
		if errors.Is(err, ErrInvalid) {
			err = api.New(api.InvalidEvent).Wrap(err)
		}
		if err != nil {
			return nil, err
		}
		return api.Response{Status: http.StatusNoContent}, nil
	}
}
