package googlesync

import (
	"context"
	"errors"

	"github.com/schedgen/schedgen/functions/google-sync/account"
	"github.com/schedgen/schedgen/functions/google-sync/google"
	"github.com/schedgen/schedgen/shared/api"
)

// client calls Google for an account.
func (f *Function) client(ctx context.Context, person account.Account) (*google.Client, error) {
	return f.google.Of(ctx, person.ID, tokens{f.tokens.Of(person)})
}

// tokens gives an account's access tokens in the client's words.
type tokens struct{ *account.Source }

func (t tokens) Token(ctx context.Context) (string, error) {
	token, err := t.Source.Token(ctx)
	return token, inWords(err)
}

func (t tokens) Renew(ctx context.Context, refused string) (string, error) {
	token, err := t.Source.Renew(ctx, refused)
	return token, inWords(err)
}

func inWords(err error) error {
	if errors.Is(err, account.ErrRevoked) {
		return &google.Error{Kind: google.SignIn, Err: err}
	}
	return err
}

// fromGoogle is what went wrong at Google, as the caller sees it. An account that Google does not know any
// more is noted as signed out; nothing else of it changes.
func (f *Function) fromGoogle(ctx context.Context, person account.Account, err error) error {
	var e *google.Error
	if !errors.As(err, &e) {
		return err
	}
	code := codeOf(e)
	if code == api.SignInRequired {
		if err := f.accounts.End(ctx, person); err != nil {
			return err
		}
	}
	return api.New(code).After(e.RetryAfter).Wrap(err)
}

// codeOf is the CODE of what went wrong at Google.
func codeOf(e *google.Error) string {
	switch e.Kind {
	case google.SignIn:
		return api.SignInRequired
	case google.Forbidden:
		return api.PermissionMissing
	case google.NotFound:
		return api.CalendarNotFound
	case google.Throttled, google.Unavailable:
		return api.GoogleUnavailable
	}
	return api.GoogleRefused
}
