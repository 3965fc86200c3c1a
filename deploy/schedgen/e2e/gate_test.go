package e2e_test

import (
	"context"
	"net"
	"sync"
	"testing"
)

// gate is a way to a server that can be shut: then no byte comes through, over connections that are open
// or new, and whoever waits for an answer waits on.
type gate struct {
	address string // host and port where it stands
	mu      sync.Mutex
	open    chan struct{} // closed: bytes flow
}

// dialer connects to what a gate leads to.
type dialer func(context.Context) (net.Conn, error)

// dialTo connects to an address of this machine.
func dialTo(address string) dialer {
	return func(ctx context.Context) (net.Conn, error) { return new(net.Dialer).DialContext(ctx, "tcp", address) }
}

// newGate is a gate on a free port to a server on another.
func newGate(t *testing.T, to string) *gate {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return gateAt(t, listener, dialTo(to))
}

// gateAt stands where listener listens, until the test ends.
func gateAt(t *testing.T, listener net.Listener, to dialer) *gate {
	t.Helper()
	g := &gate{address: listener.Addr().String(), open: make(chan struct{})}
	close(g.open)
	ctx, cancel := context.WithCancel(context.Background()) // what stops after the test's own context still needs it
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // the end
			}
			all.Go(func() { g.carry(ctx, conn, to) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close() // nobody comes any more
		cancel()
		all.Wait()
	})
	return g
}

// carry is one connection, until both sides have ended it.
func (g *gate) carry(ctx context.Context, near net.Conn, to dialer) {
	defer near.Close()
	far, err := to(ctx)
	if err != nil {
		return // near sees the end of its connection
	}
	defer far.Close()
	defer context.AfterFunc(ctx, func() {
		_ = near.Close()
		_ = far.Close()
	})()
	var both sync.WaitGroup
	both.Go(func() { g.pass(ctx, far, near) })
	both.Go(func() { g.pass(ctx, near, far) })
	both.Wait()
}

// pass carries bytes one way, and their end.
func (g *gate) pass(ctx context.Context, to, from net.Conn) {
	buffer := make([]byte, 4<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			g.wait(ctx)
			if _, err := to.Write(buffer[:n]); err != nil {
				_ = from.Close() // nobody is there to read what it sends
				return
			}
		}
		if err != nil {
			_ = to.(*net.TCPConn).CloseWrite() // it may be closed already
			return
		}
	}
}

func (g *gate) wait(ctx context.Context) {
	g.mu.Lock()
	open := g.open
	g.mu.Unlock()
	select {
	case <-open:
	case <-ctx.Done():
	}
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.open:
		g.open = make(chan struct{})
	default: // it is shut, and somebody waits for that channel
	}
}

func (g *gate) lift() {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.open:
	default:
		close(g.open)
	}
}
