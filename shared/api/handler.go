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
	Body        any         // []byte, io.Reader (a Closer is closed) and io.WriterTo are sent as they are, others as JSON
	ContentType string      // of what is sent as it is; of JSON it is application/json
}

// Handler serves what f returns: a value as JSON with status 200, a Response as it says, an error
// as the error object.
func Handler(f func(*http.Request) (any, error)) http.Handler {
	return handler(f, WriteError)
}

// PageHandler serves what f returns, as Handler does, to a person without script: an error is a page.
func PageHandler(f func(*http.Request) (any, error)) http.Handler {
	return handler(f, func(w http.ResponseWriter, r *http.Request, err error) { writePage(w, r, errorObject(w, r, err)) })
}

func handler(f func(*http.Request) (any, error), writeError func(http.ResponseWriter, *http.Request, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		value, err := f(r)
		if err != nil {
			writeError(w, r, err)
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
	object := errorObject(w, r, err)
	if wantsPage(r) {
		writePage(w, r, object)
		return
	}
	writeJSON(w, r, object.StatusCode, object)
}

// errorObject tells of err, sets the headers of its answer, and logs it if it is our fault.
func errorObject(w http.ResponseWriter, r *http.Request, err error) Object {
	e := From(err)
	noteErrorCode(r.Context(), e.Code)
	status := e.Status()
	if status >= 500 && !Refusal(e) {
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
	return Object{
		StatusCode: status,
		Message:    message,
		Error:      e.Code,
		Details:    e.Details,
		Timestamp:  time.Now().UTC().Truncate(time.Millisecond),
		Path:       r.URL.Path,
		RequestID:  RequestID(r.Context()),
	}
}

// NoStore are the headers of an answer that is for one person only.
func NoStore() http.Header { return http.Header{"Cache-Control": {"private, no-store"}} }

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
	case io.WriterTo:
		w.WriteHeader(status)
		sent(r, second(body.WriteTo(w)))
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

// jsonType is the media type of JSON, in which nothing is escaped for the sake of HTML: nosniff keeps browsers from
// taking it for that, and six bytes for each "<" would let an answer be six times as long as what it is made of.
const jsonType = "application/json; charset=utf-8"

// EncodeJSON writes a value as answers have it, and a line's end. It writes once, or not at all.
func EncodeJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}

// writeJSON encodes before it writes, so that a value that cannot be encoded is still a clean 500.
func writeJSON(w http.ResponseWriter, r *http.Request, status int, value any) {
	whole := &wholeJSON{w: w, status: status}
	err := EncodeJSON(whole, value)
	if err == nil || whole.begun {
		sent(r, err)
		return
	}
	Logger(r.Context()).LogAttrs(r.Context(), slog.LevelError, "answer cannot be encoded",
		slog.String("error", fmt.Sprintf("encode %T: %v", value, err)))
	whole.status = http.StatusInternalServerError
	_, err = whole.Write([]byte(`{"statusCode":500,"error":"INTERNAL","message":"Something went wrong on our side. Try again."}` + "\n"))
	sent(r, err)
}

// wholeJSON sends an answer of which all is there.
type wholeJSON struct {
	w      http.ResponseWriter
	status int
	begun  bool
}

func (j *wholeJSON) Write(body []byte) (int, error) {
	j.begun = true
	j.w.Header().Set("Content-Type", jsonType)
	j.w.Header().Set("X-Content-Type-Options", "nosniff")
	j.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	j.w.WriteHeader(j.status)
	return j.w.Write(body)
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
