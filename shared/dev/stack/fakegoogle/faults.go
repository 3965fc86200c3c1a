package fakegoogle

import (
	"net/http"
	"strconv"
	"time"

	"github.com/schedgen/schedgen/shared/retry"
)

// Fault is something that goes wrong. The zero value of a field matches all, or does nothing.
type Fault struct {
	Method string // such as calendar.events.insert
	Skip   int    // so many matching calls go well first
	Times  int    // so many calls go wrong; 0 is one, below 0 is all
	// Status and Reason are answered: 403 rateLimitExceeded, 429, 503...
	Status     int
	Reason     string
	RetryAfter int           // seconds, in the answer
	Delay      time.Duration // before anything else: a slow answer
	// Late lets the call do its work first: the answer is what gets lost.
	Late bool
	// Then is called with the fault, outside of any lock; it may change what the server holds.
	Then func()
}

// Inject makes calls go wrong from now on.
func (s *Server) Inject(f Fault) {
	if f.Times == 0 {
		f.Times = 1
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
}

// Heal ends all faults.
func (s *Server) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// fault is the one that the call meets, or nil.
func (s *Server) fault(method string) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		if f.Times == 0 || f.Method != "" && f.Method != method {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		if f.Times > 0 {
			f.Times--
		}
		met := *f
		return &met
	}
	return nil
}

// apply lets a fault happen. It says whether the call is over.
func (f *Fault) apply(w http.ResponseWriter, r *http.Request) bool {
	_ = retry.Wait(r.Context(), f.Delay) // ends early if the caller hangs up
	if f.Then != nil {
		f.Then()
	}
	if f.Status == 0 {
		return false
	}
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(f.RetryAfter))
	}
	writeProblem(w, &problem{f.Status, f.Reason, "made to happen"})
	return true
}

// ExpireTokens ends every access token. A program with a refresh token can get another.
func (s *Server) ExpireTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.access)
}

// RevokeAll ends every token, as a person does who removes a program's access.
func (s *Server) RevokeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.access)
	clear(s.refresh)
}
