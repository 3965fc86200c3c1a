package readiness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/functions/backup"
	"github.com/schedgen/schedgen/functions/upload-ingest/checkup"
	"github.com/schedgen/schedgen/shared/secret"
)

// Options is where to look. What is empty is not looked at.
type Options struct {
	Target     string        // the system's address
	Token      secret.String // an operator's (ADMIN_TOKEN)
	Prometheus string        // its address
	Compose    []string
	Manifests  string        // a file of Kubernetes' objects
	Kube       bool          // ask kubectl
	Settings   string        // the file of settings and secrets, as Docker Compose reads it
	Postgres   secret.String // the database's address, with its password
	Redis      secret.String
	S3         secret.String // http://KEY:SECRET@host:9000/bucket
	Checkout   string        // the project's source
	Results    string        // what `go test -json` wrote
	Root       string        // the root of the server's file system
	Record     string        // the decisions of people
	Launched   time.Time

	Timeout time.Duration    // of the whole run; 0 is DefaultTimeout. What is not reached by then is not looked at
	Client  *http.Client     // nil is one with a deadline
	Now     func() time.Time // nil is time.Now
	Runner  Runner           // nil runs programs of this machine
	// Lookup gives the addresses of a name; nil asks the resolver of this machine.
	Lookup func(ctx context.Context, name string) ([]string, error)
	// DiskSize is the size of the file system that holds a path; nil asks the kernel.
	DiskSize func(path string) (int64, error)
}

// DefaultTimeout bounds a run where Options name no other time.
const DefaultTimeout = 5 * time.Minute

// callTime bounds each question to a server and each program that is run; dialTime the connection alone.
const (
	callTime = 20 * time.Second
	dialTime = 5 * time.Second
)

// system is what is looked at. Each answer is asked for once.
type system struct {
	Options
	answers  map[string]page
	away     map[string]error // hosts that no connection reached: nobody waits for them twice
	report   once[checkup.Report]
	measured once[samples]
	deployed once[map[string]service]
	secrets  once[settingsFile]
	database once[*pgx.Conn]
	backups  once[backup.Listing]
	results  once[map[string]result]
}

