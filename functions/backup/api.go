package backup

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/schedgen/schedgen/functions/backup/archive"
	"github.com/schedgen/schedgen/functions/backup/store"
	"github.com/schedgen/schedgen/shared/api"
)

// create makes a backup and answers when it is verified: 201, or 409 while another is being made.
func (f *Function) create(r *http.Request) (any, error) {
	m, err := f.Run(r.Context())
	if err != nil {
		return nil, apiError(err)
	}
	return api.Response{Status: http.StatusCreated, Body: m.Summary()}, nil
}

// list answers with all backups; ?offsite=true with those of the second bucket.
func (f *Function) list(r *http.Request) (any, error) {
	offsite, err := offsiteParam(r)
	if err != nil {
		return nil, err
	}
	list, err := f.List(r.Context(), offsite)
	return list, apiError(err)
}

func (f *Function) get(r *http.Request) (any, error) {
	m, err := f.store.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		return nil, apiError(err)
	}
	return m.Summary(), nil
}

// verify verifies a backup now. That a backup is bad is an answer, not an error.
func (f *Function) verify(r *http.Request) (any, error) {
	offsite, err := offsiteParam(r)
	if err != nil {
		return nil, err
	}
	m, err := f.Verify(r.Context(), r.PathValue("id"), offsite)
	if err != nil && !archive.IsDamage(err) {
		return nil, apiError(err)
	}
	return m.Summary(), nil
}

func offsiteParam(r *http.Request) (bool, error) {
	text := r.URL.Query().Get("offsite")
	if text == "" {
		return false, nil
	}
	offsite, err := strconv.ParseBool(text)
	if err != nil {
		return false, api.New(api.ValidationFailed, map[string]string{"field": "offsite"}).WithMessage("The value of offsite is not known. Use true or false.")
	}
	return offsite, nil
}

// apiError maps the errors that a caller can act on.
func apiError(err error) error {
	switch {
	case errors.Is(err, store.ErrLocked):
		return api.New(api.Conflict).Wrap(err).WithMessage("Another backup, verification or restore is running. Wait until it has finished.").WithRetryAfter(time.Minute)
	case errors.Is(err, store.ErrNotFound):
		return api.New(api.NotFound).Wrap(err).WithMessage("There is no backup of this id. Check GET /api/admin/backups for those there are.")
	case errors.Is(err, ErrDisabled):
		return api.New(api.Conflict).Wrap(err).WithMessage("Backups are turned off. Set BACKUP_RECIPIENTS to turn them on.")
	}
	return err
}
