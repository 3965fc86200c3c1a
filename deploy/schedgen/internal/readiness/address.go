package readiness

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// addressChecks look at the public address: its name, its certificate, its headers.
func addressChecks() map[string]check {
	return map[string]check{
		"certificate": {run: certificate, says: "the certificate of --target is valid for its name, for 14 days or more",
			fix: "Let Traefik get a new certificate: port 443 must be open, and the name must lead to this server.", command: "docker compose logs traefik | grep -i acme"},
		"to-https": {run: toHTTPS, says: "http:// of --target's name redirects to https:// of the same name, which serves the page",
			fix: "Start Traefik with compose.prod.yml, which redirects port 80.", command: "docker compose -f compose.yml -f compose.prod.yml up -d traefik"},
		"audit": {run: audit, args: 1, says: "GET $1 without a token answers 401 or 403, and the page has `Content-Security-Policy` and `X-Content-Type-Options`, and over HTTPS `Strict-Transport-Security`",
			fix: "Send the page through Traefik with compose.prod.yml, whose middleware adds what is missing.", command: "docker compose -f compose.yml -f compose.prod.yml up -d"},
		"name": {run: nameResolves, says: "the name of --target has an address, and no machine's own such as 127.0.0.1",
			fix: "Add A (and AAAA) records for the name at your DNS provider.", command: "dig +short your-host"},
	}
}

// public is the address, if certificates and names can be looked at.
func (s *system) public() (*url.URL, error) {
	if s.Target == "" {
		return nil, noTarget
	}
	u, err := url.Parse(s.Target)
	if err != nil {
		return nil, errors.New("--target is no address")
	}
	if local(s.Target) {
		return nil, notLooked{"this system is on this machine alone, without a public name", "schedgen readiness --target https://your-host, from another machine"}
	}
	return u, nil
}

// soon is how long a certificate must last: a renewal that fails has been failing for two weeks by then.
const soon = 14 * 24 * time.Hour

func certificate(ctx context.Context, s *system, _ []string) Finding {
	u, err := s.public()
	switch {
	case err != nil:
		return from(err)
	case u.Scheme != "https":
		return failed("%s is not https", shown(s.Target))
	}
	return s.certificateAt(ctx, u.Hostname(), net.JoinHostPort(u.Hostname(), portOf(u)), nil)
}

// portOf is the port of an https address.
func portOf(u *url.URL) string {
	if u.Port() != "" {
		return u.Port()
	}
	return "443"
}

// certificateAt looks at what a server shows for a name; roots are whom it may be from, nil the system's.
func (s *system) certificateAt(ctx context.Context, name, address string, roots *x509.CertPool) Finding {
	// What is wrong with the certificate is found below, and told by its reason.
	dialer := tls.Dialer{NetDialer: &net.Dialer{Timeout: callTime}, Config: &tls.Config{ServerName: name, InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}} //nolint:gosec // nothing is sent
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return failed("no TLS 1.2 or later at %s: %v", address, err)
	}
	defer conn.Close() // nothing was sent
	chain := conn.(*tls.Conn).ConnectionState().PeerCertificates
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	now, leaf := s.Now(), chain[0]
	if now.After(leaf.NotAfter) {
		return failed("the certificate of %s expired on %s", name, leaf.NotAfter.Format(time.DateOnly))
	}
	if _, err := leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: roots, Intermediates: between, CurrentTime: now}); err != nil {
		return failed("the certificate of %s is not to be trusted: %v", name, err)
	}
	if left := leaf.NotAfter.Sub(now); left < soon {
		return failed("the certificate of %s expires in %d days, on %s", name, int(left.Hours()/24), leaf.NotAfter.Format(time.DateOnly))
	}
	return ok("the certificate of %s by %s is valid until %s", name, leaf.Issuer.CommonName, leaf.NotAfter.Format(time.DateOnly))
}

