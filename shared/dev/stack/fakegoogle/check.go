package fakegoogle

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxBody bounds a request's body.
const maxBody = 1 << 20

// object is a JSON object.
type object = map[string]any

// call is a request that was checked.
type call struct {
	id     string
	method method
	path   map[string]string
	query  url.Values
	body   object
	user   *user
	grant  *grant
	match  string // If-Match
	none   string // If-None-Match
}

// text, flag and number read a query parameter, which was checked.
func (c *call) text(name string) string { return c.query.Get(name) }
func (c *call) flag(name string) bool   { return c.query.Get(name) == "true" }
func (c *call) number(name string, usual int) int {
	if n, err := strconv.Atoi(c.query.Get(name)); err == nil {
		return n
	}
	return usual
}

// problem is an answer that is an error.
type problem struct {
	status  int
	reason  string
	message string
}

func (p *problem) Error() string { return fmt.Sprintf("%d %s: %s", p.status, p.reason, p.message) }

// refuse is a broken rule.
func refuse(format string, args ...any) *problem {
	return &problem{http.StatusBadRequest, "invalid", fmt.Sprintf(format, args...)}
}

// writeProblem answers an error in Google's form.
func writeProblem(w http.ResponseWriter, p *problem) {
	domain := "global"
	switch p.reason {
	case "rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "calendarUsageLimitsExceeded":
		domain = "usageLimits"
	}
	writeJSON(w, p.status, object{"error": object{
		"code": p.status, "message": p.message,
		"errors": []object{{"domain": domain, "reason": p.reason, "message": p.message}},
	}})
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // the caller hung up
}

// read checks a request against the facts.
func read(r *http.Request) (*call, *problem) {
	segments, err := segmentsOf(r.URL)
	if err != nil {
		return nil, refuse("the path is not well encoded")
	}
	id, values, pathKnown := known().route(r.Method, segments)
	if id == "" {
		if pathKnown {
			return nil, &problem{http.StatusMethodNotAllowed, "httpMethodNotAllowed", "no method " + r.Method + " at this path"}
		}
		return nil, &problem{http.StatusNotFound, "notFound", "no such path"}
	}
	c := &call{id: id, method: known().Methods[id], path: values, match: r.Header.Get("If-Match"), none: r.Header.Get("If-None-Match")}
	if c.query, err = url.ParseQuery(r.URL.RawQuery); err != nil {
		return c, refuse("the query is not well encoded")
	}
	if p := c.checkParams(); p != nil {
		return c, p
	}
	return c, c.readBody(r)
}

// segmentsOf splits the path below the API's root before it decodes: an id may hold a slash.
func segmentsOf(u *url.URL) ([]string, error) {
	segments := strings.Split(strings.TrimPrefix(u.EscapedPath(), "/calendar/v3/"), "/")
	for i, segment := range segments {
		decoded, err := url.PathUnescape(segment)
		if err != nil {
			return nil, err
		}
		segments[i] = decoded
	}
	return segments, nil
}

func (c *call) checkParams() *problem {
	for name, values := range c.query {
		p, ok := c.method.Params[name]
		if !ok || p.In != "query" {
			if p, ok = known().Common[name]; !ok {
				return refuse("unknown parameter %q", name)
			}
		}
		if len(values) > 1 && !p.Repeated {
			return refuse("parameter %q is given %d times", name, len(values))
		}
		for _, value := range values {
			if err := p.check(value); err != nil {
				return refuse("parameter %q: %v", name, err)
			}
		}
	}
	for name, p := range c.method.Params {
		if p.Required && p.In == "query" && !c.query.Has(name) {
			return &problem{http.StatusBadRequest, "required", fmt.Sprintf("parameter %q is missing", name)}
		}
	}
	return nil
}

