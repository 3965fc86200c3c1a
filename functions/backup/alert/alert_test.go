package alert_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/schedgen/schedgen/functions/backup/alert"
	"github.com/schedgen/schedgen/shared/secret"
)

var message = alert.Alert{Subject: "schedgen backup: the backup failed\r\nBcc: everybody@example.org", Text: "Störung:\n.\nRCPT TO:<x>\n"}

func TestTheWebhookIsTriedUntilItTakesTheAlert(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answers []int
		fails   bool
		calls   int
	}{
		"at once":             {[]int{200}, false, 1},
		"after an outage":     {[]int{500, 429, 204}, false, 3},
		"never":               {[]int{500, 500, 500, 500}, true, 4},
		"refused for good":    {[]int{404}, true, 1},
		"moved somewhere new": {[]int{302}, true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var bodies []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				bodies = append(bodies, string(body))
				w.WriteHeader(test.answers[len(bodies)-1])
			}))
			defer server.Close()
			sender, err := alert.New(alert.Config{Webhook: secret.New(server.URL + "/secret-path"), Pause: time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			err = sender.Send(t.Context(), message)["webhook"]
			if (err != nil) != test.fails || len(bodies) != test.calls {
				t.Errorf("got %v after %d calls, want failure %t after %d", err, len(bodies), test.fails, test.calls)
			}
			if err != nil && strings.Contains(err.Error(), "secret-path") {
				t.Errorf("the error shows the address: %v", err)
			}
			var slack struct{ Text string }
			if err := json.Unmarshal([]byte(bodies[0]), &slack); err != nil || !strings.Contains(slack.Text, "Störung") {
				t.Errorf("got %q, want Slack's JSON", bodies[0])
			}
		})
	}
}

// mailServer is an SMTP server that keeps what it is sent.
type mailServer struct {
	listener net.Listener
	tls      *tls.Config // nil: no STARTTLS
	busy     int         // how many conversations it ends with 421 first
	refuse   string      // what it answers to RCPT, if anything

	mu    sync.Mutex
	mails []string // "AUTH ...", "MAIL ...", "RCPT ...", data
	group sync.WaitGroup
}

func newMailServer(t *testing.T, s *mailServer) *mailServer {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.listener = listener
	s.group.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			s.group.Go(func() { s.converse(conn) })
		}
	})
	t.Cleanup(func() { listener.Close(); s.group.Wait() })
	return s
}

