package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/schedgen/schedgen/functions/backup/sign"
	"github.com/schedgen/schedgen/shared/blob"
)

// ErrNotFound means that there is no such backup.
var ErrNotFound = errors.New("store: no such backup")

// Manifest is a backup: what it holds and how it fared. It is not encrypted, so that the function,
// which cannot read its backups, knows them; it says nothing of what is in the database but how much.
type Manifest struct {
	ID        string    `json:"id"`
	CreatedAt time.Time `json:"createdAt"` // the moment whose state it holds
	Seconds   float64   `json:"seconds"`   // how long it took, without the verification
	// SnapshotAt is that moment by the database's clock, as the times of deletions are; zero in older backups.
	SnapshotAt time.Time `json:"snapshotAt,omitzero"`

	Postgres   string   `json:"postgres"`   // the server's version
	PgDump     string   `json:"pgDump"`     // the program's
	Schema     int      `json:"schema"`     // migrations that were applied
	Recipients []string `json:"recipients"` // public keys that it is encrypted to

	Tables      int    `json:"tables"`
	Rows        int64  `json:"rows"`
	ListedItems int    `json:"listedItems"` // what pg_restore --list saw in the archive while it was written
	Dump        Stream `json:"dump"`
	Contents    Stream `json:"contents"`
	ObjectNames Stream `json:"objectNames"`

	Objects       int   `json:"objects"`
	ObjectBytes   int64 `json:"objectBytes"`   // as they are in their own bucket
	ObjectsStored int   `json:"objectsStored"` // by this run; the others were there
	StoredBytes   int64 `json:"storedBytes"`   // by this run, dump and objects, sealed
	// ObjectsMissing counts what the database knew and nobody could read any more: deleted between
	// the snapshot and its copy.
	ObjectsMissing int `json:"objectsMissing"`

	Verification *Verification `json:"verification,omitempty"`
	Offsite      *Copy         `json:"offsite,omitempty"`

	etag  string // of what was read, for Update
	core  signedCore
	trust error
}

// signedCore is what the signature of a manifest is over: all but what later looks at the backup found.
type signedCore struct {
	document  json.RawMessage
	signature string
}

// Trust is nil of a backup that a known key signed, or where no key is configured to check with; else it says why the
// backup is not to be believed.
func (m Manifest) Trust() error { return m.trust }

// Signed reports whether the backup carries a signature, of whatever key.
func (m Manifest) Signed() bool { return m.core.signature != "" }

// Readable reports whether the manifest could be read: of a damaged one only the ID is known.
func (m Manifest) Readable() bool { return m.ObjectNames.Name != "" }

// OldestSnapshot is when the oldest of one or more backups was taken, by the clock that was behind.
func OldestSnapshot(list []Manifest) time.Time {
	oldest := list[0].CreatedAt
	for _, m := range list {
		if m.CreatedAt.Before(oldest) {
			oldest = m.CreatedAt
		}
		if !m.SnapshotAt.IsZero() && m.SnapshotAt.Before(oldest) {
			oldest = m.SnapshotAt
		}
	}
	return oldest
}

// The depths of a verification.
const (
	ByRestore   = "restore"   // restored into a scratch database and compared by content
	ByChecksums = "checksums" // no identity to decrypt with: hashes of what is stored, and the list made while writing
)

// Verification is what the newest look at a backup found.
type Verification struct {
	At      time.Time `json:"at"`
	By      string    `json:"by"`
	OK      bool      `json:"ok"`
	Error   string    `json:"error,omitempty"`
	Damaged []string  `json:"damaged,omitempty"` // names of objects that the next run stores again
	Seconds float64   `json:"seconds"`
	Bytes   int64     `json:"bytes"` // read from the bucket
}

// Copy is what became of the second target.
type Copy struct {
	At    time.Time `json:"at"`
	OK    bool      `json:"ok"`
	Error string    `json:"error,omitempty"`
	Bytes int64     `json:"bytes"`
}

// The states of a backup.
const (
	Verified   = "verified"   // proved by a restore
	Checked    = "checked"    // its checksums are right
	Unverified = "unverified" // not verified yet
	Failed     = "failed"     // found bad
	Unsigned   = "unsigned"   // not signed, although keys to check with are configured
	Forged     = "forged"     // its signature is not by a known key
)

