package e2e_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/timetable"
)

// atOnce is how many costly requests and files come at once.
const atOnce = 8

// TestNoFileCostsMoreThanItsBound uploads each kind of hostile file, and as much timetable as a file may have, eight at
// once. The own processes of the functions that take and read them stay within the bound of a single one: what a file
// costs more, its reader costs, in a process of its own with limits of its own.
func TestNoFileCostsMoreThanItsBound(t *testing.T) {
	t.Parallel()
	s := costlySite(t)
	s.schedule() // a worker that is late begins no job more, and files that take long make workers late
	files, err := fixture.Hostile()
	if err != nil {
		t.Fatal(err)
	}
	large := fixture.Options{Kind: timetable.Lecture, Style: fixture.Stroked, Seed: 3, Pages: 100}
	files = append(files, fixture.HostileFile{Name: "100 pages", PDF: generated(t, large).pdf, MayParse: true})
	meters := map[string]*meter{"upload-ingest": newMeter(t, s.ingest.pid()), "pdf-parse": newMeter(t, s.parse[0].pid())}
	uploadAtOnce(t, s.world, files)
	for name, m := range meters {
		spent := m.spent()
		t.Logf("%s: at most %s, %.2f s for %d files", name, mebibytes(spent.memory), spent.seconds, len(files))
		if over := spent.over(); over != "" {
			t.Errorf("%s with %d files: %s", name, len(files), over)
		}
	}
	for _, job := range rows(t, s.dsn, storedOfJobsSQL) {
		t.Errorf("more text than %d bytes is kept of job and bytes %s", costStored, job)
	}
}

// storedOfJobsSQL asks for jobs of which more text is kept than may be.
const storedOfJobsSQL = `
select job_id, sum(octet_length(value #>> '{}')) from entries, jsonb_path_query(entry, 'strict $.**') as value
where jsonb_typeof(value) = 'string' group by job_id having sum(octet_length(value #>> '{}')) > 1048576`

// uploadAtOnce uploads files and wants the right verdict of each.
func uploadAtOnce(t *testing.T, w *world, files []fixture.HostileFile) {
	t.Helper()
	var all sync.WaitGroup
	next := make(chan fixture.HostileFile)
	for range atOnce {
		all.Go(func() {
			for file := range next {
				got := w.student(t).verdict(file.PDF)
				if !slices.Contains(file.Codes, got) && !(file.MayParse && got == "") {
					t.Errorf("%s: got %q, want one of %q", file.Name, got, strings.Join(file.Codes, ", "))
				}
			}
		})
	}
	for _, file := range files {
		next <- file
	}
	close(next)
	all.Wait()
}