func newSystem(o Options) *system {
	o.Target, o.Prometheus = strings.TrimRight(o.Target, "/"), strings.TrimRight(o.Prometheus, "/")
	if o.Root != "" {
		o.Root = filepath.Clean(o.Root)
	}
	if o.Client == nil {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.DialContext = (&net.Dialer{Timeout: dialTime}).DialContext
		o.Client = &http.Client{Timeout: callTime, Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Lookup == nil {
		o.Lookup = net.DefaultResolver.LookupHost
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Runner == nil {
		o.Runner = runProgram
	}
	if o.DiskSize == nil {
		o.DiskSize = diskSize
	}
	return &system{Options: o, answers: map[string]page{}, away: map[string]error{}}
}

func (s *system) close() {
	if s.database.value != nil {
		// Nothing was written, so it does not matter how the connection ends.
		_ = s.database.value.Close(context.Background())
	}
}

// once is an answer that is asked for once.
type once[T any] struct {
	asked bool
	value T
	err   error
}

func (o *once[T]) get(ask func() (T, error)) (T, error) {
	if !o.asked {
		o.asked = true
		o.value, o.err = ask()
	}
	return o.value, o.err
}

// page is an answer of the system.
type page struct {
	status int
	header http.Header
	body   []byte
	took   time.Duration
	err    error
}

// mostAnswer is the longest answer that is read.
const mostAnswer = 16 << 20

var noTarget = notLooked{"no system was named", "schedgen readiness --target https://your-host --token-file FILE"}

// get asks the system for a path, with headers as names and values, once for all who ask.
func (s *system) get(ctx context.Context, path string, headers ...string) (page, error) {
	if s.Target == "" {
		return page{}, noTarget
	}
	answer, err := s.fetch(ctx, s.Target+path, headers...)
	if err != nil {
		return answer, err
	}
	if to := elsewhere(s.Target, path, answer); to != "" {
		return page{}, notLooked{shown(s.Target) + " redirects to " + to + ", so nothing was seen of it", "schedgen readiness --target " + to}
	}
	return answer, nil
}

// elsewhere is the site that the target sends its callers to: where another scheme or host has the same path. A proxy that
// redirects everything would make each check judge the redirect.
func elsewhere(target, path string, answer page) string {
	from, err1 := url.Parse(target + path)
	location, err2 := url.Parse(answer.header.Get("Location"))
	if err1 != nil || err2 != nil || answer.status/100 != 3 || location.Host == "" {
		return ""
	}
	if to := from.ResolveReference(location); strings.Trim(to.Path, "/") == strings.Trim(from.Path, "/") && (to.Scheme != from.Scheme || to.Host != from.Host) {
		return to.Scheme + "://" + to.Host
	}
	return ""
}

// operator asks the system for a path as an operator.
func (s *system) operator(ctx context.Context, path string) (page, error) {
	if s.Target != "" && s.Token.IsZero() {
		return page{}, notLooked{"only operators may see this, and no token was given", "schedgen readiness --token-file FILE, a file with ADMIN_TOKEN"}
	}
	return s.get(ctx, path, "Authorization", "Bearer "+s.Token.Reveal())
}

// fetch reads an address. An answer of any status is no error.
func (s *system) fetch(ctx context.Context, address string, headers ...string) (page, error) {
	key := address + " " + strings.Join(headers, " ")
	if known, asked := s.answers[key]; asked {
		return known, known.err
	}
	p := s.fetchNow(ctx, address, headers)
	s.answers[key] = p
	return p, p.err
}

func (s *system) fetchNow(ctx context.Context, address string, headers []string) page {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return page{err: errors.New("this is not an address that can be asked: " + shown(address))} // the error would repeat its password
	}
	address = shown(address)
	if err := s.away[request.URL.Host]; err != nil {
		return page{err: fmt.Errorf("%s does not answer: %w", address, err)}
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	began := time.Now()
	answer, err := s.Client.Do(request)
	if err != nil {
		var failed *url.Error
		if errors.As(err, &failed) {
			err = failed.Err
		}
		if dial := (&net.OpError{}); errors.As(err, &dial) && dial.Op == "dial" && dial.Timeout() {
			s.away[request.URL.Host] = err
		}
		return page{err: fmt.Errorf("%s does not answer: %w", address, err)}
	}
	defer answer.Body.Close() // read below
	p := page{status: answer.StatusCode, header: answer.Header}
	if p.body, err = io.ReadAll(io.LimitReader(answer.Body, mostAnswer)); err != nil {
		p.err = fmt.Errorf("%s breaks its answer off: %w", address, err)
	}
	p.took = time.Since(began)
	return p
}

// userInfo is a user and a password before a host.
var userInfo = regexp.MustCompile(`(://)[^/@\s]*@`)

// shown is an address as a report may have it: without user and password.
func shown(address string) string { return userInfo.ReplaceAllString(address, "$1") }

// printable is a text of a report: on one line, and without what only its owner may know.
func (s *system) printable(text string) string {
	text = shown(strings.Join(strings.Fields(text), " "))
	secrets := []string{s.Token.Reveal()}
	for _, address := range []string{s.Target, s.Prometheus, s.Postgres.Reveal(), s.Redis.Reveal(), s.S3.Reveal()} {
		if u, err := url.Parse(address); err == nil {
			password, _ := u.User.Password()
			secrets = append(secrets, password, url.QueryEscape(password))
		}
	}
	for _, word := range secrets {
		if len(word) >= 4 { // a shorter one is no secret, and would garble every word that has it
			text = strings.ReplaceAll(text, word, "xxxxx")
		}
	}
	return text
}

// local says whether an address is one of this machine, which no certificate is made for.
func local(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}
