package ratelimit

import (
	"context"
	"net/http"
	"net/netip"
	"sync/atomic"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/faas"
)

// attemptKey marks the context of a request that may sign somebody in.
type attemptKey struct{}

// markAttempt lets the handler of r tell that a sign-in failed. It changes r itself, which learns its route later.
func markAttempt(r *http.Request) *atomic.Bool {
	failed := new(atomic.Bool)
	*r = *r.WithContext(context.WithValue(r.Context(), attemptKey{}, failed))
	return failed
}

// SignInFailed counts the request being served as a sign-in that failed: after some of these its address is blocked. A
// wrong admin token, and a way back from Google that was not begun here, are counted without it.
func SignInFailed(ctx context.Context) {
	if failed, ok := ctx.Value(attemptKey{}).(*atomic.Bool); ok {
		failed.Store(true)
	}
}

// failedSignIn says of an answer that its request tried a wrong token, or came back from a sign-in that nobody began.
func failedSignIn(r *http.Request, route string, status int) bool {
	if route == "/api/auth/google/callback" {
		return status == api.Status(api.SignInFailed)
	}
	return status == http.StatusUnauthorized && r.Header.Get("Authorization") != ""
}

// subjects are those whose failures a caller's count for. With a session these are the session, and all that comes from
// its address; without one the address without sessions, whose failures count in both cases.
func (g *Guard) subjects(who caller) []subject {
	now, most := g.now(), g.limits.SignIn.Count
	address := g.names.log("address", who.address, now)
	all := []subject{g.subject("network", who.address, address, most*g.limits.Address), g.subject("address", who.address, address, most)}
	if who.owner != "" {
		all = append(all, g.subject("session", who.owner, g.names.log("owner", who.owner, now), most))
	}
	return all
}

func (g *Guard) subject(of, value, log string, most int) subject {
	return subject{id: g.names.bucket("sign-in "+of, value), of: of, log: log, most: most}
}

// blocking are those of a caller's subjects whose block stops it: a session's own, not what others at its address did
// without one.
func blocking(subjects []subject) []subject {
	if len(subjects) == 3 {
		return []subject{subjects[0], subjects[2]}
	}
	return subjects
}

// Blocks lists who may not sign in for a while.
func (g *Guard) Blocks(ctx context.Context) ([]Block, error) { return g.blocks.list(ctx, g.now()) }

// Lift ends a block, which may be named by its ID or by the address that is blocked. It says whether there was one.
func (g *Guard) Lift(ctx context.Context, name string) (found bool, err error) {
	ids := []string{name}
	if address, err := netip.ParseAddr(name); err == nil {
		ids = ids[:0]
		for _, s := range g.subjects(caller{address: faas.ClientNetwork(address).String()}) {
			ids = append(ids, s.id)
		}
	}
	return g.blocks.lift(ctx, ids, g.now())
}
