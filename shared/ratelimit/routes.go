package ratelimit

import (
	"net/http"
	"strings"
	"sync"
)

// class is what a request costs, and so which limits it meets.
type class int

const (
	client class = iota // anything that asks the database for something
	status              // asking how a job or a sync goes: repeated by design, so it uses up nothing else
	uploads
	feeds  // calendar programs, many of them behind few addresses
	signIn // what a wrong answer or token is tried at
	health // what anyone may ask for, and of which the admin token shows more
	tokens // what other parts of the system send: with their token as much as they like
	exempt // files of the page
)

// routes are all that callers may ask for, by their patterns.
var routes = map[string]class{
	"POST /api/upload": uploads,
	"POST /upload":     uploads,

	"GET /api/jobs/{id}":            status,
	"GET /upload/{id}":              status,
	"GET /api/calendars/syncs/{id}": status,

	"GET /api/feeds/{token}": feeds,

	"GET /api/auth/google":                     signIn,
	"GET /api/auth/google/callback":            signIn,
	"GET /api/admin/backups":                   signIn,
	"POST /api/admin/backups":                  signIn,
	"GET /api/admin/backups/{id}":              signIn,
	"POST /api/admin/backups/{id}/verify":      signIn,
	"GET /api/admin/dead-letters":              signIn,
	"DELETE /api/admin/dead-letters/{id}":      signIn,
	"POST /api/admin/dead-letters/{id}/replay": signIn,
	"GET /api/admin/limits":                    signIn,
	"DELETE /api/admin/limits/{id}":            signIn,
	"GET /api/jobs/metrics":                    client,
	"GET /api/jobs/{id}/result":                client,
	"DELETE /api/jobs/{id}":                    client,
	"GET /api/me":                              client,
	"DELETE /api/me":                           client,
	"GET /api/me/calendar.ics":                 client,
	"GET /api/timetable":                       client,
	"GET /api/storage/usage":                   client,
	"POST /api/generate/ics":                   client,
	"GET /api/feeds":                           client,
	"POST /api/feeds":                          client,
	"PUT /api/feeds/{token}":                   client,
	"DELETE /api/feeds/{token}":                client,
	"GET /api/years":                           client,
	"GET /api/years/{year}":                    client,
	"GET /api/openapi.json":                    client,
	"GET /api/health":                          health,
	"GET /api/auth/status":                     client,
	"POST /api/auth/logout":                    client,
	"DELETE /api/auth/sessions":                client,
	"GET /api/calendars":                       client,
	"POST /api/calendars":                      client,
	"POST /api/calendars/events":               client,
	"DELETE /api/calendars/events":             client,
	"POST /api/calendars/follow":               client,
	"GET /api/calendars/syncs":                 client,
	"GET /{$}":                                 exempt,
	"GET /assets/":                             exempt,
	"GET /icons/":                              exempt,
	"GET /sw.js":                               exempt,
	"GET /manifest.webmanifest":                exempt,
	"POST /{$}":                                tokens,
	"POST /events/":                            tokens,
	"POST /tasks/":                             tokens,
}

// otherRoute is the route of what no pattern matches, such as a wrong address: it is limited as others are.
const otherRoute = "other"

// table is made with the first request, of which a program that is no server has none.
var table = sync.OnceValue(func() *http.ServeMux {
	mux := http.NewServeMux()
	for pattern := range routes {
		mux.Handle(pattern, http.NotFoundHandler())
	}
	return mux
})

// classify is the route of a request, without its method, and its class.
func classify(r *http.Request) (route string, of class) {
	if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
		return otherRoute, exempt // a browser's question, which no page can repeat at will
	}
	_, pattern := table().Handler(r)
	if of, ok := routes[pattern]; ok {
		_, route, _ := strings.Cut(pattern, " ")
		return route, of
	}
	return otherRoute, client
}
