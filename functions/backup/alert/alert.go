// Package alert sends a message to people: by a webhook that takes Slack's JSON, and by e-mail. Each channel is
// tried several times on its own, so a channel that is down does not delay the other.
package alert

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/schedgen/schedgen/shared/retry"
	"github.com/schedgen/schedgen/shared/secret"
	"github.com/schedgen/schedgen/shared/settings"
)

// Config names the receivers. Without an address no alert is sent.
type Config struct {
	Webhook secret.String `env:"ALERT_WEBHOOK_URL"` // address that alerts are posted to as JSON, {"text":"..."}, which Slack accepts
	// Mail server, host:port. Port 465 uses TLS from the start, other ports STARTTLS if the server offers it. The password
	// is sent over TLS only.
	SMTPServer   string        `env:"ALERT_SMTP_SERVER"`
	SMTPUser     string        `env:"ALERT_SMTP_USER"`            // user name for the mail server; used over TLS only
	SMTPPassword secret.String `env:"ALERT_SMTP_PASSWORD"`        // password for the mail server
	From         string        `env:"ALERT_FROM"`                 // sender address of alert mails
	To           []string      `env:"ALERT_TO"`                   // recipient addresses of alert mails, separated by commas
	Timeout      time.Duration `env:"ALERT_TIMEOUT, default=15s"` // timeout for one attempt
	Tries        int           `env:"ALERT_TRIES, default=4"`     // attempts for each message, with growing waits between them

	Pause time.Duration  // before the second try, then doubled; 0 means a second
	Roots *x509.CertPool // whom the mail server's certificate may be from; nil means the system's
}

// Alert is one message.
type Alert struct {
	Subject string // one line
	Text    string
}

// Sender sends alerts. It is safe for concurrent use.
type Sender struct {
	cfg    Config
	client *http.Client
}

// New checks cfg.
func New(cfg Config) (*Sender, error) {
	cfg = settings.WithDefaults(cfg)
	if cfg.Pause <= 0 {
		cfg.Pause = time.Second
	}
	if !cfg.Webhook.IsZero() && !settings.IsWebAddress(cfg.Webhook.Reveal()) {
		return nil, errors.New("ALERT_WEBHOOK_URL is not an address such as https://hooks.example/path") // it is a secret
	}
	if cfg.SMTPServer != "" {
		if err := checkMail(cfg); err != nil {
			return nil, err
		}
	}
	return &Sender{cfg: cfg, client: &http.Client{
		Timeout: cfg.Timeout,
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: 5 * time.Second,
			DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Enabled reports whether there is a receiver.
func (s *Sender) Enabled() bool { return !s.cfg.Webhook.IsZero() || s.cfg.SMTPServer != "" }

// Send sends an alert through every channel. Outcomes are by channel: nil if it was delivered.
func (s *Sender) Send(ctx context.Context, a Alert) (outcomes map[string]error) {
	channels := map[string]func(context.Context, Alert) error{}
	if !s.cfg.Webhook.IsZero() {
		channels["webhook"] = s.post
	}
	if s.cfg.SMTPServer != "" {
		channels["email"] = s.mail
	}
	type outcome struct {
		channel string
		err     error
	}
	results := make(chan outcome, len(channels))
	for name, send := range channels {
		go func() {
			results <- outcome{name, s.retry(ctx, func(ctx context.Context) error { return send(ctx, a) })}
		}()
	}
	outcomes = map[string]error{}
	for range channels {
		o := <-results
		outcomes[o.channel] = o.err
	}
	return outcomes
}

// permanentError is an answer that another try would get again.
type permanentError struct{ error }

// retry tries with growing pauses until it succeeds or is refused.
func (s *Sender) retry(ctx context.Context, f func(context.Context) error) error {
	retryable := func(err error) bool { return !errors.As(err, new(permanentError)) }
	return retry.Do(ctx, s.cfg.Tries, s.cfg.Pause, retryable, func() error {
		limited, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
		defer cancel()
		return f(limited)
	})
}

// post is one try of the webhook. Its errors do not quote the address, which is a secret.
func (s *Sender) post(ctx context.Context, a Alert) error {
	body, err := json.Marshal(map[string]string{"text": "*" + a.Subject + "*\n" + a.Text})
	if err != nil {
		return fmt.Errorf("encode the alert: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.cfg.Webhook.Reveal(), bytes.NewReader(body))
	if err != nil {
		return errors.New("make the webhook's request")
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := s.client.Do(request)
	if err != nil {
		var failed *url.Error
		if errors.As(err, &failed) {
			err = failed.Err
		}
		return fmt.Errorf("post to the webhook: %w", err)
	}
	defer response.Body.Close() // what it says does not matter
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10))
	switch code := response.StatusCode; {
	case code < 300:
		return nil
	case code == http.StatusTooManyRequests, code >= 500:
		return fmt.Errorf("the webhook answered with status %d", code)
	default:
		return permanentError{fmt.Errorf("the webhook refused the alert with status %d", code)}
	}
}