func (s *mailServer) converse(conn net.Conn) {
	defer func() { conn.Close() }()
	reader := bufio.NewReader(conn)
	say := func(line string) { fmt.Fprintf(conn, "%s\r\n", line) }
	s.mu.Lock()
	s.busy--
	busy := s.busy >= 0
	s.mu.Unlock()
	if busy {
		say("421 come again")
		return
	}
	say("220 mail.example ESMTP")
	secured := false
	for {
		line, err := reader.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSpace(line)
		switch verb, _, _ := strings.Cut(line, " "); strings.ToUpper(verb) {
		case "EHLO":
			say("250-mail.example")
			if s.tls != nil && !secured {
				say("250-STARTTLS")
			}
			say("250 AUTH PLAIN")
		case "STARTTLS":
			say("220 go ahead")
			upgraded := tls.Server(conn, s.tls)
			conn, reader, secured = upgraded, bufio.NewReader(upgraded), true
		case "RCPT":
			if s.refuse != "" {
				say(s.refuse)
				continue
			}
			s.keep(line)
			say("250 ok")
		case "DATA":
			say("354 go on")
			var data strings.Builder
			for {
				text, err := reader.ReadString('\n')
				if err != nil {
					return
				}
				if text == ".\r\n" {
					break
				}
				data.WriteString(strings.TrimPrefix(text, "."))
			}
			s.keep(data.String())
			say("250 taken")
		case "AUTH":
			s.keep(line + fmt.Sprint(" secured=", secured))
			say("235 welcome")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func (s *mailServer) keep(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails = append(s.mails, text)
}

// certificate is one for 127.0.0.1, and who trusts it.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail.example"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{raw}, PrivateKey: key}}}, pool
}

func (s *mailServer) config() alert.Config {
	return alert.Config{SMTPServer: s.listener.Addr().String(), From: "schedgen <schedgen@example.org>", To: []string{"ops@example.org", "on call <call@example.org>"},
		Pause: time.Millisecond, Timeout: 10 * time.Second}
}

func TestMailIsEncryptedSignedInAndReadable(t *testing.T) {
	t.Parallel()
	security, roots := certificate(t)
	server := newMailServer(t, &mailServer{tls: security, busy: 2})
	cfg := server.config()
	cfg.SMTPUser, cfg.SMTPPassword, cfg.Roots = "user", secret.New("pass"), roots
	sender, err := alert.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := sender.Send(t.Context(), message)["email"]; err != nil {
		t.Fatalf("send: %v", err)
	}
	server.mu.Lock()
	defer server.mu.Unlock()
	if len(server.mails) != 4 {
		t.Fatalf("got %q, want AUTH, two recipients, the mail", server.mails)
	}
	auth := "AUTH PLAIN " + base64.StdEncoding.EncodeToString([]byte("\x00user\x00pass")) + " secured=true"
	if server.mails[0] != auth {
		t.Errorf("got %q, want %q", server.mails[0], auth)
	}
	if server.mails[2] != "RCPT TO:<call@example.org>" {
		t.Errorf("got %q", server.mails[2])
	}
	got, err := mail.ReadMessage(strings.NewReader(server.mails[3]))
	if err != nil {
		t.Fatalf("read the mail: %v\n%s", err, server.mails[3])
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(got.Header.Get("Subject"))
	if err != nil || !strings.HasPrefix(subject, "schedgen backup: the backup failed Bcc:") || got.Header.Get("Bcc") != "" {
		t.Errorf("got the subject %q, %v and Bcc %q", subject, err, got.Header.Get("Bcc"))
	}
	text, err := io.ReadAll(quotedprintable.NewReader(got.Body))
	if err != nil || strings.TrimSpace(strings.ReplaceAll(string(text), "\r\n", "\n")) != strings.TrimSpace(message.Text) {
		t.Errorf("got %q, %v; want %q", text, err, message.Text)
	}
}

func TestAMailServerWithAStrangersCertificateGetsNothing(t *testing.T) {
	t.Parallel()
	security, _ := certificate(t)
	server := newMailServer(t, &mailServer{tls: security})
	_, others := certificate(t)
	cfg := server.config()
	cfg.SMTPUser, cfg.SMTPPassword, cfg.Roots, cfg.Tries = "user", secret.New("pass"), others, 1
	sender, err := alert.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := sender.Send(t.Context(), message)["email"]; err == nil {
		t.Error("the mail was sent")
	}
	server.mu.Lock()
	defer server.mu.Unlock()
	if len(server.mails) > 0 {
		t.Errorf("the server was told %q", server.mails)
	}
}

func TestARefusedRecipientIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	server := newMailServer(t, &mailServer{refuse: "550 no such mailbox"})
	sender, err := alert.New(server.config())
	if err != nil {
		t.Fatal(err)
	}
	if err := sender.Send(t.Context(), message)["email"]; err == nil || !strings.Contains(err.Error(), "no such mailbox") {
		t.Errorf("got %v, want the server's words", err)
	}
}

func TestOneChannelThatHangsDelaysNoOther(t *testing.T) {
	t.Parallel()
	hanging, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0") // takes connections, says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer hanging.Close()
	taken := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { taken <- struct{}{} }))
	defer server.Close()
	sender, err := alert.New(alert.Config{Webhook: secret.New(server.URL), SMTPServer: hanging.Addr().String(), From: "a@example.org", To: []string{"b@example.org"},
		Timeout: 200 * time.Millisecond, Tries: 2, Pause: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	outcomes := sender.Send(t.Context(), message)
	if outcomes["webhook"] != nil || outcomes["email"] == nil || len(taken) != 1 {
		t.Errorf("got %v and %d posts, want the webhook's alert delivered and the mail not", outcomes, len(taken))
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if outcomes := sender.Send(ended, message); outcomes["email"] == nil {
		t.Error("a context that has ended: got no error")
	}
}

func TestWithoutAnAddressNobodyIsTold(t *testing.T) {
	t.Parallel()
	sender, err := alert.New(alert.Config{})
	if err != nil || sender.Enabled() {
		t.Fatalf("got enabled, %v", err)
	}
	if outcomes := sender.Send(t.Context(), message); len(outcomes) != 0 {
		t.Errorf("got %v", outcomes)
	}
	for _, cfg := range []alert.Config{
		{Webhook: secret.New("ftp://x")}, {SMTPServer: "mail.example"}, {SMTPServer: "mail.example:25", From: "nobody", To: []string{"a@example.org"}},
	} {
		if _, err := alert.New(cfg); err == nil {
			t.Errorf("%+v was taken", cfg)
		}
	}
}
