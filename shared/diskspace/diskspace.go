// Package diskspace keeps a part of a file system free: the reserve. What grows by what people send is refused while
// less is free, so that a database on the same file system can go on, and can still delete.
package diskspace

import (
	"fmt"
	"sync"
	"syscall"

	"github.com/schedgen/schedgen/shared/api"
)

// Config says which file system, and how much of it stays free.
type Config struct {
	Dir     string `env:"DATA_DIR"`                                       // directory of the database and the objects; empty where servers elsewhere keep them
	Reserve int64  `env:"DISK_RESERVE, default=268435456" zero:"allowed"` // bytes that must stay free there for the database; below, uploads are refused
}

// ReserveFiles are the files (inodes) that must stay free beside the bytes.
const ReserveFiles = 1000

// FullError says that less than the reserve is free.
type FullError struct {
	Dir                 string
	Free, Files         int64 // bytes, and files that can still be made; Files is -1 where the file system has no limit
	Reserve, Additional int64 // bytes that must stay free, and that were to be written
}

func (e *FullError) Error() string {
	files := "files without a limit"
	if e.Files >= 0 {
		files = fmt.Sprint(e.Files, " files")
	}
	return fmt.Sprintf("%d bytes and %s are free in %s, too little for %d bytes more beside a reserve of %d bytes and %d files",
		e.Free, files, e.Dir, e.Additional, e.Reserve, ReserveFiles)
}

// Unavailable is the CODE that package api answers.
func (e *FullError) Unavailable() string { return api.StorageFull }

// Room is what is free of a file system. It is safe for concurrent use. A nil Room has no end.
type Room struct {
	cfg  Config
	stat func(dir string, into *syscall.Statfs_t) error

	mu       sync.Mutex
	promised int64 // bytes that are being written
}

// New is the room that cfg says; nil without a directory or a reserve.
func New(cfg Config) *Room {
	if cfg.Dir == "" || cfg.Reserve <= 0 {
		return nil
	}
	return &Room{cfg: cfg, stat: syscall.Statfs}
}

// Err is a FullError while less than the reserve is free.
func (r *Room) Err() error {
	done, err := r.Take(0)
	done()
	return err
}

// Take promises bytes to a writer who calls done when they are written, or given up. It is a FullError where less
// than the reserve would be left after all that was promised.
func (r *Room) Take(bytes int64) (done func(), err error) {
	if r == nil {
		return func() {}, nil
	}
	var s syscall.Statfs_t
	if err := r.stat(r.cfg.Dir, &s); err != nil {
		return func() {}, fmt.Errorf("look how much is free in %s: %w", r.cfg.Dir, err)
	}
	full := &FullError{Dir: r.cfg.Dir, Free: int64(s.Bavail) * blockSize(s), Files: -1, Reserve: r.cfg.Reserve, Additional: bytes}
	if s.Files > 0 { // btrfs makes them as it needs them, and says 0
		full.Files = int64(s.Ffree)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	full.Additional += r.promised
	if full.Free-full.Additional < full.Reserve || full.Files >= 0 && full.Files < ReserveFiles {
		return func() {}, full
	}
	r.promised += bytes
	return sync.OnceFunc(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.promised -= bytes
	}), nil
}

// blockSize is the unit in which statfs(2) counts: f_frsize, or f_bsize in kernels that have no other.
func blockSize(s syscall.Statfs_t) int64 {
	if s.Frsize > 0 {
		return s.Frsize
	}
	return s.Bsize
}
