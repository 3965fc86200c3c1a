package faas

import (
	"context"
	"fmt"
	"io"
	"net/http"

	handler "github.com/openfaas/templates-sdk/go-http"

	"github.com/schedgen/schedgen/shared/api"
)

// eventLimit bounds the body of an event. Notifications and CloudEvents are some kilobytes. With what a dead letter
// adds to each of them, no request stores more than a megabyte.
const eventLimit = 512 << 10

// EventBody reads the whole body of an event. One that is longer than any event is answered as
// PAYLOAD_TOO_LARGE.
func EventBody(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, eventLimit))
	if err != nil {
		return nil, fmt.Errorf("read the event: %w", err)
	}
	return body, nil
}

// EventHandler serves an event function that is written against OpenFaaS's go-http template: the
// whole body in, a status and a body out. An error is answered as package api answers it, so the
// platform redelivers what failed for now (5xx, 429) and not what never will.
func EventHandler(f func(context.Context, handler.Request) (handler.Response, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := EventBody(r)
		if err != nil {
			api.WriteError(w, r, err)
			return
		}
		request := handler.Request{Body: body, Header: r.Header.Clone(), QueryString: r.URL.RawQuery,
			Method: r.Method, Host: r.Host}
		request.WithContext(r.Context())
		response, err := f(r.Context(), request)
		if err != nil {
			api.WriteError(w, r, err)
			return
		}
		for name, values := range response.Header {
			w.Header()[http.CanonicalHeaderKey(name)] = values
		}
		status := response.StatusCode
		if status == 0 {
			status = http.StatusOK
		}
		w.WriteHeader(status)
		if len(response.Body) > 0 {
			_, _ = w.Write(response.Body) // the platform hung up: it will deliver again
		}
	})
}
