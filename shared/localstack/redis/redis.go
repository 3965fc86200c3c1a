// Package redis runs a Redis in this process (miniredis): enough for one machine, where what is in
// Redis may be lost with the process.
package redis

import (
	"fmt"

	"github.com/alicebob/miniredis/v2"
)

// Server is a running Redis.
type Server struct{ redis *miniredis.Miniredis }

// Start listens on addr; "127.0.0.1:0" takes a free port.
func Start(addr string) (*Server, error) {
	server := miniredis.NewMiniRedis()
	if err := server.StartAddr(addr); err != nil {
		return nil, fmt.Errorf("start the embedded Redis: %w", err)
	}
	return &Server{redis: server}, nil
}

// URL is the address for REDIS_URL.
func (s *Server) URL() string { return "redis://" + s.redis.Addr() + "/0" }

// Stop ends the server and its connections.
func (s *Server) Stop() { s.redis.Close() }
