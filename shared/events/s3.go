package events

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/strictjson"
	"github.com/schedgen/schedgen/shared/tracing"
)

// notification is the body that MinIO posts. Its Key is not URL-encoded, the one in a record is.
type notification struct {
	Records []json.RawMessage `json:"Records"`
}

// record is what we read of one record of a notification.
type record struct {
	EventSource  string            `json:"eventSource"`
	Region       string            `json:"awsRegion"`
	EventTime    time.Time         `json:"eventTime"`
	EventName    string            `json:"eventName"`
	ResponseElem map[string]string `json:"responseElements"`
	S3           struct {
		Bucket struct {
			Name string `json:"name"`
		} `json:"bucket"`
		Object struct {
			Key          string            `json:"key"`
			Size         int64             `json:"size"`
			ETag         string            `json:"eTag"`
			Sequencer    string            `json:"sequencer"`
			UserMetadata map[string]string `json:"userMetadata"`
		} `json:"object"`
	} `json:"s3"`
}

// meta is a value of the object's metadata, whose names come with and without prefix, in any case.
func (r record) meta(name string) string {
	for key, value := range r.S3.Object.UserMetadata {
		if strings.EqualFold(key, name) || strings.EqualFold(key, "X-Amz-Meta-"+name) {
			return value
		}
	}
	return ""
}

// Notification reads a raw S3 notification as one CloudEvent for each record.
func Notification(body []byte) ([]event.Event, error) { return Decode(nil, body) }

// notified reads a raw S3 notification record by record.
func notified(body []byte) []Item {
	var n notification
	err := strictjson.Unmarshal(body, &n)
	switch {
	case err != nil:
		return []Item{{Raw: body, Err: fmt.Errorf("%w: %w", ErrInvalid, err)}}
	case len(n.Records) == 0:
		return []Item{{Raw: body, Err: fmt.Errorf("%w: no Records", ErrInvalid)}}
	}
	all := make([]Item, 0, len(n.Records))
	for _, raw := range n.Records {
		one := body
		if text, err := json.Marshal(notification{Records: []json.RawMessage{raw}}); err == nil {
			one = text
		}
		all = append(all, item(one, func() (event.Event, error) { return fromRecord(raw) }))
	}
	return all
}

// fromRecord maps one record as the CloudEvents adapter for AWS S3 says: source from
// eventSource, region and bucket; type from eventName; subject the object's key; id from the
// request's ids, and here also the sequencer, for MinIO gives all records of a request one id.
func fromRecord(raw json.RawMessage) (event.Event, error) {
	var r record
	if err := strictjson.Unmarshal(raw, &r); err != nil {
		return event.Event{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	key, err := url.QueryUnescape(r.S3.Object.Key)
	if err != nil || key == "" || !api.Readable(key) || r.S3.Bucket.Name == "" || r.EventName == "" {
		return event.Event{}, fmt.Errorf("%w: a record without event name, bucket or key", ErrInvalid)
	}
	e := event.New()
	e.SetID(recordID(r))
	e.SetType(fromStorage + strings.TrimPrefix(r.EventName, "s3:"))
	e.SetSource(strings.Join([]string{r.EventSource, r.Region, r.S3.Bucket.Name}, "."))
	e.SetSubject(key)
	if !r.EventTime.IsZero() {
		e.SetTime(r.EventTime)
	}
	if priority := r.meta("Priority"); priority != "" {
		e.SetExtension("priority", priority)
	}
	setCause(&e, tracing.Cause{Traceparent: r.meta("Traceparent"), RequestID: r.meta("Request-Id")})
	e.SetDataContentType(event.ApplicationJSON)
	e.DataEncoded = raw
	return e, valid(e)
}

// recordID is made of the ids that the request had; the same delivery has the same id again.
func recordID(r record) string {
	var parts []string
	for _, part := range []string{r.ResponseElem["x-amz-request-id"], r.ResponseElem["x-amz-id-2"], r.S3.Object.Sequencer} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 {
		parts = []string{r.S3.Bucket.Name, r.S3.Object.Key, r.S3.Object.ETag}
	}
	return strings.Join(parts, ".")
}

// NewObject is the CloudEvent that an object exists, as if the storage had told: upload-ingest publishes it
// as soon as the object is stored, and the sweep for a job whose notification never came.
func NewObject(object Object, when time.Time) (event.Event, error) {
	var r record
	r.EventSource = "schedgen"
	r.EventName = "s3:ObjectCreated:Put"
	r.EventTime = when.UTC()
	r.S3.Bucket.Name = object.Bucket
	r.S3.Object.Key = url.QueryEscape(object.Key)
	r.S3.Object.Size = object.Size
	r.S3.Object.ETag = object.ETag
	r.S3.Object.Sequencer = fmt.Sprintf("%X", when.UnixNano())
	r.ResponseElem = map[string]string{"x-amz-request-id": object.JobID}
	r.S3.Object.UserMetadata = map[string]string{
		"X-Amz-Meta-Job-Id":      object.JobID,
		"X-Amz-Meta-Priority":    object.Priority,
		"X-Amz-Meta-Traceparent": object.Traceparent,
		"X-Amz-Meta-Request-Id":  object.RequestID,
	}
	raw, err := json.Marshal(r)
	if err != nil {
		return event.Event{}, fmt.Errorf("encode the record of %s: %w", object.Key, err)
	}
	return fromRecord(raw)
}
