package account

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"github.com/schedgen/schedgen/shared/api"
)

// UnavailableError means that Google cannot be reached or does not answer.
type UnavailableError struct{ Err error }

func (e *UnavailableError) Error() string { return "Google unavailable: " + e.Err.Error() }

func (e *UnavailableError) Unwrap() error { return e.Err }

// Unavailable is the CODE that package api answers.
func (e *UnavailableError) Unavailable() string { return api.GoogleUnavailable }

// tokenError says what went wrong at the token endpoint, without its answer, which may hold a token.
func tokenError(err error) error {
	var answer *oauth2.RetrieveError
	if !errors.As(err, &answer) {
		return &UnavailableError{quiet(err)}
	}
	status := 0
	if answer.Response != nil {
		status = answer.Response.StatusCode
	}
	switch {
	case answer.ErrorCode == "invalid_grant":
		return ErrRevoked
	case status >= 500 || status == http.StatusTooManyRequests:
		return &UnavailableError{fmt.Errorf("status %d", status)}
	}
	return fmt.Errorf("status %d, %.40q", status, answer.ErrorCode)
}

// quiet is what is safe to log of an error: neither the address that was called nor its answer.
func quiet(err error) error {
	var call *url.Error
	if errors.As(err, &call) {
		return call.Err
	}
	if text := err.Error(); len(text) > 120 {
		return errors.New(strings.ToValidUTF8(text[:120], "") + "...")
	}
	return err
}

// refresh exchanges a refresh token for an access token.
func (s *SignIns) refresh(ctx context.Context, refresh string) (*oauth2.Token, error) {
	p, err := s.discover(ctx)
	if err != nil {
		return nil, err
	}
	token, err := s.oauth(p, "", Own).TokenSource(s.within(ctx), &oauth2.Token{RefreshToken: refresh}).Token()
	if err != nil {
		return nil, tokenError(err)
	}
	return token, nil
}

// Revoke asks Google to end a refresh token and its access tokens. A token that Google does not know counts as ended.
func (s *SignIns) Revoke(ctx context.Context, refresh string) error {
	p, err := s.discover(ctx)
	if err != nil {
		return err
	}
	if p.revocation == "" {
		return errors.New("revoke a token: Google names no address for it")
	}
	form := url.Values{"token": {refresh}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.revocation, strings.NewReader(form.Encode()))
	if err != nil {
		return errors.New("revoke a token: make the request")
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := s.client.Do(request)
	if err != nil {
		return &UnavailableError{fmt.Errorf("revoke a token: %w", quiet(err))}
	}
	defer response.Body.Close()                                       // read below
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10)) // so that the connection is used again
	if response.StatusCode >= 500 || response.StatusCode == http.StatusTooManyRequests {
		return &UnavailableError{fmt.Errorf("revoke a token: status %d", response.StatusCode)}
	}
	return nil
}

// maxTokens bounds how many access tokens are kept in memory.
const maxTokens = 2000

// Tokens keeps access tokens in memory for as long as they hold, by the sealed refresh token they were
// made of: a new sign-in is a new entry, and nothing of an account that is gone is ever asked for.
type Tokens struct {
	store   *Store
	signIns *SignIns

	mu  sync.Mutex
	all map[string]*oauth2.Token
}

// NewTokens is an empty memory.
func NewTokens(store *Store, signIns *SignIns) *Tokens {
	return &Tokens{store: store, signIns: signIns, all: make(map[string]*oauth2.Token)}
}

// Of is the source of the account's tokens.
func (t *Tokens) Of(a Account) *Source { return &Source{t, a} }

// Source gives one account's access tokens.
type Source struct {
	tokens  *Tokens
	account Account
}

// Token is an access token that stays valid for at least a minute. ErrRevoked means that the person must sign in
// again.
func (s *Source) Token(ctx context.Context) (string, error) {
	t := s.tokens
	t.mu.Lock()
	known := t.all[string(s.account.sealed)]
	t.mu.Unlock()
	if known != nil && known.Expiry.Sub(t.signIns.now()) > time.Minute {
		return known.AccessToken, nil
	}
	return s.Renew(ctx, "")
}

// Renew makes a new access token, whatever the known one is worth.
func (s *Source) Renew(ctx context.Context, _ string) (string, error) {
	refresh, err := s.tokens.store.RefreshToken(s.account)
	if err != nil {
		return "", ErrRevoked // none, or sealed by a key that is gone: only the person can help
	}
	token, err := s.tokens.signIns.refresh(ctx, refresh)
	if err != nil {
		return "", err
	}
	t := s.tokens
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.all) >= maxTokens {
		clear(t.all)
	}
	t.all[string(s.account.sealed)] = token
	return token.AccessToken, nil
}