func toHTTPS(ctx context.Context, s *system, _ []string) Finding {
	u, err := s.public()
	if err != nil {
		return from(err)
	}
	plain := "http://" + u.Hostname() + "/"
	answer, err := s.fetch(ctx, plain)
	switch {
	case err != nil:
		return from(err)
	case answer.status/100 != 3:
		return failed("%s answers %d instead of leading to https", plain, answer.status)
	}
	to, err := url.Parse(answer.header.Get("Location"))
	if err != nil || to.Scheme != "https" || to.Hostname() != u.Hostname() {
		return failed("%s leads to %q instead of https of the same name", plain, answer.header.Get("Location"))
	}
	home := "https://" + to.Host + "/"
	switch secure, err := s.fetch(ctx, home); {
	case err != nil:
		return from(err)
	case secure.status != http.StatusOK:
		return failed("%s leads to %s, which answers %d", plain, home, secure.status)
	}
	return ok("%s leads to %s, which serves the page", plain, home)
}

// audit looks at what an attacker tries first.
func audit(ctx context.Context, s *system, args []string) Finding {
	answer, err := s.get(ctx, args[0])
	switch {
	case err != nil:
		return from(err)
	case answer.status < 400:
		f := failed("GET %s without a token answers %d", args[0], answer.status)
		f.Fix, f.Command = "Set ADMIN_TOKEN, and keep "+args[0]+" from those who do not have it.", "scripts/secrets.sh new"
		return f
	case answer.status != http.StatusUnauthorized && answer.status != http.StatusForbidden: // it was not asked for a token
		return from(notLooked{fmt.Sprintf("GET %s answers %d here, which says nothing of who may see it", args[0], answer.status),
			"schedgen readiness --target ADDRESS, of the server that has " + args[0]})
	}
	f := securityHeaders(ctx, s)
	if f.State == OK {
		f.Evidence += fmt.Sprintf("; GET %s without a token answers %d", args[0], answer.status)
	}
	return f
}

// lasting is a Strict-Transport-Security that browsers keep: max-age=0 takes it back.
var lasting = regexp.MustCompile(`(?i)max-age="?[1-9]`)

func securityHeaders(ctx context.Context, s *system) Finding {
	answer, err := s.get(ctx, "/")
	switch {
	case err != nil:
		return from(err)
	case answer.status != http.StatusOK:
		return failed("GET / answers %d", answer.status)
	}
	wanted := []string{"Content-Security-Policy", "X-Content-Type-Options"}
	if strings.HasPrefix(s.Target, "https:") {
		wanted = append(wanted, "Strict-Transport-Security")
	}
	for _, name := range wanted {
		got := answer.header.Get(name)
		switch {
		case got == "":
			return failed("GET / answers without %s", name)
		case name == "X-Content-Type-Options" && !strings.EqualFold(got, "nosniff"),
			name == "Strict-Transport-Security" && !lasting.MatchString(got):
			return failed("GET / answers with %s: %s, which protects from nothing", name, got)
		}
	}
	return ok("GET / has %s", strings.Join(wanted, ", "))
}

func nameResolves(ctx context.Context, s *system, _ []string) Finding {
	u, err := s.public()
	if err != nil {
		return from(err)
	}
	name := u.Hostname()
	if net.ParseIP(name) != nil {
		return failed("%s is an address and no name", name)
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	addresses, err := s.Lookup(ctx, name)
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && !dns.IsNotFound:
		return from(notLooked{fmt.Sprintf("the address of %s cannot be asked for: %v", name, err), "dig +short " + name})
	case err != nil || len(addresses) == 0:
		return failed("%s has no address: %v", name, err)
	}
	slices.Sort(addresses)
	for _, address := range addresses {
		if ip := net.ParseIP(address); ip == nil || ip.IsLoopback() || ip.IsUnspecified() || ip.IsLinkLocalUnicast() {
			return failed("%s leads to %s, which each machine has for itself", name, address)
		}
	}
	return ok("%s leads to %s", name, strings.Join(addresses, ", "))
}
