// Package sign lets nobody forge a backup who can only write to its bucket: backups are encrypted to public keys, so
// anybody can encrypt. The signing key (Ed25519, RFC 8032) is known to the function and not to the bucket; to verify
// and restore, the public key is enough.
//
// A signature is over a document's bytes and a purpose, so that a document of one kind is none of another.
package sign

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/schedgen/schedgen/shared/secret"
)

// Keys sign and check. Without any, nothing is signed and everything passes.
type Keys struct {
	private secret.String // an ed25519.PrivateKey
	public  []ed25519.PublicKey
}

// ErrUnsigned means that a document has no signature although keys are configured.
var ErrUnsigned = errors.New("it is not signed")

// ErrForged means that a signature is not by one of the known keys, or not of this document.
var ErrForged = errors.New("its signature is not by a key that is known here")

// ParseKeys reads the signing key, 32 random bytes as base64 (`openssl rand -base64 32`), and public keys. Both may be
// empty. The signing key's own public key is always known.
func ParseKeys(signing secret.String, public []string) (Keys, error) {
	var k Keys
	if text := strings.TrimSpace(signing.Reveal()); text != "" {
		seed, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(seed) != ed25519.SeedSize {
			return Keys{}, fmt.Errorf("BACKUP_SIGNING_KEY is not %d bytes as base64: make one with `openssl rand -base64 32`", ed25519.SeedSize)
		}
		private := ed25519.NewKeyFromSeed(seed)
		k.private = secret.New(string(private))
		k.public = append(k.public, private.Public().(ed25519.PublicKey))
	}
	for _, text := range public {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		key, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(key) != ed25519.PublicKeySize {
			return Keys{}, fmt.Errorf("BACKUP_VERIFY_KEYS: %q is not a public key: `backup key` prints it", text)
		}
		k.public = append(k.public, key)
	}
	return k, nil
}

// Known reports whether there is a key to check with.
func (k Keys) Known() bool { return len(k.public) > 0 }

// Public is the public key of the signing key, as text; empty without one.
func (k Keys) Public() string {
	if k.private.IsZero() {
		return ""
	}
	return base64.StdEncoding.EncodeToString(k.public[0])
}

func message(purpose string, document []byte) []byte {
	return append([]byte("schedgen backup "+purpose+"\n"), document...)
}

// Sign is the signature of a document; empty without a signing key.
func (k Keys) Sign(purpose string, document []byte) string {
	if k.private.IsZero() {
		return ""
	}
	return base64.StdEncoding.EncodeToString(ed25519.Sign(ed25519.PrivateKey(k.private.Reveal()), message(purpose, document)))
}

// Check returns ErrUnsigned or ErrForged unless one of the keys signed the document, or no key is known.
func (k Keys) Check(purpose string, document []byte, signature string) error {
	if !k.Known() {
		return nil
	}
	if signature == "" {
		return ErrUnsigned
	}
	raw, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		return ErrForged
	}
	for _, key := range k.public {
		if ed25519.Verify(key, message(purpose, document), raw) {
			return nil
		}
	}
	return ErrForged
}
