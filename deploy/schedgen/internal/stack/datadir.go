package stack

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/schedgen/schedgen/functions/google-sync/account"
)

// ErrInUse says that another schedgen works in the data directory.
var ErrInUse = errors.New("the data directory is in use")

// dataDir is where one system keeps everything: its databases, its objects, its secrets.
type dataDir struct {
	path string
	lock *os.File
}

// openDataDir makes the directory where it is missing and holds it for this process alone.
func openDataDir(path string) (*dataDir, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("find the data directory: %w", err)
	}
	// Others may pass through it: as root, PostgreSQL runs as another user. What is secret in it
	// has its own permissions.
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(path, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the data directory: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer lock.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w: %s%s; stop it or give another --data", ErrInUse, path, holder(lock))
		}
		return nil, fmt.Errorf("lock the data directory: %w", err)
	}
	if err := lock.Truncate(0); err == nil {
		_, err = fmt.Fprintf(lock, "%d\n", os.Getpid())
		if err != nil {
			lock.Close()
			return nil, fmt.Errorf("lock the data directory: %w", err)
		}
	}
	return &dataDir{path, lock}, nil
}

// holder tells which process holds the lock, as far as the file says.
func holder(lock *os.File) string {
	pid := make([]byte, 32)
	n, _ := lock.ReadAt(pid, 0)
	if s := strings.TrimSpace(string(pid[:n])); s != "" {
		return " (by process " + s + ")"
	}
	return ""
}

// join is a path inside the directory.
func (d *dataDir) join(name string) string { return filepath.Join(d.path, name) }

// close lets other processes have the directory. A child that is just being started may still hold the
// file for a moment, and with it a lock that was only closed.
func (d *dataDir) close() error {
	return errors.Join(syscall.Flock(int(d.lock.Fd()), syscall.LOCK_UN), d.lock.Close())
}

// secrets are made once for a data directory and kept in it.
type secrets struct {
	SessionKey string `json:"sessionKey"` // signs the owners' cookies
	EventToken string `json:"eventToken"` // authorises object notifications
	AdminToken string `json:"adminToken"` // authorises operators: dead letters, the sweep
	TokenKey   string `json:"tokenKey"`   // seals Google's tokens
	S3Key      string `json:"s3Key"`
	S3Secret   string `json:"s3Secret"`
}

// secrets gives the directory's secrets. What an earlier version did not have is made and kept.
func (d *dataDir) secrets() (secrets, error) {
	path := d.join("secrets.json")
	var s secrets
	switch data, err := os.ReadFile(path); {
	case err == nil:
		if err := json.Unmarshal(data, &s); err != nil {
			return s, fmt.Errorf("read %s: %w", path, err)
		}
	case !errors.Is(err, os.ErrNotExist):
		return s, fmt.Errorf("read the secrets: %w", err)
	}
	before := s
	if err := s.complete(); err != nil || s == before {
		return s, err
	}
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return s, fmt.Errorf("write the secrets: %w", err)
	}
	// Renamed into place: a crash in between leaves no half of a file.
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		return s, fmt.Errorf("write the secrets: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return s, fmt.Errorf("write the secrets: %w", err)
	}
	return s, nil
}

// complete makes what is missing.
func (s *secrets) complete() (err error) {
	for _, secret := range []*string{&s.SessionKey, &s.EventToken, &s.AdminToken, &s.S3Secret} {
		*secret = cmp.Or(*secret, token())
	}
	s.S3Key = cmp.Or(s.S3Key, token()[:20])
	if s.TokenKey == "" {
		s.TokenKey, err = account.NewKey("local")
	}
	return err
}

// token is 256 random bits.
func token() string {
	var b [32]byte
	rand.Read(b[:]) // never fails, see crypto/rand
	return hex.EncodeToString(b[:])
}
