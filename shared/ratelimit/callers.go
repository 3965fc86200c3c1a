package ratelimit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"net/netip"
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

// caller is who sent a request.
type caller struct {
	owner   string // of the session; empty without one
	address string // of IPv6 the /64
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

// attributes are the caller in a line of the log.
func (n *names) attributes(c caller, now time.Time) []slog.Attr {
	all := []slog.Attr{slog.String("client", n.log("address", c.address, now))}
	if c.owner != "" {
		all = append(all, slog.String("owner", n.log("owner", c.owner, now)))
	}
	return all
}

func (n *names) caller(r *http.Request, address netip.Addr) caller {
	owner, _ := n.callers.SignedOwner(r)
	return caller{owner: owner, address: address.String()}
}

// keepsCookies says whether a request is a browser's (Fetch Metadata, or the Origin of a form): it sends the next one
// with the cookie that it is given now.
func keepsCookies(r *http.Request) bool {
	return r.Header.Get("Sec-Fetch-Mode") != "" || r.Header.Get("Origin") != ""
}
