package calendargenerate

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/timetable"
)

// world is a function over a real database of its own.
type world struct {
	*testing.T
	f *Function
}

func newWorld(t *testing.T) world {
	t.Helper()
	f := newFunction(t, pgtest.New(t))
	f.cfg.PublicURL = "https://schedgen.example.org"
	return world{t, f}
}

// student is a caller with a session of its own.
type student struct {
	world
	owner string
}

func (w world) student() student { return student{w, uuid.NewString()} }

// call sends a request as the student.
func (s student) call(method, path, body string, headers ...string) *http.Response {
	s.Helper()
	return call(s.T, s.f, method, path, body, append(headers, "Authorization", "Bearer "+s.f.sessions.Token(s.owner))...)
}

// uploaded gives the id of a completed job with the document's entries.
func (s student) uploaded(doc timetable.Document) string {
	s.Helper()
	id := s.pending()
	claim, err := s.f.jobs.Claim(s.Context(), id, time.Minute)
	if err != nil {
		s.Fatal(err)
	}
	if err := s.f.jobs.Complete(s.Context(), claim, doc); err != nil {
		s.Fatal(err)
	}
	return id
}

// pending gives the id of a job that nobody has worked on.
func (s student) pending() string {
	s.Helper()
	job, err := s.f.jobs.Create(s.Context(), jobs.NewJob{Owner: s.owner, Filename: "timetable.pdf"})
	if err != nil {
		s.Fatal(err)
	}
	if err := s.f.jobs.Uploaded(s.Context(), job.ID); err != nil {
		s.Fatal(err)
	}
	return job.ID
}

func copyAll(w io.Writer, res *http.Response) (int64, error) {
	defer res.Body.Close()
	return io.Copy(w, res.Body)
}