// Status returns the backup's state.
func (m Manifest) Status() string {
	switch {
	case errors.Is(m.trust, sign.ErrUnsigned):
		return Unsigned
	case m.trust != nil:
		return Forged
	case m.Verification == nil:
		return Unverified
	case !m.Verification.OK:
		return Failed
	case m.Verification.By == ByRestore:
		return Verified
	}
	return Checked
}

// Good reports whether the backup was verified and found complete.
func (m Manifest) Good() bool { return m.Verification != nil && m.Verification.OK }

// ClockTolerance is how far in the future a backup's time may be, because clocks differ. One of a clock that was
// wrong would look fresh for years.
const ClockTolerance = 5 * time.Minute

// NewestGood returns the newest good backup at a time, from a list with the newest first.
func NewestGood(list []Manifest, now time.Time) (Manifest, bool) {
	return NewestGoodUntil(list, now.Add(ClockTolerance))
}

// NewestGoodUntil returns the newest good backup that is to be believed and not after until, from a list with the
// newest first.
func NewestGoodUntil(list []Manifest, until time.Time) (Manifest, bool) {
	i := slices.IndexFunc(list, func(m Manifest) bool { return m.Good() && m.trust == nil && !m.CreatedAt.After(until) })
	if i < 0 {
		return Manifest{}, false
	}
	return list[i], true
}

// Summary is a backup as the API and the command show it.
type Summary struct {
	Manifest
	Status    string `json:"status"`
	DumpBytes int64  `json:"dumpBytes"` // sealed
	Parts     int    `json:"parts"`

	// These hide the manifest's lists of hashes, which are for programs that read the bucket.
	Dump        *struct{} `json:"dump,omitempty"`
	Contents    *struct{} `json:"contents,omitempty"`
	ObjectNames *struct{} `json:"objectNames,omitempty"`
}

// Summary returns the backup without its lists of hashes.
func (m Manifest) Summary() Summary {
	return Summary{Manifest: m, Status: m.Status(), Parts: len(m.Dump.Parts), DumpBytes: m.Dump.Size}
}

// NewID names a run that begins at that time. The random end keeps apart what a clock that was set
// back would give the same name.
func NewID(now time.Time) string {
	return now.UTC().Format(idTime) + "-" + strings.ToLower(rand.Text()[:8])
}

const idTime = "20060102T150405Z"

func manifestKey(id string) string { return "manifests/" + id + ".json" }

// envelope protects a manifest from a flipped bit, and what it says of the backup from forgery; a tombstone has no
// Manifest.
type envelope struct {
	Signed    json.RawMessage `json:"signed,omitempty"`    // the manifest as it was committed; what it says counts
	Signature string          `json:"signature,omitempty"` // of that
	Manifest  json.RawMessage `json:"manifest,omitempty"`
	SHA256    string          `json:"sha256,omitempty"`
	Abandoned *time.Time      `json:"abandoned,omitempty"`
}

func encode(m Manifest) ([]byte, error) {
	inner, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode the manifest: %w", err)
	}
	return json.Marshal(envelope{Manifest: inner, SHA256: hash(inner), Signed: m.core.document, Signature: m.core.signature})
}

func hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Commit makes the run a backup, in one step. It fails if the run was given up meanwhile (Abandon).
func (s *Store) Commit(ctx context.Context, m Manifest) (Manifest, error) {
	if err := s.sign(&m); err != nil {
		return m, err
	}
	body, err := encode(m)
	if err != nil {
		return m, err
	}
	m.etag, err = s.putConditional(ctx, manifestKey(m.ID), body, blob.Expect{})
	if err != nil {
		return m, fmt.Errorf("commit the backup: %w", err)
	}
	return m, nil
}

// signedAs is the purpose of manifests' signatures.
const signedAs = "manifest"

// sign signs a manifest that is not signed yet: a copy keeps its signature.
func (s *Store) sign(m *Manifest) error {
	if m.core.signature != "" {
		return nil
	}
	core := *m
	core.Verification, core.Offsite = nil, nil
	document, err := json.Marshal(core)
	if err != nil {
		return fmt.Errorf("encode the manifest: %w", err)
	}
	if signature := s.signing.Sign(signedAs, document); signature != "" {
		m.core = signedCore{document, signature}
	}
	return nil
}

