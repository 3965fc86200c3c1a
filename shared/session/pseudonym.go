package session

import (
	"crypto/hmac"
	"crypto/sha256"

	"github.com/google/uuid"
)

// Pseudonym is a name for what must not be stored itself, such as an address. Only who has the key can tell what it
// names; with the key it changes.
func (s *Sessions) Pseudonym(of string) string {
	mac := hmac.New(sha256.New, []byte(s.keys[0].Reveal()))
	mac.Write([]byte("pseudonym " + of)) // no token begins like this
	return uuid.UUID(mac.Sum(nil)[:16]).String()
}
