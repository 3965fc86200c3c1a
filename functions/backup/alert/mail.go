package alert

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"strings"
	"time"
)

func checkMail(cfg Config) error {
	if _, _, err := net.SplitHostPort(cfg.SMTPServer); err != nil {
		return fmt.Errorf("ALERT_SMTP_SERVER is not like mail.example:587: %w", err)
	}
	if len(cfg.To) == 0 {
		return errors.New("ALERT_TO is empty: set the addresses that get the mail")
	}
	for _, address := range append([]string{cfg.From}, cfg.To...) {
		if _, err := mail.ParseAddress(address); err != nil {
			return fmt.Errorf("ALERT_FROM and ALERT_TO: %q is not a mail address", address)
		}
	}
	return nil
}

// mail is one try of sending the mail.
func (s *Sender) mail(ctx context.Context, a Alert) error {
	err := s.deliver(ctx, a)
	var answer *textproto.Error
	if errors.As(err, &answer) && answer.Code >= 500 {
		err = permanentError{err} // RFC 5321, 4.2.1: a permanent negative answer
	}
	if err != nil {
		return fmt.Errorf("send the mail: %w", err)
	}
	return nil
}

func (s *Sender) deliver(ctx context.Context, a Alert) error {
	client, err := s.dial(ctx)
	if err != nil {
		return err
	}
	defer client.Close() // after Quit there is nothing left to close
	from, to := addressOnly(s.cfg.From), s.cfg.To
	if err := client.Mail(from); err != nil {
		return err
	}
	for _, address := range to {
		if err := client.Rcpt(addressOnly(address)); err != nil {
			return err
		}
	}
	body, err := client.Data()
	if err != nil {
		return err
	}
	message, err := s.message(a, time.Now())
	if err != nil {
		return err
	}
	if _, err := body.Write([]byte(message)); err != nil {
		return err
	}
	if err := body.Close(); err != nil {
		return err
	}
	_ = client.Quit() // the mail was taken
	return nil
}

// dial connects, encrypts where that is possible and signs in. All of the conversation ends with ctx.
func (s *Sender) dial(ctx context.Context) (*smtp.Client, error) {
	host, port, err := net.SplitHostPort(s.cfg.SMTPServer)
	if err != nil {
		return nil, err
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.cfg.SMTPServer)
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	security := &tls.Config{ServerName: host, RootCAs: s.cfg.Roots, MinVersion: tls.VersionTLS12}
	if port == "465" {
		conn = tls.Client(conn, security)
	}
	client, err := smtp.NewClient(conn, host)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	if err := s.startTLSAndSignIn(client, security, port, host); err != nil {
		return nil, errors.Join(err, client.Close())
	}
	return client, nil
}

func (s *Sender) startTLSAndSignIn(client *smtp.Client, security *tls.Config, port, host string) error {
	if offered, _ := client.Extension("STARTTLS"); offered && port != "465" {
		if err := client.StartTLS(security); err != nil {
			return err
		}
	}
	if s.cfg.SMTPUser == "" {
		return nil
	}
	// PlainAuth refuses to send a password without TLS.
	return client.Auth(smtp.PlainAuth("", s.cfg.SMTPUser, s.cfg.SMTPPassword.Reveal(), host))
}

// addressOnly returns a mail address without the name of its owner.
func addressOnly(address string) string {
	parsed, err := mail.ParseAddress(address)
	if err != nil {
		return address
	}
	return parsed.Address
}

// message is the mail as RFC 5322 wants it. What an error says may hold anything: the subject is
// encoded, the text quoted.
func (s *Sender) message(a Alert, now time.Time) (string, error) {
	var b strings.Builder
	subject := mime.QEncoding.Encode("utf-8", strings.Join(strings.Fields(a.Subject), " "))
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nSubject: %s\r\nDate: %s\r\n", s.cfg.From, strings.Join(s.cfg.To, ", "), subject, now.Format(time.RFC1123Z))
	b.WriteString("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n" +
		"Auto-Submitted: auto-generated\r\n\r\n")
	quoted := quotedprintable.NewWriter(&b)
	if _, err := quoted.Write([]byte(a.Text)); err != nil {
		return "", err
	}
	if err := quoted.Close(); err != nil {
		return "", err
	}
	b.WriteString("\r\n")
	return b.String(), nil
}
