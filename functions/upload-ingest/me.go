package uploadingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/personal"
)

// exportMe answers GET /api/me: everything that the database has of the caller.
func (f *Function) exportMe(r *http.Request) (any, error) {
	owner, ok := f.sessions.Owner(r)
	if !ok {
		return nil, api.New(api.Unauthorized).WithMessage("You have nothing here yet, so there is nothing to download.")
	}
	write, err := f.people.Export(r.Context(), owner, time.Now())
	if err != nil {
		return nil, err
	}
	header := http.Header{"Cache-Control": {"private, no-store"}, "X-Content-Type-Options": {"nosniff"},
		"Content-Disposition": {`attachment; filename="schedgen.json"`}}
	return api.Response{Header: header, ContentType: "application/json; charset=utf-8", Body: export{r.Context(), write}}, nil
}

// export is an answer that is written in pieces.
type export struct {
	ctx   context.Context
	write func(io.Writer) error
}

// WriteTo breaks the connection after an error: half an export must not look like a whole one.
func (e export) WriteTo(w io.Writer) (int64, error) {
	if err := e.write(w); err != nil {
		api.Logger(e.ctx).ErrorContext(e.ctx, "export broken off", "error", err.Error())
		panic(http.ErrAbortHandler)
	}
	return 0, nil
}

// deletionAnswer is what became of a wish to delete everything.
type deletionAnswer struct {
	Message            string     `json:"message"`
	RequestedAt        time.Time  `json:"requestedAt"`
	Complete           bool       `json:"complete"`           // nothing is left but in backups; else the rest follows by itself
	GoogleAccessEnding bool       `json:"googleAccessEnding"` // Google is asked within a minute to end the access
	BackupsUntil       *time.Time `json:"backupsUntil"`       // the last day on which a backup may hold it; null without backups
}

// deleteMe answers DELETE /api/me: everything of the caller is deleted, and all sessions end. Once the wish is noted the
// answer is a success: what fails or takes too long, the sweep does. A repeated request tells how far it is, although
// the session has ended.
func (f *Function) deleteMe(r *http.Request) (any, error) {
	owner, ok := f.sessions.SignedOwner(r)
	if !ok {
		return nil, api.New(api.Unauthorized).WithMessage("You have nothing here, so there is nothing to delete.")
	}
	deletion, err := f.people.Status(r.Context(), owner)
	if errors.Is(err, personal.ErrNotFound) {
		if _, ok := f.sessions.Owner(r); !ok {
			return nil, api.New(api.Unauthorized).WithMessage("This session has ended. Sign in again to delete what you have here.")
		}
		deletion, err = f.people.Request(r.Context(), owner)
	}
	if err != nil {
		return nil, err
	}
	return f.deleted(f.erase(r.Context(), owner, deletion)), nil
}

const (
	eraseTime  = 10 * time.Second // for which a request works on a deletion
	statusTime = 2 * time.Second  // for which it then waits to be told how far it came
)

// erase works on a deletion for a bounded time, and returns how far it is as far as that can be found out.
func (f *Function) erase(ctx context.Context, owner string, d personal.Deletion) personal.Deletion {
	working, cancel := context.WithTimeout(ctx, f.eraseTime)
	erased, err := f.eraser.Person(working, owner)
	cancel()
	asking, cancel := context.WithTimeout(ctx, statusTime)
	defer cancel()
	after, statusErr := f.people.Status(asking, owner)
	if err := errors.Join(err, statusErr); err != nil {
		api.Logger(ctx).WarnContext(ctx, "deletion not complete, the sweep goes on", "error", err.Error())
	}
	if statusErr == nil {
		d = after
	}
	d.Erased = d.Erased || erased
	return d
}

// deleted is the answer about a deletion.
func (f *Function) deleted(d personal.Deletion) api.Response {
	answer := deletionAnswer{RequestedAt: d.Requested.UTC(), Complete: d.Erased, GoogleAccessEnding: d.Google}
	answer.Message = "Everything that we had of you is deleted."
	status := http.StatusOK
	if !d.Erased {
		answer.Message = "We are deleting everything that we have of you. This continues by itself; you need not do anything."
		status = http.StatusAccepted
	}
	if d.Google {
		answer.Message += " Our access to your Google account ends within a few minutes. Events that we added to your Google calendars stay there until you delete them."
	}
	if f.cfg.BackupRetention > 0 {
		until := d.Requested.Add(f.cfg.BackupRetention).UTC()
		answer.BackupsUntil = &until
		answer.Message += fmt.Sprintf(" Encrypted backups may hold it until %s. If we ever restore one, we delete it there again.", until.In(calendar.Zone).Format("2 January 2006"))
	}
	header := api.NoStore()
	f.sessions.ClearCookies(header)
	return api.Response{Status: status, Header: header, Body: answer}
}
