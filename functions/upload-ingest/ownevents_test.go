package uploadingest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/uuid"

	"github.com/schedgen/schedgen/shared/dev/testkit"
	"github.com/schedgen/schedgen/shared/dev/testkit/functest"
	"github.com/schedgen/schedgen/shared/events"
	"github.com/schedgen/schedgen/shared/jobs"
)

// ownEvent has the function publish its own events.
func ownEvent(w *world) { w.cfg.OwnEvents = true }

// An upload is read although its object store never tells of it.
func TestAnUploadDoesNotWaitForTheStoresNotification(t *testing.T) {
	w := newWorld(t, silent, ownEvent)
	w.student().upload(pdf(), "Prefer", "wait=20").Want(http.StatusCreated)
	if got := w.reader.told(events.TypeObjectCreated); len(got) != 1 {
		t.Errorf("the reader was told of %v, want one object", got)
	}
}

// The notification that comes as well does no harm.
func TestTheStoresNotificationIsADuplicate(t *testing.T) {
	w := newWorld(t, ownEvent)
	job := functest.Read[readAnswer](w.student().upload(pdf(), "Prefer", "wait=20").Want(http.StatusCreated))
	testkit.Eventually(w, "both events came", func() bool {
		w.reader.mu.Lock()
		defer w.reader.mu.Unlock()
		return len(w.reader.events) >= 2
	})
	if got := w.find(job.JobID); got.Status != jobs.Completed || got.Attempts != 1 {
		t.Errorf("got %s after %d attempts", got.Status, got.Attempts)
	}
}

// A receiver that takes its time holds up neither an answer nor the end of the function, however many events wait for it.
func TestNobodyWaitsForAnOwnEvent(t *testing.T) {
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then the server sees that the caller is gone
		<-r.Context().Done()
	}))
	defer slow.Close()
	w := newWorld(t, silent, ownEvent, with(func(c *Config) { c.Events.Targets = []string{slow.URL} }))
	job := jobs.Job{ID: uuid.NewString(), Priority: jobs.Normal, ObjectKey: "uploads/normal/x.pdf"}
	for range mostOwnEvents + 5 {
		w.f.own.publish(t.Context(), job)
	}
	if got := len(w.f.own.room); got != mostOwnEvents {
		t.Errorf("%d own events are on their way, want %d", got, mostOwnEvents)
	}
	w.student().upload(pdf(), "Prefer", "wait=0").Want(http.StatusAccepted)
	w.f.own.close()
	if got := len(w.f.own.room); got != 0 {
		t.Errorf("%d own events are left", got)
	}
}
