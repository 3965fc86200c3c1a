package readiness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/functions/backup"
	"github.com/schedgen/schedgen/functions/upload-ingest/checkup"
)

// Options is where to look. What is empty is not looked at.
type Options struct {
	Target     string // the system's address
	Token      string // an operator's (ADMIN_TOKEN)
	Prometheus string // its address
	Compose    []string
	Manifests  string // a file of Kubernetes' objects
	Kube       bool   // ask kubectl
	Settings   string // the file of settings and secrets, as Docker Compose reads it
	Postgres   string // the database's address, with its password
	Redis      string
	S3         string // http://KEY:SECRET@host:9000/bucket
	Checkout   string // the project's source
	Results    string // what `go test -json` wrote
	Root       string // the root of the server's file system
	Record     string // the decisions of people
	Launched   time.Time

	Client *http.Client     // nil is one with a deadline
	Now    func() time.Time // nil is time.Now
	Runner Runner           // nil runs programs of this machine
	// DiskSize is the size of the file system that holds a path; nil asks the kernel.
	DiskSize func(path string) (int64, error)
}

// callTime bounds each question to a server.
const callTime = 20 * time.Second

// system is what is looked at. Each answer is asked for once.
type system struct {
	Options
	answers  map[string]page
	report   once[checkup.Report]
	measured once[samples]
	deployed once[map[string]service]
	secrets  once[settingsFile]
	database once[*pgx.Conn]
	backups  once[backup.Listing]
	results  once[map[string]string]
}

func newSystem(o Options) *system {
	o.Target, o.Prometheus = strings.TrimSuffix(o.Target, "/"), strings.TrimSuffix(o.Prometheus, "/")
	if o.Client == nil {
		o.Client = &http.Client{Timeout: callTime, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
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
	return &system{Options: o, answers: map[string]page{}}
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
	return s.fetch(ctx, s.Target+path, headers...)
}

// operator asks the system for a path as an operator.
func (s *system) operator(ctx context.Context, path string) (page, error) {
	if s.Target != "" && s.Token == "" {
		return page{}, notLooked{"only operators may see this, and no token was given", "schedgen readiness --token-file FILE, a file with ADMIN_TOKEN"}
	}
	return s.get(ctx, path, "Authorization", "Bearer "+s.Token)
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
		return page{err: fmt.Errorf("ask %s: %w", address, err)}
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

// local says whether an address is one of this machine, which no certificate is made for.
func local(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}
