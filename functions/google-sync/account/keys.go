package account

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/schedgen/schedgen/shared/secret"
)

// keySize is that of AES-256.
const keySize = 32

// ErrUnknownKey means that a text was encrypted with a key that is no longer configured.
var ErrUnknownKey = errors.New("account: sealed by a key that is not known here")

// ErrUnsealed means that a text is not what was encrypted: it was altered, or it belongs to another account.
var ErrUnsealed = errors.New("account: not what was sealed")

// Keys encrypts what must not be readable in the database or in a cookie. The first key encrypts and all decrypt, so
// that keys can change without an interruption. They are safe for concurrent use.
type Keys struct {
	current string
	sealers map[string]cipher.AEAD
}

// NewKey is a new key of that id, as ParseKeys reads it.
func NewKey(id string) (string, error) {
	if !validKeyID(id) {
		return "", fmt.Errorf("a key's id has up to 32 letters and digits, and %q does not", id)
	}
	key := make([]byte, keySize)
	rand.Read(key) // never fails
	return id + ":" + base64.StdEncoding.EncodeToString(key), nil
}

// ParseKeys reads keys as "id:base64 of 32 bytes". No error quotes a key.
func ParseKeys(texts []secret.String) (*Keys, error) {
	keys := &Keys{sealers: make(map[string]cipher.AEAD, len(texts))}
	for i, key := range texts {
		text := strings.TrimSpace(key.Reveal())
		if len(texts) == 1 && text == "" {
			break
		}
		id, encoded, ok := strings.Cut(text, ":")
		if !ok || !validKeyID(id) {
			return nil, fmt.Errorf("GOOGLE_TOKEN_KEYS: key %d is not of the form id:base64, with an id of up to 32 letters and digits", i+1)
		}
		key, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil || len(key) != keySize {
			return nil, fmt.Errorf("GOOGLE_TOKEN_KEYS: key %q is not base64 of %d bytes", id, keySize)
		}
		if keys.sealers[id] != nil {
			return nil, fmt.Errorf("GOOGLE_TOKEN_KEYS: two keys are named %q", id)
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, fmt.Errorf("GOOGLE_TOKEN_KEYS: key %q: %w", id, err)
		}
		// The nonce is random and travels in front: 2^32 seals a key, which no university reaches.
		if keys.sealers[id], err = cipher.NewGCMWithRandomNonce(block); err != nil {
			return nil, fmt.Errorf("GOOGLE_TOKEN_KEYS: key %q: %w", id, err)
		}
		if i == 0 {
			keys.current = id
		}
	}
	if keys.current == "" {
		return nil, errors.New("GOOGLE_TOKEN_KEYS: at least one key of the form id:base64 is needed")
	}
	return keys, nil
}

func validKeyID(id string) bool {
	for _, c := range []byte(id) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return id != "" && len(id) <= 32
}

// Current is the id of the key that seals.
func (k *Keys) Current() string { return k.current }

// Seal encrypts text so that it opens only under the same purpose: what is sealed for one account or
// cookie is of no use in another.
func (k *Keys) Seal(text, purpose string) (sealed []byte, keyID string) {
	return k.sealers[k.current].Seal(nil, nil, []byte(text), []byte(purpose)), k.current
}

// Open decrypts what Seal made.
func (k *Keys) Open(sealed []byte, keyID, purpose string) (string, error) {
	sealer, ok := k.sealers[keyID]
	if !ok {
		return "", ErrUnknownKey
	}
	text, err := sealer.Open(nil, nil, sealed, []byte(purpose))
	if err != nil {
		return "", ErrUnsealed
	}
	return string(text), nil
}
