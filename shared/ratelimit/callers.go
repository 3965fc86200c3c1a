package ratelimit

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"sync"
	"time"
)

// Callers knows the sessions of those who call: package session does.
type Callers interface {
	// SignedOwner is the owner whose session a request carries, by its signature alone.
	SignedOwner(r *http.Request) (owner string, ok bool)
	// Ensure is the caller's owner; a new one, whose cookie the header then gets, if there is none.
	Ensure(header http.Header, r *http.Request) (owner string)
	// Pseudonym is a keyed hash that all instances agree on.
	Pseudonym(of string) string
}

// strangers are callers without sessions, whose names hold for one process.
type strangers struct{ key []byte }

// NewStrangers are the callers of a function that knows no sessions and counts alone.
func NewStrangers() Callers {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // it never fails
	return strangers{key}
}

func (s strangers) SignedOwner(*http.Request) (string, bool) { return "", false }

func (s strangers) Ensure(http.Header, *http.Request) string { return "" }

func (s strangers) Pseudonym(of string) string {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(of))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// names of callers, for keys and logs: neither holds an address or an owner.
type names struct {
	callers Callers

	mu  sync.Mutex
	day string // of key
	key []byte
}

// bucket is a name that stays, for what is counted.
func (n *names) bucket(kind, of string) string {
	return n.callers.Pseudonym("limit " + kind + " " + of)
}

// log is a name that holds for a day (UTC), for logs: within a day a caller can be followed through them, and from one
// day to the next nobody can.
func (n *names) log(kind, of string, now time.Time) string {
	mac := hmac.New(sha256.New, n.dayKey(now))
	mac.Write([]byte(kind + " " + of))
	return hex.EncodeToString(mac.Sum(nil)[:8])
}

func (n *names) dayKey(now time.Time) []byte {
	day := now.UTC().Format(time.DateOnly)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.day != day {
		n.day, n.key = day, []byte(n.callers.Pseudonym("logs of "+day))
	}
	return n.key
}

// keepsCookies says whether a request is a browser's (Fetch Metadata, or the Origin of a form): it sends the next one
// with the cookie that it is given now.
func keepsCookies(r *http.Request) bool {
	return r.Header.Get("Sec-Fetch-Mode") != "" || r.Header.Get("Origin") != ""
}
