package e2e_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/schedgen/schedgen/deploy/schedgen/internal/stack"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/timetable"
)

// smallDisk mounts a file system of its own for a data directory.
func smallDisk(t *testing.T, megabytes int) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root to mount a small file system: run the tests as root to see a disk fill up")
	}
	dir := dataDir(t)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	err := syscall.Mount("schedgen-test", dir, "tmpfs", 0, fmt.Sprintf("size=%dm,mode=0755", megabytes))
	if errors.Is(err, syscall.EPERM) {
		t.Skip("this container may not mount a small file system: run the tests with CAP_SYS_ADMIN to see a disk fill up")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// TestAFullDiskIsToldAndSparesTheDatabase fills the disk of a whole system up to its reserve, and frees it again.
func TestAFullDiskIsToldAndSparesTheDatabase(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t, 256)
	const reserve = 64 << 20
	w := start(t, stack.Config{Data: dir}, "DISK_RESERVE", fmt.Sprint(reserve))
	s := w.student(t)
	pdf := generated(t, fixture.Options{Kind: timetable.Test, Seed: 5, Modules: 2}).pdf
	s.upload(pdf)
	s.ready(http.StatusOK, "disk", "up")

	ballast := fill(t, dir, reserve/2)
	s.ready(http.StatusServiceUnavailable, "disk", "down")
	contentType, body := form(pdf)
	refused := s.call(http.StatusServiceUnavailable, "POST", "/api/upload", body, "Content-Type", contentType)
	if !strings.Contains(string(refused.body), `"STORAGE_FULL"`) || refused.Header.Get("Retry-After") != "300" {
		t.Errorf("got %s with Retry-After %q", refused.body, refused.Header.Get("Retry-After"))
	}
	// What is there is still served and can be changed: the reserve is the database's.
	s.call(http.StatusCreated, "POST", "/api/feeds", map[string]any{})

	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	s.ready(http.StatusOK, "disk", "up")
	s.upload(pdf)
}

// fill takes room on the disk of dir by a file, until so many bytes are left.
func fill(t *testing.T, dir string, left int64) (ballast string) {
	t.Helper()
	var free syscall.Statfs_t
	if err := syscall.Statfs(dir, &free); err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(filepath.Join(dir, "ballast"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() // nothing is written to it
	if err := syscall.Fallocate(int(file.Fd()), 0, 0, int64(free.Bavail)*free.Frsize-left); err != nil {
		t.Fatal(err)
	}
	return file.Name()
}

// ready waits until /ready answers so, and a dependency is so in it.
func (s *student) ready(status int, dependency, state string) {
	s.t.Helper()
	eventually(s.t, func() error {
		var report struct {
			Status       string
			Dependencies map[string]struct{ Status string }
		}
		got, err := get(s.t.Context(), http.DefaultClient, s.world.url+"/ready")
		if err != nil {
			return err
		}
		got.into(s.t, &report)
		if got.StatusCode != status || report.Dependencies[dependency].Status != state {
			return fmt.Errorf("/ready answers %d %+v", got.StatusCode, report)
		}
		return nil
	})
}
