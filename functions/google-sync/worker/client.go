package worker

import (
	"context"
	"errors"

	"github.com/schedgen/schedgen/functions/google-sync/account"
	"github.com/schedgen/schedgen/functions/google-sync/google"
	"github.com/schedgen/schedgen/shared/api"
)

// Client calls Google for an account.
func (w *Worker) Client(ctx context.Context, person account.Account) (*google.Client, error) {
	return w.google.Of(ctx, person.ID, w.tokens.Of(person))
}

// APIError is a failed call to Google as an *api.Error with its code. An account whose access Google has ended is
// marked as signed out. Any other error stays as it is.
func (w *Worker) APIError(ctx context.Context, person account.Account, err error) error {
	var e *google.Error
	if !errors.As(err, &e) {
		return err
	}
	code := codeOf(e)
	if code == api.SignInRequired {
		if err := w.accounts.End(ctx, person); err != nil {
			return err
		}
	}
	return api.New(code).WithRetryAfter(e.RetryAfter).Wrap(err)
}

// codeOf is the code in package api for a failed call to Google.
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