// Update replaces a manifest that was read before; blob.ErrCondition if another did so meanwhile.
func (s *Store) Update(ctx context.Context, m Manifest) (Manifest, error) {
	body, err := encode(m)
	if err != nil {
		return m, err
	}
	m.etag, err = s.putConditional(ctx, manifestKey(m.ID), body, blob.Expect{ETag: m.etag})
	if err != nil {
		return m, fmt.Errorf("note the result: %w", err)
	}
	return m, nil
}

// putConditional is PutIf, where an answer that was lost is asked for: a second try would meet our own write.
func (s *Store) putConditional(ctx context.Context, key string, body []byte, expect blob.Expect) (etag string, err error) {
	err = s.retry(ctx, func() error {
		put, err := s.blob.PutIf(ctx, key, body, "application/json", expect)
		etag = put.ETag
		if !errors.Is(err, blob.ErrCondition) {
			return err
		}
		stored, info, readErr := s.get(ctx, key)
		if readErr == nil && string(stored) == string(body) {
			etag = info.ETag
			return nil
		}
		return err
	})
	return etag, err
}

// Abandon makes sure that the run will never be a backup, whoever still works on it.
func (s *Store) Abandon(ctx context.Context, id string, now time.Time) error {
	body, err := json.Marshal(envelope{Abandoned: &now})
	if err != nil {
		return fmt.Errorf("encode the end of run %s: %w", id, err)
	}
	_, err = s.putConditional(ctx, manifestKey(id), body, blob.Expect{})
	return err
}

// Get is one backup, or ErrNotFound.
func (s *Store) Get(ctx context.Context, id string) (Manifest, error) {
	if strings.ContainsAny(id, "/\\") || id == "" {
		return Manifest{}, ErrNotFound
	}
	body, info, err := s.get(ctx, manifestKey(id))
	if errors.Is(err, blob.ErrNotFound) {
		return Manifest{}, ErrNotFound
	}
	if err != nil {
		return Manifest{}, err
	}
	m, ok := s.decode(id, body)
	if !ok {
		return Manifest{}, ErrNotFound
	}
	m.etag = info.ETag
	return m, nil
}

// decode reads a manifest; false of a tombstone. One that is damaged is told as a backup that failed
// its verification, so that it is seen.
func (s *Store) decode(id string, body []byte) (Manifest, bool) {
	var e envelope
	var m Manifest
	err := json.Unmarshal(body, &e)
	if err == nil && e.Abandoned != nil && e.Manifest == nil {
		return m, false
	}
	if err == nil && hash(e.Manifest) == e.SHA256 && json.Unmarshal(e.Manifest, &m) == nil && m.ID == id {
		return s.believe(m, e), true
	}
	text, _, _ := strings.Cut(id, "-")
	at, _ := time.Parse(idTime, text) // one that is no time is the oldest
	return Manifest{ID: id, CreatedAt: at, Verification: &Verification{Error: "the manifest is damaged"}}, true
}

// believe is the manifest as it was signed, with what later looks at the backup found. It says whether it is to be
// believed.
func (s *Store) believe(m Manifest, e envelope) Manifest {
	m.core = signedCore{e.Signed, e.Signature}
	m.trust = s.signing.Check(signedAs, e.Signed, e.Signature)
	if m.trust != nil || e.Signature == "" {
		return m
	}
	var signed Manifest
	if err := json.Unmarshal(e.Signed, &signed); err != nil || signed.ID != m.ID {
		m.trust = sign.ErrForged // an older manifest under another name
		return m
	}
	signed.Verification, signed.Offsite, signed.core = m.Verification, m.Offsite, m.core
	return signed
}

// List is every backup, the newest first.
func (s *Store) List(ctx context.Context) ([]Manifest, error) {
	keys, err := s.keys(ctx, "manifests/")
	if err != nil {
		return nil, err
	}
	list := []Manifest{}
	for _, key := range keys {
		id := strings.TrimSuffix(strings.TrimPrefix(key, "manifests/"), ".json")
		m, err := s.Get(ctx, id)
		if errors.Is(err, ErrNotFound) {
			continue // a tombstone, or pruned meanwhile
		}
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b Manifest) int {
		if c := b.CreatedAt.Compare(a.CreatedAt); c != 0 {
			return c
		}
		return strings.Compare(b.ID, a.ID)
	})
	return list, nil
}
