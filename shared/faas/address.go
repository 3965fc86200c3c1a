package faas

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
)

// Network is an address (10.0.0.1) or several (10.0.0.0/8).
type Network struct{ netip.Prefix }

// UnmarshalText reads either form.
func (n *Network) UnmarshalText(text []byte) error {
	if address, err := netip.ParseAddr(string(text)); err == nil {
		n.Prefix = netip.PrefixFrom(address, address.BitLen())
		return nil
	}
	prefix, err := netip.ParsePrefix(string(text))
	if err != nil {
		return fmt.Errorf("%q is neither an address nor a network such as 10.0.0.0/8", text)
	}
	n.Prefix = prefix.Masked()
	return nil
}

// proxies are those whose word on a caller's address is taken.
type proxies []Network

func (p proxies) trusted(a netip.Addr) bool {
	return slices.ContainsFunc(p, func(n Network) bool { return n.Contains(a) })
}

// client is the address that a request comes from: the last one in X-Forwarded-For that no trusted proxy has, as far
// as trusted proxies vouch for it. What a caller writes there himself stands before that, and is not believed.
func (p proxies) client(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	address := peer.Addr().Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && p.trusted(address); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		address = hop.Unmap()
	}
	return ClientNetwork(address)
}

type clientKey struct{}

// Client is the address that a request came from, of IPv6 its /64; not valid where addresses cannot be told apart.
func Client(ctx context.Context) netip.Addr {
	address, _ := ctx.Value(clientKey{}).(netip.Addr)
	return address
}

// ClientNetwork is what one client has of an address: of IPv6 a whole /64 (RFC 6177 gives each site no less).
func ClientNetwork(a netip.Addr) netip.Addr {
	a = a.Unmap()
	if a.Is6() {
		if prefix, err := a.Prefix(64); err == nil {
			return prefix.Addr()
		}
	}
	return a
}

// shares counts the requests of each address.
type shares struct {
	most int // 0: no limit
	mu   sync.Mutex
	of   map[netip.Addr]int
}

// take counts one request, unless the address has as many as it may.
func (s *shares) take(a netip.Addr) (free func(), ok bool) {
	if s.most <= 0 || !a.IsValid() {
		return func() {}, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of[a] >= s.most {
		return nil, false
	}
	s.of[a]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.of[a]--; s.of[a] == 0 {
			delete(s.of, a)
		}
	}, true
}

// perRequest is how many connections an address may have for each of its requests at once.
const perRequest = 4

// bounded is listener with a limit for each address that is no proxy: one connection too many is closed at once.
func (s *server) bounded(listener net.Listener) net.Listener {
	if s.cfg.PerAddress <= 0 {
		return listener
	}
	return &limitedListener{listener, s.proxies, &shares{most: perRequest * s.cfg.PerAddress, of: make(map[netip.Addr]int)}}
}

type limitedListener struct {
	net.Listener
	proxies proxies
	shares  *shares
}

func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		connection, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		peer, err := netip.ParseAddrPort(connection.RemoteAddr().String())
		if err != nil || l.proxies.trusted(peer.Addr().Unmap()) {
			return connection, nil
		}
		if free, ok := l.shares.take(ClientNetwork(peer.Addr())); ok {
			return &countedConn{connection, sync.OnceFunc(free)}, nil
		}
		_ = connection.Close() // nobody is owed an answer on it
	}
}

// countedConn counts itself out when it is closed.
type countedConn struct {
	net.Conn
	free func()
}

func (c *countedConn) Close() error {
	c.free()
	return c.Conn.Close()
}

// CloseWrite lets net/http end a refused connection in order.
func (c *countedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
