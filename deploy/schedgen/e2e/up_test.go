package e2e_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/schedgen/schedgen/shared/dev/stack/process"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/timetable"
)

// TestAKilledSystemLosesNothing kills schedgen up, the whole of it, while PDFs are being read, twice,
// and starts it again on what it left.
func TestAKilledSystemLosesNothing(t *testing.T) {
	t.Parallel()
	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	system := &instance{t: t, url: "http://127.0.0.1:" + port, spec: process.Spec{
		Path: filepath.Join(dir, "schedgen"), Args: []string{"up", "--port", port, "--data", dataDir(t), "--sweep", "1s"}, Dir: t.TempDir(),
		Env: append([]string{"PATH=" + os.Getenv("PATH"), "REDELIVER_AFTER=3s", "JOB_LEASE=3s"}, unlimited...), Log: filepath.Join(t.TempDir(), "log"), Death: syscall.SIGTERM,
	}}
	if err := system.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := system.process.Stop(patience); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			said, _ := os.ReadFile(system.spec.Log)
			t.Logf("the system said: %.5000s", said)
		}
	})
	s := newWorld(t, system.url).student(t)
	paper := generated(t, fixture.Options{Kind: timetable.Lecture, Seed: 21, Modules: 8})
	var accepted []string
	for range 2 {
		for range 15 {
			contentType, body := form(paper.pdf)
			var got uploaded
			s.call(http.StatusAccepted, "POST", "/api/upload", body, "Content-Type", contentType, "Prefer", "wait=0").into(t, &got)
			accepted = append(accepted, got.JobID)
		}
		if err := system.kill(); err != nil {
			t.Fatal(err)
		}
		if err := system.start(); err != nil {
			t.Fatal(err)
		}
	}
	for _, job := range accepted {
		var state struct{ Status string }
		eventually(t, func() error {
			s.call(http.StatusOK, "GET", "/api/jobs/"+job, nil).into(t, &state)
			if state.Status != "completed" {
				return errors.New("the job is " + state.Status)
			}
			return nil
		})
		var result struct{ Events []event }
		s.call(http.StatusOK, "GET", "/api/jobs/"+job+"/result", nil).into(t, &result)
		expectSame(t, "job "+job, told(timetable.Lecture, result.Events), meetings(paper.doc))
	}
}

// freePort is a port that nobody listens on now.
func freePort(t testing.TB) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() // another will listen there
	return fmt.Sprint(listener.Addr().(*net.TCPAddr).Port)
}

// TestReadmeSession pastes the session of the README into a shell, once as it is and once with each timetable at hand
// in place of the generated one. The session leaves nothing in the checkout.
func TestReadmeSession(t *testing.T) {
	t.Parallel()
	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile(filepath.Join("..", "..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	session := regexp.MustCompile("(?s)```sh\n(PATH=.PWD/bin:.*?)```").FindSubmatch(readme)
	if session == nil {
		t.Fatal("the README has no session that begins with PATH=$PWD/bin")
	}
	w := embedded(t)
	script := strings.ReplaceAll(string(session[1]), "http://localhost:8080", w.url)
	if !strings.Contains(script, w.url) {
		t.Fatal("the README's session does not use http://localhost:8080")
	}
	t.Run("as it is", func(t *testing.T) {
		t.Parallel()
		if got := string(paste(t, dir, script)); !strings.HasPrefix(got, "BEGIN:VCALENDAR\r\n") {
			t.Errorf("got no calendar: %.300s", got)
		}
	})
	generate := regexp.MustCompile("(?m)^schedgen generate-pdf .*$")
	for _, p := range timetables(t) {
		if !inSemesters(p.doc) {
			continue // the session gives no dates of quarters
		}
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "given.pdf")
			if err := os.WriteFile(file, p.pdf, 0o600); err != nil {
				t.Fatal(err)
			}
			copied := generate.ReplaceAllLiteralString(script, "cp '"+file+"' timetable.pdf")
			expectSame(t, "the calendar's dates", readBack(t, string(paste(t, dir, copied))), dates(p.doc))
		})
	}
}

// paste runs a session in a checkout whose programs are in bin, and returns the calendar that it made.
func paste(t *testing.T, bin, script string) []byte {
	t.Helper()
	checkout, temporary := t.TempDir(), t.TempDir()
	if err := os.Symlink(bin, filepath.Join(checkout, "bin")); err != nil {
		t.Fatal(err)
	}
	shell := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", script)
	shell.Dir, shell.Env = checkout, append(os.Environ(), "TMPDIR="+temporary)
	if out, err := shell.CombinedOutput(); err != nil {
		t.Fatalf("the session failed: %v\n%s", err, out)
	}
	if left, err := os.ReadDir(checkout); err != nil || len(left) != 1 {
		t.Errorf("the checkout has %v (%v), want bin alone", left, err)
	}
	made, err := filepath.Glob(filepath.Join(temporary, "*", "timetable.ics"))
	if err != nil || len(made) != 1 {
		t.Fatalf("got %v (%v), want one calendar", made, err)
	}
	calendar, err := os.ReadFile(made[0])
	if err != nil {
		t.Fatal(err)
	}
	return calendar
}
