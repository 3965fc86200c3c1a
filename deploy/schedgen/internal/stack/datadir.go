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
	"github.com/schedgen/schedgen/shared/secret"
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
	SessionKey secret.String // signs the owners' cookies
	EventToken secret.String // authorises object notifications
	AdminToken secret.String // authorises operators: dead letters, the sweep
	TokenKey   secret.String // seals Google's tokens
	S3Secret   secret.String
	S3Key      string
}

// secretsFile is the form of the secrets in the data directory, where they are written as they are.
type secretsFile struct {
	SessionKey string `json:"sessionKey"`
	EventToken string `json:"eventToken"`
	AdminToken string `json:"adminToken"`
	TokenKey   string `json:"tokenKey"`
	S3Key      string `json:"s3Key"`
	S3Secret   string `json:"s3Secret"`
}

// secrets gives the directory's secrets. What an earlier version did not have is made and kept.
func (d *dataDir) secrets() (secrets, error) {
	path := d.join("secrets.json")
	var file secretsFile
	switch data, err := os.ReadFile(path); {
	case err == nil:
		if err := json.Unmarshal(data, &file); err != nil {
			return secrets{}, fmt.Errorf("read %s: %w", path, err)
		}
	case !errors.Is(err, os.ErrNotExist):
		return secrets{}, fmt.Errorf("read the secrets: %w", err)
	}
	before := file
	if err := file.complete(); err != nil {
		return secrets{}, err
	}
	if file != before {
		if err := file.write(path); err != nil {
			return secrets{}, fmt.Errorf("write the secrets: %w", err)
		}
	}
	return secrets{SessionKey: secret.New(file.SessionKey), EventToken: secret.New(file.EventToken), AdminToken: secret.New(file.AdminToken),
		TokenKey: secret.New(file.TokenKey), S3Secret: secret.New(file.S3Secret), S3Key: file.S3Key}, nil
}

// write puts the file at path by a rename: a crash leaves no half of it.
func (s secretsFile) write(path string) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// complete makes what is missing.
func (s *secretsFile) complete() (err error) {
	for _, missing := range []*string{&s.SessionKey, &s.EventToken, &s.AdminToken, &s.S3Secret} {
		*missing = cmp.Or(*missing, token())
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
