package events_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/events"
)

// Metadata is whatever somebody wrote; the key of an upload is the database's own.
func TestTheKeyOfAnUploadIsBelievedWhereItsMetadataIsJunk(t *testing.T) {
	t.Parallel()
	const other = "018f4d6e-0000-7000-8000-000000000000"
	for name, c := range map[string]struct{ job, priority, wantJob, wantPriority string }{
		"a job that is none":      {"junk", "low", capturedJob, "low"},
		"a priority that is none": {capturedJob, "urgent", capturedJob, "high"},
		"no metadata":             {"", "", capturedJob, "high"},
		"good metadata":           {other, "normal", other, "normal"},
	} {
		body := bytes.ReplaceAll(notification(t), []byte(`Job-Id":"`+capturedJob+`"`), []byte(`Job-Id":"`+c.job+`"`))
		body = bytes.ReplaceAll(body, []byte(`Priority":"high"`), []byte(`Priority":"`+c.priority+`"`))
		object, err := events.ObjectOf(decodeOne(t, nil, body))
		if err != nil || object.JobID != c.wantJob || object.Priority != c.wantPriority {
			t.Errorf("%s: got %+v, %v; want job %s of priority %s", name, object, err, c.wantJob, c.wantPriority)
		}
	}
	foreign := bytes.ReplaceAll(notification(t), []byte("uploads%2Fhigh"), []byte("other%2Fhigh"))
	foreign = bytes.ReplaceAll(foreign, []byte(`Job-Id":"`+capturedJob+`"`), []byte(`Job-Id":"junk"`))
	if object, err := events.ObjectOf(decodeOne(t, nil, foreign)); err != nil || object.JobID != "junk" {
		t.Errorf("got %+v, %v; want no job of a key that is no upload's", object, err)
	}
}

func TestTheJobOfEachEvent(t *testing.T) {
	t.Parallel()
	created := decodeOne(t, nil, notification(t))
	removed := decodeOne(t, nil, bytes.ReplaceAll(notification(t), []byte("ObjectCreated:Put"), []byte("ObjectRemoved:Delete")))
	for _, e := range []struct {
		name, got, want string
	}{
		{"a new object", events.JobOf(created), capturedJob},
		{"a deleted object", events.JobOf(removed), capturedJob},
	} {
		if e.got != e.want {
			t.Errorf("%s: got %q, want %q", e.name, e.got, e.want)
		}
	}
	parsed, err := events.NewParsed(events.Parsed{JobID: capturedJob}, time.Unix(1, 0))
	if got := events.JobOf(parsed); err != nil || got != capturedJob {
		t.Errorf("a timetable: got %q, %v; want %q", got, err, capturedJob)
	}
	sync, err := events.NewSync(events.Sync{SyncID: capturedJob}, 1, time.Unix(1, 0))
	if got := events.JobOf(sync); err != nil || got != "" {
		t.Errorf("a sync: got %q, %v; want no job", got, err)
	}
}
