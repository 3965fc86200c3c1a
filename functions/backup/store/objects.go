package store

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/secret"
)

// Namer names objects by their content, under a key: who has the bucket and a PDF must not find out
// whether that PDF is in it. Another key gives other names, and all is stored again, once.
type Namer struct{ key []byte }

// NewNamer derives the key from a secret that is not in the bucket.
func NewNamer(from secret.String) (Namer, error) {
	key, err := hkdf.Key(sha256.New, []byte(from.Reveal()), nil, "schedgen backup object names", 32)
	if err != nil {
		return Namer{}, fmt.Errorf("derive the key of object names: %w", err)
	}
	return Namer{key}, nil
}

// Name is the name of content with that SHA-256.
func (n Namer) Name(sum [sha256.Size]byte) string {
	mac := hmac.New(sha256.New, n.key)
	mac.Write(sum[:])
	return hex.EncodeToString(mac.Sum(nil))
}

const objectsPrefix = "objects/"

func objectKey(name string) string { return objectsPrefix + name[:2] + "/" + name }

// validName keeps what is read from a bucket from naming anything else.
func validName(name string) bool {
	raw, err := hex.DecodeString(name)
	return err == nil && len(raw) == sha256.Size
}

// hashMeta holds the SHA-256 of a sealed object, beside it: encryption makes it another each time it is stored.
const hashMeta = "Sha256"

// PutObject stores a sealed object.
func (s *Store) PutObject(ctx context.Context, name string, sealed []byte) error {
	return s.put(ctx, objectKey(name), sealed, "application/octet-stream", map[string]string{hashMeta: hash(sealed)})
}

// GetObject reads a sealed object and checks it against the hash that was stored with it.
func (s *Store) GetObject(ctx context.Context, name string) ([]byte, error) {
	if !validName(name) {
		return nil, &DamagedError{"the name " + name, "it is none of an object"}
	}
	body, info, err := s.get(ctx, objectKey(name))
	switch {
	case errors.Is(err, blob.ErrNotFound):
		return nil, &DamagedError{objectKey(name), "it is missing"}
	case err != nil:
		return nil, err
	case info.Meta[hashMeta] != hash(body):
		return nil, &DamagedError{objectKey(name), "its hash differs"}
	}
	return body, nil
}

// Objects are the names of all stored objects.
func (s *Store) Objects(ctx context.Context) (map[string]bool, error) {
	keys, err := s.keys(ctx, objectsPrefix)
	if err != nil {
		return nil, err
	}
	names := make(map[string]bool, len(keys))
	for _, key := range keys {
		names[key[strings.LastIndexByte(key, '/')+1:]] = true
	}
	return names, nil
}
