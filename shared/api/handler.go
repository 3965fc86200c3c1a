package api

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"time"
)

// Response is an answer that is not simply a value as JSON with status 200.
type Response struct {
	Status      int         // 0 means 200, or 204 without a Body
	Header      http.Header // added to the answer's
	Body        any         // []byte and io.Reader are sent as they are (a Closer is closed), others as JSON
	ContentType string      // of []byte and io.Reader; of JSON it is application/json
}

// Handler serves what f returns: a value as JSON with status 200, a Response as it says, an error
// as the error object.
func Handler(f func(*http.Request) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		value, err := f(r)
		if err != nil {
			WriteError(w, r, err)
			return
		}
		switch response := value.(type) {
		case Response:
			write(w, r, response)
		case *Response:
			write(w, r, *response)
		default:
			write(w, r, Response{Status: http.StatusOK, Body: value})
		}
	})
}

// Object is the error object as JSON.
type Object struct {
	StatusCode int       `json:"statusCode"`
	Message    string    `json:"message"`
	Error      string    `json:"error"`
	Details    any       `json:"details"`
	Timestamp  time.Time `json:"timestamp"`
	Path       string    `json:"path"`
	RequestID  string    `json:"requestId"`
}

// WriteError answers err as the error object, or as a page where a browser shows it to a person, and
// logs it if it is our fault.
func WriteError(w http.ResponseWriter, r *http.Request, err error) {
	e := From(err)
	status := e.Status()
	if status >= 500 {
		Logger(r.Context()).LogAttrs(r.Context(), slog.LevelError, "request failed",
			slog.String("code", e.Code), slog.String("error", err.Error()))
	}
	message := e.Message
	if message == "" {
		message = codes[e.Code].sentence
	}
	if message == "" {
		message = http.StatusText(status)
	}
	if retry := e.Retry(); retry > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(retry.Seconds()))))
	}
	if status == http.StatusRequestEntityTooLarge {
		// The rest of the body stays unread, so the connection cannot serve another request.
		w.Header().Set("Connection", "close")
	}
	add(w.Header(), e.Header)
	w.Header().Set("Cache-Control", "no-store")
	object := Object{
		StatusCode: status,
		Message:    message,
		Error:      e.Code,
		Details:    e.Details,
		Timestamp:  time.Now().UTC().Truncate(time.Millisecond),
		Path:       r.URL.Path,
		RequestID:  RequestID(r.Context()),
	}
	if wantsPage(r) {
		writePage(w, r, object)
		return
	}
	writeJSON(w, r, status, object)
}

// write sends one Response.
func write(w http.ResponseWriter, r *http.Request, response Response) {
	if closer, ok := response.Body.(io.Closer); ok {
		defer closer.Close() // reading it is done either way
	}
	add(w.Header(), response.Header)
	status := response.Status
	if status == 0 {
		status = http.StatusOK
		if response.Body == nil {
			status = http.StatusNoContent
		}
	}
	if response.ContentType != "" {
		w.Header().Set("Content-Type", response.ContentType)
	}
	switch body := response.Body.(type) {
	case nil:
		if status == http.StatusOK {
			writeJSON(w, r, status, nil)
			return
		}
		w.WriteHeader(status)
	case []byte:
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(status)
		sent(r, second(w.Write(body)))
	case io.Reader:
		w.WriteHeader(status)
		sent(r, second(io.Copy(w, body)))
	default:
		writeJSON(w, r, status, body)
	}
}

// add puts a handler's headers among those of an answer, in place of ones of the same name.
func add(to, header http.Header) {
	for name, values := range header {
		to[http.CanonicalHeaderKey(name)] = values
	}
}

// writeJSON encodes before it writes, so that a value that cannot be encoded is still a clean 500.
func writeJSON(w http.ResponseWriter, r *http.Request, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		Logger(r.Context()).LogAttrs(r.Context(), slog.LevelError, "answer cannot be encoded",
			slog.String("error", fmt.Sprintf("encode %T: %v", value, err)))
		status = http.StatusInternalServerError
		body = []byte(`{"statusCode":500,"error":"INTERNAL","message":"Something went wrong on our side. Try again."}`)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)+1))
	w.WriteHeader(status)
	sent(r, second(w.Write(append(body, '\n'))))
}

// sent notes an answer that did not arrive: nobody is left to be told.
func sent(r *http.Request, err error) {
	if err != nil {
		Logger(r.Context()).LogAttrs(r.Context(), slog.LevelDebug, "answer not delivered",
			slog.String("error", err.Error()))
	}
}

// second is the error of a call that also counts.
func second[N any](_ N, err error) error { return err }
