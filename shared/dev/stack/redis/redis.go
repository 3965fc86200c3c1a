// Package redis runs a Redis in this process (miniredis): enough for one machine, where what is in
// Redis may be lost with the process.
package redis

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// Server is a running Redis. Each has a password of its own, which only URL tells.
type Server struct {
	redis    *miniredis.Miniredis
	password string
	cancel   context.CancelFunc
	ended    chan struct{}
}

// Start listens on addr; "127.0.0.1:0" takes a free port.
func Start(addr string) (*Server, error) {
	server, password := miniredis.NewMiniRedis(), rand.Text()
	server.RequireAuth(password)
	if err := server.StartAddr(addr); err != nil {
		return nil, fmt.Errorf("start the embedded Redis: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{server, password, cancel, make(chan struct{})}
	go s.expire(ctx)
	return s, nil
}

// expireEvery is how late a key may be deleted.
const expireEvery = 100 * time.Millisecond

// expire lets the time of keys pass, which miniredis leaves to its caller: else none would ever be deleted.
func (s *Server) expire(ctx context.Context) {
	defer close(s.ended)
	tick := time.NewTicker(expireEvery)
	defer tick.Stop()
	for last := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := time.Now()
		s.redis.FastForward(now.Sub(last))
		last = now
	}
}

// URL is the address for REDIS_URL, with the password.
func (s *Server) URL() string {
	address := url.URL{Scheme: "redis", User: url.UserPassword("", s.password), Host: s.redis.Addr(), Path: "/0"}
	return address.String()
}

// Stop ends the server and its connections.
func (s *Server) Stop() {
	s.cancel()
	<-s.ended
	s.redis.Close()
}
