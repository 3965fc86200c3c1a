// Package events is how the functions tell each other what happened: CloudEvents over HTTP.
//
// An S3 notification (MinIO posts it as JSON) becomes a CloudEvent as the CloudEvents adapter for
// S3 says, with the extensions priority and traceparent. Decode takes a request in any of the three
// forms that reach us: an event in binary mode, an event in structured mode, and the raw
// notification. An event is only a hint; its receiver asks PostgreSQL what is true.
package events

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/google/uuid"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/strictjson"
	"github.com/schedgen/schedgen/shared/tracing"
)

// The types of events that schedgen sends or takes.
const (
	TypeObjectCreated = "com.amazonaws.s3.ObjectCreated:Put"
	TypeParsed        = "dev.schedgen.timetable.parsed.v1"
	TypeSync          = "dev.schedgen.calendar.sync.v1"
)

// How the types of events begin: of all that the storage sends, and of those that tell of a new object.
const (
	fromStorage   = "com.amazonaws.s3."
	objectCreated = fromStorage + "ObjectCreated:"
)

// ErrInvalid is every body that is not an event of ours.
var ErrInvalid = errors.New("events: not an event that is understood")

// Object is a stored PDF that an event tells of.
type Object struct {
	Bucket   string
	Key      string // decoded
	JobID    string // from the metadata, or from the key where that names no job
	Priority string // likewise
	Size     int64
	ETag     string
	tracing.Cause
}

// Parsed is the data of an event of TypeParsed: a job's entries are in the database.
type Parsed struct {
	JobID   string `json:"jobId"`
	Owner   string `json:"owner"`
	Kind    string `json:"pdfType"`
	Entries int    `json:"entries"`
	tracing.Cause
}

// Item is one event of a request.
type Item struct {
	Event event.Event
	Raw   []byte // for a dead letter: one JSON text that Reread reads, or what came
	Err   error  // an ErrInvalid: the Event is none
}

// Each reads the events of a request one by one: one, or as many as a batch or a raw notification
// holds. What cannot be read is an Item with an error, and does not take the others with it.
func Each(header http.Header, body []byte) []Item {
	if header.Get("Ce-Specversion") != "" {
		return []Item{item(body, func() (event.Event, error) { return binary(header, body) })}
	}
	media, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err == nil && media == event.ApplicationCloudEventsJSON {
		return []Item{item(body, func() (event.Event, error) { return structured(body) })}
	}
	if err == nil && media == event.ApplicationCloudEventsBatchJSON {
		return batch(body)
	}
	return notified(body)
}

// Decode reads the events of a request as Each does, where all of them must be readable.
func Decode(header http.Header, body []byte) ([]event.Event, error) {
	items := Each(header, body)
	all := make([]event.Event, 0, len(items))
	for i, item := range items {
		if item.Err != nil && len(items) > 1 {
			return nil, fmt.Errorf("event %d: %w", i, item.Err)
		}
		if item.Err != nil {
			return nil, item.Err
		}
		all = append(all, item.Event)
	}
	return all, nil
}

// Reread reads what an Item's Raw kept.
func Reread(raw []byte) ([]event.Event, error) {
	header := http.Header{}
	var e struct {
		SpecVersion string `json:"specversion"`
	}
	if strictjson.Unmarshal(raw, &e) == nil && e.SpecVersion != "" {
		header.Set("Content-Type", event.ApplicationCloudEventsJSON)
	}
	return Decode(header, raw)
}

// item is the event that read gives, if it is a valid one. A binary event's attributes are not in
// its body, so that what is kept of a valid one is its structured form.
func item(body []byte, read func() (event.Event, error)) Item {
	e, err := read()
	if err == nil {
		err = valid(e)
	}
	if err != nil {
		return Item{Raw: body, Err: err}
	}
	return Item{Event: e, Raw: structuredJSON(e, body)}
}

// structuredJSON is e in its structured form. Data that is not of the type it says to be is kept as bytes.
func structuredJSON(e event.Event, body []byte) []byte {
	text, err := json.Marshal(e)
	if err != nil {
		e = e.Clone()
		e.DataBase64 = true
		text, err = json.Marshal(e)
	}
	if err != nil {
		return body
	}
	return text
}

// valid says what an event lacks.
func valid(e event.Event) error {
	if err := e.Validate(); err != nil {
		return fmt.Errorf("%w: %s", ErrInvalid, strings.Join(strings.Fields(err.Error()), " "))
	}
	return nil
}

