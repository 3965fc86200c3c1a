package s3

import (
	"net"
	"net/http"
	"sync"
)

// unused are connections on which no request came yet. A client that opens several at once keeps
// some of them for later, and http.Server.Shutdown waits seconds for what they might still ask.
type unused struct {
	mu    sync.Mutex
	conns map[net.Conn]struct{}
	ended bool
}

// note is the server's ConnState.
func (u *unused) note(conn net.Conn, state http.ConnState) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case state != http.StateNew:
		delete(u.conns, conn)
	case u.ended:
		_ = conn.Close() // nothing was sent on it
	default:
		if u.conns == nil {
			u.conns = map[net.Conn]struct{}{}
		}
		u.conns[conn] = struct{}{}
	}
}

// close ends those there are and those to come.
func (u *unused) close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.ended = true
	for conn := range u.conns {
		_ = conn.Close() // nothing was sent on it
	}
}
