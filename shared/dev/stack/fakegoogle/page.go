package fakegoogle

import (
	"html/template"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// pages are small and need no script.
var pages = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("").Parse(`
{{define "top"}}<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{.}}</title>
<style>body{font:16px/1.5 sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}fieldset{margin:1rem 0}button{font:inherit;padding:.4rem 1rem}table{border-collapse:collapse}td,th{padding:.2rem .8rem .2rem 0;text-align:left;vertical-align:top}</style>
<p><strong>This is not Google.</strong> It is a stand-in on this machine, to try things with.</p><h1>{{.}}</h1>{{end}}
{{define "sign-in"}}{{template "top" "Sign in"}}
<form method="post" action="{{.Action}}"><input type="hidden" name="request" value="{{.Request}}"><input type="hidden" name="choosing" value="1">
<fieldset><legend>Who are you?</legend>{{range $i, $u := .Users}}<label><input type="radio" name="email" value="{{$u.Email}}"{{if eq $i 0}} checked{{end}}> {{$u.Name}} ({{$u.Email}})</label><br>{{end}}</fieldset>
{{if .Scopes}}<fieldset><legend>{{.Client}} wants to</legend>{{range .Scopes}}<label><input type="checkbox" name="scope" value="{{.}}" checked> {{.}}</label><br>{{end}}</fieldset>{{end}}
<button name="answer" value="allow">Allow</button> <button name="answer" value="deny">Cancel</button></form>{{end}}
{{define "wrong"}}{{template "top" "Access blocked"}}<p>The request is not valid: {{.}}</p>{{end}}
{{define "overview"}}{{template "top" "Calendars"}}{{range .}}<h2>{{.Summary}}</h2>{{if .Events}}<table><tr><th>What<th>Starts<th>Where<th>Repeats</tr>
{{range .Events}}<tr><td>{{.Summary}}<td>{{.Start}}<td>{{.Location}}<td>{{.Repeats}}</tr>{{end}}</table>{{else}}<p>No events.</p>{{end}}{{else}}<p>Nobody has a calendar.</p>{{end}}{{end}}`))
})

func render(w http.ResponseWriter, status int, name string, value any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'")
	w.WriteHeader(status)
	_ = pages().ExecuteTemplate(w, name, value) // the reader hung up
}

// authorizePage asks who the person is and what they allow.
func (s *Server) authorizePage(w http.ResponseWriter, r *http.Request) {
	a, wrong := s.readAuthorization(r.URL.Query())
	if wrong != "" {
		s.violated(r, wrong)
		s.wrongPage(w, wrong)
		return
	}
	asked := slices.DeleteFunc(slices.Clone(a.scopes), func(scope string) bool { return !strings.HasPrefix(scope, calendarScopes) })
	render(w, http.StatusOK, "sign-in", map[string]any{
		"Action": s.cfg.BaseURL + "/o/oauth2/v2/auth", "Request": r.URL.RawQuery, "Users": s.cfg.Users, "Client": a.client.Name, "Scopes": asked,
	})
}

func (s *Server) wrongPage(w http.ResponseWriter, wrong string) {
	render(w, http.StatusBadRequest, "wrong", wrong)
}

// shown is a calendar on the overview.
type shown struct {
	Summary string
	Events  []shownEvent
}

type shownEvent struct{ Summary, Start, Location, Repeats string }

// overview shows what is in everybody's calendars.
func (s *Server) overview(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	var all []shown
	for _, id := range sorted(s.calendars) {
		a := s.calendars[id]
		calendar := shown{Summary: a.summary}
		for _, e := range a.inOrder() {
			if !e.cancelled() {
				calendar.Events = append(calendar.Events, showEvent(e.value))
			}
		}
		all = append(all, calendar)
	}
	s.mu.Unlock()
	render(w, http.StatusOK, "overview", all)
}

func showEvent(e object) shownEvent {
	start, _ := e["start"].(object)
	at := text(start, "dateTime")
	if at == "" {
		at = text(start, "date")
	}
	lines, _ := e["recurrence"].([]any)
	repeats := make([]string, 0, len(lines))
	for _, line := range lines {
		if rule, ok := line.(string); ok && strings.HasPrefix(rule, "RRULE:") {
			repeats = append(repeats, strings.TrimPrefix(rule, "RRULE:"))
		}
	}
	return shownEvent{text(e, "summary"), at, text(e, "location"), strings.Join(repeats, " ")}
}
