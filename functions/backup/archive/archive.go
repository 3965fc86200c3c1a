// Package archive writes and reads the sealed part of a backup: the dump of the database, the PDFs, and the
// contents, which state what the other two must be once they are opened.
//
// A Writer belongs to one run. It streams pg_dump through compression and encryption into numbered parts of the
// bucket, so memory does not grow with the database. While it writes, it hashes the plain dump and has pg_restore
// list it: after that only the holder of the secret key can.
//
// A Reader needs that key. Everything it returns was checked: each part by its hash, each byte by the encryption,
// each object and the whole dump by the hashes in the contents. IsDamage tells a bad backup from a server that
// is down.
package archive

import (
	"errors"
	"strings"
	"time"

	"github.com/schedgen/schedgen/functions/backup/dump"
	"github.com/schedgen/schedgen/functions/backup/seal"
	"github.com/schedgen/schedgen/functions/backup/store"
	"github.com/schedgen/schedgen/shared/jobs"
)

// Concurrency is how many objects are copied, verified or restored at once.
const Concurrency = 4

// MaxObject is the size limit of an object, which is sealed in memory. Uploads have some megabytes.
const MaxObject = 64 << 20

// Contents states what a backup must be once it is opened. It is stored sealed, because hashes and keys reveal
// what they belong to. The objects follow it in the stream, one a line.
type Contents struct {
	SnapshotAt time.Time    `json:"snapshotAt"` // by the database's clock
	Tables     []dump.Table `json:"tables"`
	DumpSHA256 string       `json:"dumpSha256"` // of the dump as pg_dump wrote it
	DumpSize   int64        `json:"dumpSize"`

	Objects []Object `json:"-"` // sorted by key
}

// Object is one object of a backup: what to restore, and the name of its sealed content in the backup bucket.
type Object struct {
	Key         string            `json:"key"`
	Name        string            `json:"name"`
	SHA256      string            `json:"sha256"`
	Size        int64             `json:"size"`
	ContentType string            `json:"contentType,omitempty"`
	Meta        map[string]string `json:"meta,omitempty"`
}

// IsUpload reports whether a key is that of a job's PDF.
func IsUpload(key string) bool { return strings.HasPrefix(key, jobs.UploadsPrefix) }

// IsDamage reports whether an error is a fault of the backup itself, and not of a server that is down.
func IsDamage(err error) bool {
	var damaged *store.DamagedError
	var tool *dump.ToolError
	return errors.As(err, &damaged) || errors.As(err, &tool) || errors.Is(err, seal.ErrDamaged) || errors.Is(err, seal.ErrWrongKey)
}
