package stack

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/schedgen/schedgen/shared/dev/stack/fakegoogle"
)

// FakeGoogle is the value of Config.Google that serves a stand-in of Google beside the system.
const FakeGoogle = "fake"

// fakeClientID is schedgen's own name at the stand-in.
const fakeClientID = "schedgen-local"

// fakeGoogle serves the stand-in on a port of its own and gives google-sync's settings for it. What it
// holds is in memory.
func (s *System) fakeGoogle(ctx context.Context) (settings map[string]string, err error) {
	listener, err := s.listen(ctx, net.JoinHostPort(s.cfg.Host, "0"))
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(s.listening)
	if err != nil {
		return nil, err
	}
	const callback = "/api/auth/google/callback"
	redirects := []string{s.url + callback, "http://127.0.0.1:" + port + callback}
	if address, ok := s.cfg.Settings.Lookup("PUBLIC_URL"); ok {
		redirects = append(redirects, address+callback)
	}
	secret := token()
	s.google, err = fakegoogle.New(fakegoogle.Config{
		BaseURL: publicURL(listener.Addr()),
		Users:   []fakegoogle.User{{Email: "student@tuks.example", Name: "A Student"}, {Email: "lecturer@up.example", Name: "A Lecturer"}},
		Clients: []fakegoogle.Client{{ID: fakeClientID, Secret: secret, Name: "schedgen", Redirects: redirects}},
	})
	if err != nil {
		return nil, err
	}
	s.serveFakeGoogle(listener)
	return map[string]string{
		"GOOGLE_CLIENT_ID": fakeClientID, "GOOGLE_CLIENT_SECRET": secret,
		"GOOGLE_ISSUER": s.google.Issuer(), "GOOGLE_CALENDAR_URL": s.google.CalendarURL(),
	}, nil
}

func (s *System) serveFakeGoogle(listener net.Listener) {
	web := &http.Server{
		Handler: s.google, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: time.Minute, WriteTimeout: time.Minute,
		ErrorLog: slog.NewLogLogger(s.cfg.Logger.Handler(), slog.LevelWarn),
	}
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(listener) }()
	s.onStop(func() error {
		err := web.Close()
		if serving := <-ended; !errors.Is(serving, http.ErrServerClosed) {
			err = errors.Join(err, serving)
		}
		return err
	})
	s.logf("a stand-in of Google serves %s: its calendars are shown there, and kept until the end", publicURL(listener.Addr()))
}