// check holds a value against the parameter's type.
func (p param) check(value string) error {
	if len(p.Enum) > 0 && !slices.Contains(p.Enum, value) {
		return fmt.Errorf("%q is none of %s", value, strings.Join(p.Enum, ", "))
	}
	switch p.Type {
	case "boolean":
		if value != "true" && value != "false" {
			return fmt.Errorf("%q is not true or false", value)
		}
	case "integer":
		n, err := strconv.ParseInt(value, 10, 32)
		if err != nil {
			return fmt.Errorf("%q is not a whole number", value)
		}
		if low, err := strconv.ParseInt(p.Min, 10, 64); err == nil && n < low {
			return fmt.Errorf("%d is below %d", n, low)
		}
		if high, err := strconv.ParseInt(p.Max, 10, 64); err == nil && n > high {
			return fmt.Errorf("%d is above %d", n, high)
		}
	}
	if p.Format == "date-time" {
		if _, err := time.Parse(time.RFC3339, value); err != nil {
			return fmt.Errorf("%q is not an RFC 3339 time with an offset", value)
		}
	}
	return nil
}

func (c *call) readBody(r *http.Request) *problem {
	data, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil || len(data) > maxBody {
		return refuse("the body cannot be read, or is too large")
	}
	if c.method.Body == "" {
		if len(data) > 0 {
			return refuse("%s takes no body", c.id)
		}
		return nil
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return refuse("the body's type is not application/json")
	}
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	decoder.UseNumber()
	if err := decoder.Decode(&c.body); err != nil || c.body == nil {
		return &problem{http.StatusBadRequest, "parseError", "the body is not a JSON object"}
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return &problem{http.StatusBadRequest, "parseError", "the body has more after its object"}
	}
	schema := known().Schemas[c.method.Body]
	if err := schema.check(c.method.Body, c.body); err != nil {
		return refuse("%v", err)
	}
	for name, f := range schema.Fields {
		if slices.Contains(f.Required, c.id) && c.body[name] == nil {
			return &problem{http.StatusBadRequest, "required", fmt.Sprintf("%s.%s is missing", c.method.Body, name)}
		}
	}
	return nil
}

// check holds a JSON value against the field. A null stands for "not there" in any field.
func (f field) check(at string, value any) error {
	if value == nil {
		return nil
	}
	if f.Ref != "" {
		return known().Schemas[f.Ref].check(at, value)
	}
	switch f.Type {
	case "object":
		return f.checkObject(at, value)
	case "array":
		list, ok := value.([]any)
		if !ok {
			return fmt.Errorf("%s is not an array", at)
		}
		for i, item := range list {
			if err := f.Items.check(fmt.Sprintf("%s[%d]", at, i), item); err != nil {
				return err
			}
			if item == nil {
				return fmt.Errorf("%s[%d] is null", at, i)
			}
		}
		return nil
	}
	return f.checkSimple(at, value)
}

func (f field) checkObject(at string, value any) error {
	members, ok := value.(object)
	if !ok {
		return fmt.Errorf("%s is not an object", at)
	}
	for name, member := range members {
		of, ok := f.Fields[name]
		if !ok {
			if f.Values == nil {
				return fmt.Errorf("unknown field %s.%s", at, name)
			}
			of = *f.Values
		}
		if err := of.check(at+"."+name, member); err != nil {
			return err
		}
	}
	return nil
}

func (f field) checkSimple(at string, value any) error {
	switch f.Type {
	case "string":
		text, ok := value.(string)
		if !ok {
			return fmt.Errorf("%s is not a string", at)
		}
		if len(f.Enum) > 0 && !slices.Contains(f.Enum, text) {
			return fmt.Errorf("%s: %q is none of %s", at, text, strings.Join(f.Enum, ", "))
		}
	case "boolean":
		if _, ok := value.(bool); !ok {
			return fmt.Errorf("%s is not true or false", at)
		}
	case "integer":
		number, ok := value.(json.Number)
		if !ok {
			return fmt.Errorf("%s is not a number", at)
		}
		if _, err := strconv.ParseInt(number.String(), 10, 32); err != nil {
			return fmt.Errorf("%s: %s is not a whole number of 32 bits", at, number)
		}
	default:
		return fmt.Errorf("%s has a type that this server does not know: %q", at, f.Type)
	}
	return nil
}
