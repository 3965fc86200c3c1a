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
	"strings"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
)

// The types of events that schedgen sends or takes.
const (
	TypeObjectCreated = "com.amazonaws.s3.ObjectCreated:Put"
	TypeParsed        = "dev.schedgen.timetable.parsed.v1"
	TypeSync          = "dev.schedgen.calendar.sync.v1"
)

// objectCreated is how the types of all events that tell of a new object begin.
const objectCreated = "com.amazonaws.s3.ObjectCreated:"

// ErrInvalid is every body that is not an event of ours.
var ErrInvalid = errors.New("events: not an event that is understood")

// Object is a stored PDF that an event tells of.
type Object struct {
	Bucket      string
	Key         string // decoded
	JobID       string // from the metadata, or from the key
	Priority    string
	Traceparent string
	Size        int64
	ETag        string
}

// Parsed is the data of an event of TypeParsed: a job's entries are in the database.
type Parsed struct {
	JobID       string `json:"jobId"`
	Owner       string `json:"owner"`
	Kind        string `json:"pdfType"`
	Entries     int    `json:"entries"`
	Traceparent string `json:"-"`
}

// Decode reads the events of a request: one, or as many as a raw notification has records.
// Everything that is wrong with them is an ErrInvalid.
func Decode(header http.Header, body []byte) ([]event.Event, error) {
	if header.Get("Ce-Specversion") != "" {
		return single(binary(header, body))
	}
	media, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err == nil && media == "application/cloudevents+json" {
		return single(structured(body))
	}
	if err == nil && media == "application/cloudevents-batch+json" {
		return batch(body)
	}
	return Notification(body)
}

// structured reads an event whose attributes and data are one JSON object.
func structured(body []byte) (event.Event, error) {
	var e event.Event
	if err := json.Unmarshal(body, &e); err != nil {
		return e, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return e, nil
}

// batch reads an array of structured events.
func batch(body []byte) ([]event.Event, error) {
	var all []event.Event
	if err := json.Unmarshal(body, &all); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	for _, e := range all {
		if _, err := single(e, nil); err != nil {
			return nil, err
		}
	}
	return all, nil
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

// single checks one event.
func single(e event.Event, err error) ([]event.Event, error) {
	if err != nil {
		return nil, err
	}
	if err := e.Validate(); err != nil {
		return nil, fmt.Errorf("%w: %s", ErrInvalid, strings.Join(strings.Fields(err.Error()), " "))
	}
	return []event.Event{e}, nil
}

// ObjectOf is the object that an event tells of. An event of another type is an ErrInvalid.
func ObjectOf(e event.Event) (Object, error) {
	if !strings.HasPrefix(e.Type(), objectCreated) {
		return Object{}, fmt.Errorf("%w: type %q tells of no new object", ErrInvalid, e.Type())
	}
	object := Object{
		Key:         e.Subject(),
		Priority:    extension(e, "priority"),
		Traceparent: extension(e, "traceparent"),
	}
	var data record
	if len(e.Data()) > 0 && json.Unmarshal(e.Data(), &data) == nil {
		object.Bucket = data.S3.Bucket.Name
		object.Size = data.S3.Object.Size
		object.ETag = data.S3.Object.ETag
		object.JobID = data.meta("Job-Id")
		if key, err := url.QueryUnescape(data.S3.Object.Key); err == nil && object.Key == "" {
			object.Key = key
		}
	}
	if object.Key == "" {
		return Object{}, fmt.Errorf("%w: it names no object", ErrInvalid)
	}
	if object.JobID == "" {
		object.JobID = strings.TrimSuffix(path.Base(object.Key), ".pdf")
	}
	return object, nil
}

// extension is a string extension of e, or empty.
func extension(e event.Event, name string) string {
	text, _ := e.Extensions()[name].(string)
	return text
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
	if parsed.Traceparent != "" {
		e.SetExtension("traceparent", parsed.Traceparent)
	}
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
	if err := e.DataAs(&parsed); err != nil {
		return parsed, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	parsed.Traceparent = extension(e, "traceparent")
	return parsed, nil
}
