package diskspace

import (
	"errors"
	"syscall"
	"testing"
)

// disk is a room of a file system that says these numbers.
func disk(s syscall.Statfs_t, err error) *Room {
	r := New(Config{Dir: "/data", Reserve: 100 << 20})
	r.stat = func(_ string, into *syscall.Statfs_t) error {
		*into = s
		return err
	}
	return r
}

const mebibytes = 256 // blocks of 4 KiB

func TestBelowTheReserveItIsFull(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		stat syscall.Statfs_t
		more int64
		full bool
	}{
		"room":                {syscall.Statfs_t{Frsize: 4096, Bavail: 101 * mebibytes, Files: 1e6, Ffree: 1e5}, 0, false},
		"just the reserve":    {syscall.Statfs_t{Frsize: 4096, Bavail: 100 * mebibytes, Files: 1e6, Ffree: 1e5}, 0, false},
		"a block less":        {syscall.Statfs_t{Frsize: 4096, Bavail: 100*mebibytes - 1, Files: 1e6, Ffree: 1e5}, 0, true},
		"nothing":             {syscall.Statfs_t{Frsize: 4096, Files: 1e6, Ffree: 1e5}, 0, true},
		"room for the file":   {syscall.Statfs_t{Frsize: 4096, Bavail: 101 * mebibytes, Files: 1e6, Ffree: 1e5}, 1 << 20, false},
		"none for the file":   {syscall.Statfs_t{Frsize: 4096, Bavail: 101 * mebibytes, Files: 1e6, Ffree: 1e5}, 1<<20 + 1, true},
		"few inodes":          {syscall.Statfs_t{Frsize: 4096, Bavail: 900 * mebibytes, Files: 1e6, Ffree: ReserveFiles - 1}, 0, true},
		"no limit of inodes":  {syscall.Statfs_t{Frsize: 4096, Bavail: 900 * mebibytes}, 0, false},
		"large transfers":     {syscall.Statfs_t{Frsize: 4096, Bsize: 1 << 20, Bavail: 99 * mebibytes, Files: 1e6, Ffree: 1e5}, 0, true},
		"a kernel without it": {syscall.Statfs_t{Bsize: 4096, Bavail: 101 * mebibytes, Files: 1e6, Ffree: 1e5}, 0, false},
	} {
		_, err := disk(c.stat, nil).Take(c.more)
		var full *FullError
		if errors.As(err, &full) != c.full || (err != nil) != c.full {
			t.Errorf("%s: got %v, want full: %v", name, err, c.full)
		}
	}
	if err := disk(syscall.Statfs_t{}, syscall.ENOENT).Err(); !errors.Is(err, syscall.ENOENT) {
		t.Errorf("a directory that is gone: got %v", err)
	}
}

func TestWhatIsPromisedIsNotPromisedAgain(t *testing.T) {
	t.Parallel()
	r := disk(syscall.Statfs_t{Frsize: 4096, Bavail: 110 * mebibytes}, nil)
	first, err := r.Take(6 << 20)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Take(6 << 20); err == nil {
		t.Error("both of two files of which one has room: got no error")
	}
	first()
	first()
	if _, err := r.Take(6 << 20); err != nil {
		t.Errorf("after the first is done: %v", err)
	}
}

func TestNoDirectoryAndNoReserveHaveNoEnd(t *testing.T) {
	t.Parallel()
	for _, cfg := range []Config{{Reserve: 1 << 60}, {Dir: t.TempDir()}} {
		if err := New(cfg).Err(); err != nil {
			t.Errorf("%+v: got %v", cfg, err)
		}
	}
	if err := New(Config{Dir: t.TempDir(), Reserve: 1 << 60}).Err(); err == nil {
		t.Error("a reserve beyond any disk: got no error")
	}
}
