package events

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/schedgen/schedgen/shared/retry"
	"github.com/schedgen/schedgen/shared/secret"
	"github.com/schedgen/schedgen/shared/settings"
	"github.com/schedgen/schedgen/shared/tracing"
)

// Config says where events are sent.
type Config struct {
	// Sink is Knative's address of the broker (SinkBinding); Targets are functions' own addresses
	// where there is no broker. An event goes to all that are given.
	Sink    string        `env:"K_SINK"`
	Targets []string      `env:"EVENT_TARGETS"`                           // addresses of functions, with their paths
	Token   secret.String `env:"EVENT_TOKEN"`                             // sent as a Bearer token, if given
	Timeout time.Duration `env:"EVENT_TIMEOUT, default=10s"`              // one event to one target, retries included
	Retries int           `env:"EVENT_RETRIES, default=3" zero:"allowed"` // after the first try
}

// Publisher sends events. It is safe for concurrent use.
type Publisher struct {
	cfg     Config
	targets []string
	client  *http.Client
}

// NewPublisher checks cfg. Without a sink and targets events go nowhere, which is no error.
func NewPublisher(cfg Config) (*Publisher, error) {
	cfg = settings.WithDefaults(cfg)
	p := &Publisher{cfg: cfg, client: &http.Client{
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: 3 * time.Second}).DialContext,
			TLSHandshakeTimeout: 5 * time.Second,
			MaxIdleConnsPerHost: 16,
			IdleConnTimeout:     90 * time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	for _, target := range append([]string{cfg.Sink}, cfg.Targets...) {
		if target == "" {
			continue
		}
		if !settings.IsWebAddress(target) {
			return nil, errors.New("K_SINK or EVENT_TARGETS: each must be an address such as http://broker/default")
		}
		p.targets = append(p.targets, target)
	}
	return p, nil
}

// Close ends idle connections.
func (p *Publisher) Close() { p.client.CloseIdleConnections() }

// Enabled says whether there is anyone to send to.
func (p *Publisher) Enabled() bool { return len(p.targets) > 0 }

// RefusedError says that a receiver will not take the event, now or later.
type RefusedError struct{ Status int }

func (e *RefusedError) Error() string { return fmt.Sprintf("refused with status %d", e.Status) }

// ErrorType is what spans show.
func (e *RefusedError) ErrorType() string { return strconv.Itoa(e.Status) }

// Refused says that err of Publish comes of receivers that will not take the event, now or later.
func Refused(err error) bool {
	if err == nil {
		return false
	}
	if list, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range list.Unwrap() {
			if !Refused(one) {
				return false
			}
		}
		return true
	}
	var refused *RefusedError
	return errors.As(err, &refused)
}

// Publish sends e to every target in binary mode and returns nil when all have taken it. It
// tries again what may pass (429, 5xx, no connection) until the timeout.
func (p *Publisher) Publish(ctx context.Context, e event.Event) error {
	if err := e.Validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	var failures []error
	for _, target := range p.targets {
		if err := p.deliver(ctx, target, e); err != nil {
			failures = append(failures, fmt.Errorf("send event %s to %s: %w", e.Type(), host(target), err))
		}
	}
	return errors.Join(failures...)
}

// host names a target without what may be secret in its address.
func host(target string) string {
	address, err := url.Parse(target)
	if err != nil {
		return "its target"
	}
	return address.Host
}

// deliver sends e to one target, with waits of 100, 200, 400 ms... between tries.
func (p *Publisher) deliver(ctx context.Context, target string, e event.Event) error {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Timeout)
	defer cancel()
	passes := func(err error) bool { return !Refused(err) }
	return retry.Do(ctx, 1+p.cfg.Retries, 100*time.Millisecond, passes, func() error { return p.send(ctx, target, e) })
}

// send is one try, within a span of its own. The event keeps the trace that caused it, whatever delivers it.
func (p *Publisher) send(ctx context.Context, target string, e event.Event) (err error) {
	ctx, end := tracing.Start(ctx, trace.SpanKindProducer, "send "+e.Type(), attribute.String("messaging.operation.name", "send"),
		attribute.String("messaging.message.type", e.Type()))
	defer func() { end(err) }()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(e.Data()))
	if err != nil {
		return errors.New("make the request")
	}
	Encode(request.Header, e)
	if tracing.Recording(ctx) {
		request.Header.Set(tracing.TraceparentHeader, tracing.CauseOf(ctx).Traceparent)
	}
	if !p.cfg.Token.IsZero() {
		request.Header.Set("Authorization", "Bearer "+p.cfg.Token.Reveal())
	}
	response, err := p.client.Do(request)
	if err != nil {
		var failed *url.Error
		if errors.As(err, &failed) {
			err = failed.Err // without the address
		}
		return err
	}
	defer response.Body.Close()                                       // read below, as far as it matters
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10)) // so that the connection is used again
	switch status := response.StatusCode; {
	case status < 300:
		return nil
	case status >= 500, status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status == http.StatusTooEarly:
		return tracing.NewError(strconv.Itoa(status), fmt.Sprintf("answered with status %d", status))
	default:
		return &RefusedError{Status: status}
	}
}

// Encode writes e's attributes as the headers of binary mode.
func Encode(header http.Header, e event.Event) {
	set := func(name, value string) {
		if value != "" {
			header.Set("Ce-"+name, escape(value))
		}
	}
	set("Specversion", e.SpecVersion())
	set("Id", e.ID())
	set("Type", e.Type())
	set("Source", e.Source())
	set("Subject", e.Subject())
	set("Dataschema", e.DataSchema())
	if !e.Time().IsZero() {
		set("Time", e.Time().UTC().Format(time.RFC3339Nano))
	}
	for name, value := range e.Extensions() {
		if text, ok := value.(string); ok {
			set(name, text)
		}
	}
	if contentType := e.DataContentType(); contentType != "" {
		header.Set("Content-Type", contentType)
	}
	for name, value := range map[string]string{
		tracing.TraceparentHeader: extension(e, traceparentExtension),
		tracing.RequestIDHeader:   extension(e, requestIDExtension),
	} {
		if value != "" {
			header.Set(name, value)
		}
	}
}

// escape percent-encodes what the HTTP binding wants (section 3.1.3.2): space, quote, percent, and
// all that is not printable ASCII.
func escape(value string) string {
	var out []byte
	for i := range len(value) {
		if b := value[i]; b <= ' ' || b == '"' || b == '%' || b >= 0x7f {
			out = fmt.Appendf(out, "%%%02X", b)
		} else {
			out = append(out, b)
		}
	}
	return string(out)
}
