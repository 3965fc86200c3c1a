// Package fakegoogle is a Google Calendar and a Google sign-in to test and to try with: it keeps what it
// is told, and refuses what Google's own description of its API does not allow.
//
// Every request is checked against facts taken from the description (see facts.go): an unknown path,
// parameter, field or value, a wrong type or a missing parameter is a 400, and so is what breaks the rules
// that the description gives only in words (see rules.go). Each such request is also noted, see
// [Server.Violations], so that a test can fail on it whatever the client made of the answer.
//
// Events are stored, listed in pages, filtered, and their series expanded; etags hold as preconditions.
// What goes wrong at the real Google happens here on demand: see [Server.Inject], [Server.ExpireTokens],
// [Server.RevokeAll].
//
// It is no part of a production system: its sign-in page lets anyone be any person.
package fakegoogle

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// User is a person who can sign in.
type User struct {
	Email   string
	Name    string // "A Student": the first word is the given name, the rest the family's
	Picture string // an address
}

// Client is a program that people can sign in to.
type Client struct {
	ID        string
	Secret    string
	Name      string
	Redirects []string // exact addresses
}

// Config is who may do what at a Server.
type Config struct {
	BaseURL string // how the server is reached from outside, without a slash at the end
	Users   []User
	Clients []Client
	Now     func() time.Time // time.Now if nil
	// TokenLife is how long an access token holds; an hour if 0.
	TokenLife time.Duration
}

// Server is one Google. It is an http.Handler and safe for concurrent use. What it holds is in memory.
type Server struct {
	cfg     Config
	mux     *http.ServeMux
	signing *rsa.PrivateKey

	mu         sync.Mutex
	users      []*user
	calendars  map[string]*calendarState
	codes      map[string]*code
	access     map[string]*grant
	refresh    map[string]*grant
	agreed     map[string]bool // user and client: agreed to before
	faults     []*Fault
	violations []string
	calls      []Call
	changes    int64 // counts every change, for etags and sync tokens
}

// user is a person and the calendars in their list.
type user struct {
	User
	subject string
	list    []*listEntry
}

// listEntry is a calendar in a person's list.
type listEntry struct {
	calendarState *calendarState
	role          string
}

// Call is one request to the Calendar API that was understood as far as its method.
type Call struct {
	Method string // such as calendar.events.insert
	Status int
	Path   string
}

// New makes a Server. It fails only for want of random numbers.
func New(cfg Config) (*Server, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.TokenLife <= 0 {
		cfg.TokenLife = time.Hour
	}
	cfg.BaseURL = strings.TrimSuffix(cfg.BaseURL, "/")
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("make a signing key: %w", err)
	}
	s := &Server{
		cfg: cfg, mux: http.NewServeMux(), signing: key,
		calendars: map[string]*calendarState{}, codes: map[string]*code{}, access: map[string]*grant{}, refresh: map[string]*grant{},
		agreed: map[string]bool{},
	}
	for i, u := range cfg.Users {
		person := &user{User: u, subject: fmt.Sprintf("1%020d", i+1)}
		s.users = append(s.users, person)
		s.addCalendar(person, u.Email, u.Email, "Africa/Johannesburg", "")
	}
	s.mux.HandleFunc("/calendar/v3/", s.serveCalendar)
	s.signInRoutes()
	return s, nil
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Issuer is where OpenID discovery begins.
func (s *Server) Issuer() string { return s.cfg.BaseURL }

// CalendarURL is the root of the Calendar API.
func (s *Server) CalendarURL() string { return s.cfg.BaseURL + "/calendar/v3/" }

// Violations are the requests that broke a rule, each with the rule.
func (s *Server) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.violations...)
}

// Calls are the requests to the Calendar API so far, in their order.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.calls...)
}

// Writes counts the successful calls that changed an event or a calendar.
func (s *Server) Writes() int {
	n := 0
	for _, call := range s.Calls() {
		if call.Status < 300 && known().Methods[call.Method].HTTP != http.MethodGet {
			n++
		}
	}
	return n
}

// Forget empties Calls and Violations.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls, s.violations = nil, nil
}

// violated notes a request that broke a rule.
func (s *Server) violated(r *http.Request, rule string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	const most = 1000
	if len(s.violations) < most {
		s.violations = append(s.violations, r.Method+" "+r.URL.Path+": "+rule)
	}
}
