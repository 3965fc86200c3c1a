package ratelimit

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/faas"
	"github.com/schedgen/schedgen/shared/secret"
)

// attemptKey marks the context of a request that may sign somebody in.
type attemptKey struct{}

// markAttempt lets the handler of r tell that a sign-in failed. It changes r itself, which learns its route later.
func markAttempt(r *http.Request) *atomic.Bool {
	failed := new(atomic.Bool)
	*r = *r.WithContext(context.WithValue(r.Context(), attemptKey{}, failed))
	return failed
}

// SignInFailed counts the request being served as a sign-in that failed: after some of these its caller is blocked. A
// wrong token is counted without it.
func SignInFailed(ctx context.Context) {
	if failed, ok := ctx.Value(attemptKey{}).(*atomic.Bool); ok {
		failed.Store(true)
	}
}

// Tokens are the secrets that requests of programs carry.
type Tokens struct {
	Open  []string      // paths that need none
	Event secret.String // of events and tasks
	Admin secret.String // of operators, and of tasks
}

// WithTokens says what a right token is: another one is a guess.
func (g *Guard) WithTokens(t Tokens) *Guard {
	g.tokens = t
	return g
}

// guesses says whether a request may try a secret that it does not know.
func (g *Guard) guesses(r *http.Request, class class, route string) bool {
	switch {
	case route == "/api/auth/google/callback":
		return true
	case !api.SendsBearer(r) || class == signIn && !strings.HasPrefix(route, "/api/admin/"):
		return false
	}
	return !api.Bears(r, g.tokens.Admin)
}

// failedSignIn says of an answer that its request tried a wrong token.
func failedSignIn(route string, status int) bool {
	return route != "/api/auth/google/callback" && status == http.StatusUnauthorized
}

// subjects are those whose failures a caller's count for. With a session these are the session, and all that comes from
// its address; without one the address without sessions, whose failures count in both cases.
func (g *Guard) subjects(who *Caller, now time.Time) []subject {
	most := g.limits.SignIn.Count
	address := g.names.log("address", who.address, now)
	all := []subject{
		g.subject("network", who.address, address, most*g.limits.Address),
		g.subject("address", who.address, address, most),
	}
	if who.owner != "" {
		// What others at its address did without a session does not stop it.
		all[1].innocent = true
		all = append(all, g.subject("session", who.owner, g.names.log("owner", who.owner, now), most))
	}
	return all
}

func (g *Guard) subject(of, value, log string, most int) subject {
	return subject{id: g.names.bucket("sign-in "+of, value), of: of, log: log, most: most}
}

// Blocks lists who may not sign in for a while.
func (g *Guard) Blocks(ctx context.Context) ([]Block, error) { return g.blocks.list(ctx, g.now()) }

// Lift ends a block, which may be named by its ID or by the address that is blocked. It says whether there was one.
func (g *Guard) Lift(ctx context.Context, name string) (found bool, err error) {
	ids, now := []string{name}, g.now()
	if address, err := netip.ParseAddr(name); err == nil {
		ids = ids[:0]
		for _, s := range g.subjects(&Caller{address: faas.ClientNetwork(address).String()}, now) {
			ids = append(ids, s.id)
		}
	}
	return g.blocks.lift(ctx, ids, now)
}
