package pg

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// superuser owns the private server.
const superuser = "schedgen"

// home is a server's directory: data/cluster, password, lock and postgres.log.
type home struct {
	bin      string
	place    string // data/, or its stand-in; only the server's user may look inside
	data     string // place/cluster
	log      string
	user     *syscall.Credential // who runs the server, if not us
	password string
	lock     *os.File // held as long as we use the directory
}

// prepare makes dir a home, with initdb when it has no data yet. The home must be released.
func prepare(ctx context.Context, dir string, fast bool) (h *home, err error) {
	h = &home{}
	if h.bin, err = Installed(); err != nil {
		return nil, err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, fmt.Errorf("find the directory: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the directory: %w", err)
	}
	h.log = filepath.Join(dir, "postgres.log")
	if h.lock, err = lockDir(dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			h.release()
		}
	}()
	if h.user, err = serverUser(); err != nil {
		return nil, err
	}
	if err := h.settle(dir); err != nil {
		return nil, err
	}
	if err := h.dropForgotten(dir); err != nil {
		return nil, err
	}
	version, err := os.ReadFile(filepath.Join(h.data, "PG_VERSION"))
	if errors.Is(err, fs.ErrNotExist) {
		return h, h.create(ctx, dir, fast)
	}
	if err != nil {
		return nil, fmt.Errorf("look at the data: %w", err)
	}
	return h, h.reuse(dir, strings.TrimSpace(string(version)))
}

// lockDir makes the directory ours until the file is closed or this process dies. The lock is not
// inherited by the server, so a server found on the data while we hold it was left behind.
func lockDir(dir string) (*os.File, error) {
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("%s is in use by another process that runs: %w", dir, err), lock.Close())
	}
	return lock, nil
}

// release lets another process use the directory. Closing alone would not: a program that is just being started still
// has our open files, and with them the lock.
func (h *home) release() {
	_ = syscall.Flock(int(h.lock.Fd()), syscall.LOCK_UN) // it is ours, and goes with the process in any case
	_ = h.lock.Close()                                   // it was never written
}

// settle finds the place of the data: in dir, or, if the server's user cannot get there (root's own
// home is closed to others), in a directory for dir under /var/tmp.
func (h *home) settle(dir string) error {
	h.place = filepath.Join(dir, "data")
	if h.user != nil && !passable(dir) {
		name := sha256.Sum256([]byte(dir))
		h.place = filepath.Join("/var/tmp", "schedgen-postgres-"+hex.EncodeToString(name[:8]))
	}
	if err := os.Mkdir(h.place, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make the data directory: %w", err)
	}
	// In /var/tmp somebody else could have put a link there.
	info, err := os.Lstat(h.place)
	if err != nil || !info.IsDir() {
		return fmt.Errorf("%s is not a directory", h.place)
	}
	h.data = filepath.Join(h.place, "cluster")
	return h.give(h.place)
}

// dropForgotten removes data outside of dir whose dir was deleted and made anew.
func (h *home) dropForgotten(dir string) error {
	_, err := os.Stat(filepath.Join(dir, "password"))
	if filepath.Dir(h.place) == dir || !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := os.RemoveAll(h.data); err != nil {
		return fmt.Errorf("remove the data of a directory that is gone: %w", err)
	}
	return nil
}

// give makes the server's user the owner of path.
func (h *home) give(path string) error {
	if h.user == nil {
		return nil
	}
	if err := os.Lchown(path, int(h.user.Uid), int(h.user.Gid)); err != nil {
		return fmt.Errorf("give the data to the server's user: %w", err)
	}
	return nil
}

// reuse checks that the data can be served by what is installed.
func (h *home) reuse(dir, version string) error {
	if version != filepath.Base(filepath.Dir(h.bin)) {
		h.bin = filepath.Join("/usr/lib/postgresql", version, "bin")
		if _, err := os.Stat(h.program("postgres")); err != nil {
			return fmt.Errorf("the data in %s is of PostgreSQL %s, which is not installed", h.place, version)
		}
	}
	password, err := os.ReadFile(filepath.Join(dir, "password"))
	if err != nil {
		return fmt.Errorf("read the password: %w", err)
	}
	h.password = string(bytes.TrimSpace(password))
	return nil
}

// create runs initdb beside the data's place and moves the result there, so that a start that is
// interrupted leaves nothing that looks whole.
func (h *home) create(ctx context.Context, dir string, fast bool) error {
	secret := make([]byte, 18)
	_, _ = rand.Read(secret) // never fails (crypto/rand)
	h.password = hex.EncodeToString(secret)
	fresh, handover := filepath.Join(h.place, "new"), filepath.Join(h.place, "password")
	if err := os.RemoveAll(fresh); err != nil {
		return fmt.Errorf("remove what an interrupted start left: %w", err)
	}
	for _, path := range []string{filepath.Join(dir, "password"), handover} {
		if err := os.WriteFile(path, []byte(h.password+"\n"), 0o600); err != nil {
			return fmt.Errorf("keep the password: %w", err)
		}
	}
	defer os.Remove(handover) // the server keeps a hash of it
	if err := h.give(handover); err != nil {
		return err
	}
	args := []string{"-D", fresh, "-U", superuser, "-A", "scram-sha-256", "--pwfile=" + handover,
		"-E", "UTF8", "--no-locale", "--no-instructions"}
	if fast {
		args = append(args, "--no-sync")
	}
	cmd := exec.CommandContext(ctx, h.program("initdb"), args...)
	cmd.Dir = h.place
	cmd.Env = []string{"LC_ALL=C", "PATH=" + os.Getenv("PATH")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: h.user}
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("make the database: %w: %s", err, bytes.TrimSpace(output))
	}
	if err := os.Rename(fresh, h.data); err != nil {
		return fmt.Errorf("move the database into place: %w", err)
	}
	return nil
}

// clearStale ends a server that a killed process left on this data, and removes its lock file.
func (h *home) clearStale(ctx context.Context) error {
	lock := filepath.Join(h.data, "postmaster.pid")
	text, err := os.ReadFile(lock)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the lock file: %w", err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil || pid <= 1 {
		return remove(lock)
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for asked := false; h.isOurs(pid); asked = true {
		if !asked {
			if err := syscall.Kill(pid, syscall.SIGINT); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("end the server that was left behind: %w", err)
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the server that was left behind: %w", ctx.Err())
		case <-tick.C:
		}
	}
	return remove(lock)
}

// isOurs says that a process is a server on this very data; process ids are used again.
func (h *home) isOurs(pid int) bool {
	line, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	return err == nil && bytes.Contains(line, []byte("\x00"+h.data+"\x00"))
}

func (h *home) program(name string) string { return filepath.Join(h.bin, name) }

// serverUser is whom the server runs as: nil for ourselves, somebody harmless when we are root,
// whom PostgreSQL refuses.
func serverUser() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(found.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(found.Gid, 10, 32)
		if uidErr == nil && gidErr == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid), NoSetGroups: false}, nil
		}
	}
	return nil, errors.New("running as root, and there is no user postgres or nobody to run the server as")
}

// passable says that everybody can get to dir.
func passable(dir string) bool {
	for ; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm()&0o001 == 0 {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
	}
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove %s: %w", filepath.Base(path), err)
	}
	return nil
}
