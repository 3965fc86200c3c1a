package calendargenerate

import (
	"io"
	"net/http"
	"testing"

	"github.com/google/uuid"

	"github.com/schedgen/schedgen/shared/dev/testkit/functest"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
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
	return functest.Completed(s, s.f.jobs, s.owner, doc).ID
}

// pending gives the id of a job that was not read yet.
func (s student) pending() string {
	s.Helper()
	return functest.Uploaded(s, s.f.jobs, s.owner).ID
}

func copyAll(w io.Writer, res *http.Response) (int64, error) {
	defer res.Body.Close()
	return io.Copy(w, res.Body)
}