// structured reads an event whose attributes and data are one JSON object.
func structured(body []byte) (event.Event, error) {
	var e event.Event
	if err := strictjson.Unmarshal(body, &e); err != nil {
		return e, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return e, nil
}

// batch reads an array of structured events.
func batch(body []byte) []Item {
	var list []json.RawMessage
	if err := strictjson.Unmarshal(body, &list); err != nil {
		return []Item{{Raw: body, Err: fmt.Errorf("%w: %w", ErrInvalid, err)}}
	}
	all := make([]Item, 0, len(list))
	for _, raw := range list {
		all = append(all, item(raw, func() (event.Event, error) { return structured(raw) }))
	}
	return all
}

// binary reads an event whose attributes are headers (CloudEvents HTTP binding, section 3.1).
func binary(header http.Header, body []byte) (event.Event, error) {
	version := header.Get("Ce-Specversion")
	if version != event.CloudEventsVersionV1 && version != event.CloudEventsVersionV03 {
		return event.Event{}, fmt.Errorf("%w: specversion %.10q", ErrInvalid, version)
	}
	e := event.New(version)
	for name, values := range header {
		attribute, ok := strings.CutPrefix(strings.ToLower(name), "ce-")
		if !ok || len(values) == 0 {
			continue
		}
		value, err := url.PathUnescape(values[0]) // section 3.1.3.2: percent-encoded
		if err != nil {
			value = values[0]
		}
		if !api.Readable(value) {
			return e, fmt.Errorf("%w: ce-%s is no text", ErrInvalid, attribute)
		}
		switch attribute {
		case "specversion":
		case "id":
			e.SetID(value)
		case "type":
			e.SetType(value)
		case "source":
			e.SetSource(value)
		case "subject":
			e.SetSubject(value)
		case "dataschema":
			e.SetDataSchema(value)
		case "time":
			when, err := time.Parse(time.RFC3339Nano, value)
			if err != nil {
				return e, fmt.Errorf("%w: ce-time: %w", ErrInvalid, err)
			}
			e.SetTime(when)
		default:
			e.SetExtension(attribute, value)
		}
	}
	if contentType := header.Get("Content-Type"); contentType != "" {
		e.SetDataContentType(contentType)
	}
	e.DataEncoded = body
	return e, nil
}

// ObjectOf is the object that an event tells of. An event of another type is an ErrInvalid.
func ObjectOf(e event.Event) (Object, error) {
	if !strings.HasPrefix(e.Type(), objectCreated) {
		return Object{}, fmt.Errorf("%w: type %q tells of no new object", ErrInvalid, e.Type())
	}
	object := objectIn(e)
	if object.Key == "" {
		return Object{}, fmt.Errorf("%w: it names no object", ErrInvalid)
	}
	return object, nil
}

// JobOf is the job that an event tells of, of whatever type the event is, or empty.
func JobOf(e event.Event) string {
	if strings.HasPrefix(e.Type(), fromStorage) {
		return objectIn(e).JobID
	}
	parsed, _ := ParsedOf(e) // what is no such event has no job
	return parsed.JobID
}

// objectIn is what an event of the storage says of its object, as far as it does. Anybody who may
// store may write metadata: what makes no sense in it is taken from the key, if it is an upload's.
func objectIn(e event.Event) Object {
	object := Object{
		Key:      e.Subject(),
		Priority: extension(e, "priority"),
		Cause:    causeOf(e),
	}
	var data record
	if len(e.Data()) > 0 && strictjson.Unmarshal(e.Data(), &data) == nil {
		object.Bucket = data.S3.Bucket.Name
		object.Size = data.S3.Object.Size
		object.ETag = data.S3.Object.ETag
		object.JobID = data.meta("Job-Id")
		if key, err := url.QueryUnescape(data.S3.Object.Key); err == nil && object.Key == "" {
			object.Key = key
		}
	}
	upload := uploadKey.FindStringSubmatch(object.Key)
	if upload != nil && uuid.Validate(object.JobID) != nil {
		object.JobID = upload[2]
	}
	if upload != nil && !slices.Contains(priorities, object.Priority) {
		object.Priority = upload[1]
	}
	if object.JobID == "" {
		object.JobID = strings.TrimSuffix(path.Base(object.Key), ".pdf")
	}
	return object
}

// uploadKey are the keys that uploads are stored at: uploads/<priority>/<job>.pdf.
var uploadKey = regexp.MustCompile(`^uploads/(high|normal|low)/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.pdf$`)

// priorities are those of jobs, as they stand in keys.
var priorities = []string{"high", "normal", "low"}

// extension is a string extension of e, or empty.
func extension(e event.Event, name string) string {
	text, _ := e.Extensions()[name].(string)
	return text
}

// The extensions that carry what caused an event. traceparent is CloudEvents' own for distributed tracing.
const (
	traceparentExtension = "traceparent"
	requestIDExtension   = "requestid"
)

// causeOf is what caused e, as far as it says.
func causeOf(e event.Event) tracing.Cause {
	return tracing.Cause{Traceparent: extension(e, traceparentExtension), RequestID: extension(e, requestIDExtension)}
}

// setCause writes into e what caused it.
func setCause(e *event.Event, cause tracing.Cause) {
	if cause.Traceparent != "" {
		e.SetExtension(traceparentExtension, cause.Traceparent)
	}
	if cause.RequestID != "" {
		e.SetExtension(requestIDExtension, cause.RequestID)
	}
}

// NewParsed is the event that a job's entries are in the database. Its id is the job's, so a
// repeated event is recognizably the same.
func NewParsed(parsed Parsed, when time.Time) (event.Event, error) {
	e := event.New()
	e.SetID(parsed.JobID)
	e.SetType(TypeParsed)
	e.SetSource("/schedgen/pdf-parse")
	e.SetSubject(parsed.JobID)
	e.SetTime(when)
	setCause(&e, parsed.Cause)
	if err := e.SetData(event.ApplicationJSON, parsed); err != nil {
		return e, fmt.Errorf("encode event %s: %w", e.Type(), err)
	}
	return e, nil
}

// ParsedOf is the data of an event of TypeParsed.
func ParsedOf(e event.Event) (Parsed, error) {
	var parsed Parsed
	if e.Type() != TypeParsed {
		return parsed, fmt.Errorf("%w: type %q", ErrInvalid, e.Type())
	}
	if err := strictjson.Unmarshal(e.Data(), &parsed); err != nil {
		return parsed, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	parsed.Cause = causeOf(e)
	return parsed, nil
}
