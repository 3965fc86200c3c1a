package e2e_test

import (
	"bytes"
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
		Env: []string{"PATH=" + os.Getenv("PATH"), "REDELIVER_AFTER=3s", "JOB_LEASE=3s"}, Log: filepath.Join(t.TempDir(), "log"), Death: syscall.SIGTERM,
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
func freePort(t *testing.T) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() // another will listen there
	return fmt.Sprint(listener.Addr().(*net.TCPAddr).Port)
}

// TestTheReadmesSession pastes the session of the README into a shell, once as it is and once with
// each timetable at hand in place of the made-up one.
func TestTheReadmesSession(t *testing.T) {
	t.Parallel()
	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile(filepath.Join("..", "..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	session := regexp.MustCompile("(?s)```sh\n(bin/schedgen generate-pdf .*?)```").FindSubmatch(readme)
	if session == nil {
		t.Fatal("the README has no session that begins with bin/schedgen generate-pdf")
	}
	w := embedded(t)
	script := strings.NewReplacer("http://localhost:8080", w.url, "bin/schedgen", filepath.Join(dir, "schedgen")).Replace(string(session[1]))
	if !strings.Contains(script, w.url) {
		t.Fatal("the README's session does not speak to http://localhost:8080")
	}
	t.Run("as it is", func(t *testing.T) {
		t.Parallel()
		if got := string(paste(t, t.TempDir(), script)); !strings.HasPrefix(got, "BEGIN:VCALENDAR\r\n") {
			t.Errorf("got no calendar: %.300s", got)
		}
	})
	withoutGenerating := script[strings.Index(script, "\n")+1:]
	for _, p := range timetables(t) {
		if !inSemesters(p.doc) {
			continue // the session gives no dates of quarters
		}
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			here := t.TempDir()
			if err := os.WriteFile(filepath.Join(here, "timetable.pdf"), p.pdf, 0o600); err != nil {
				t.Fatal(err)
			}
			expectSame(t, "the calendar's dates", readBack(t, string(paste(t, here, withoutGenerating))), dates(p.doc))
		})
	}
}

// paste runs a session in a directory and gives the calendar that it leaves.
func paste(t *testing.T, dir, script string) []byte {
	t.Helper()
	shell := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", script)
	shell.Dir = dir
	var out bytes.Buffer
	shell.Stdout, shell.Stderr = &out, &out
	if err := shell.Run(); err != nil {
		t.Fatalf("the session failed: %v\n%s", err, out.String())
	}
	calendar, err := os.ReadFile(filepath.Join(dir, "timetable.ics"))
	if err != nil {
		t.Fatal(err)
	}
	return calendar
}
