package backup

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/schedgen/schedgen/functions/backup/store"
	"github.com/schedgen/schedgen/shared/api"
)

// Shown is a backup as the API and the command tell of it.
type Shown struct {
	store.Manifest
	Status    string `json:"status"` // verified, checked, unverified or failed
	DumpBytes int64  `json:"dumpBytes"`
	Parts     int    `json:"parts"`

	// These hide the manifest's lists of hashes, which are for machines that read the bucket.
	Dump        *struct{} `json:"dump,omitempty"`
	Contents    *struct{} `json:"contents,omitempty"`
	ObjectNames *struct{} `json:"objectNames,omitempty"`
}

// Show is the backup as it is told.
func Show(m store.Manifest) Shown {
	return Shown{Manifest: m, Status: m.Status(), Parts: len(m.Dump.Parts), DumpBytes: m.Dump.Size}
}

// Listed is every backup, the newest first, and what they amount to.
type Listed struct {
	Healthy  bool       `json:"healthy"`
	LastGood string     `json:"lastGood,omitempty"`
	At       *time.Time `json:"lastGoodAt,omitempty"`
	Reason   string     `json:"reason,omitempty"`
	Backups  []Shown    `json:"backups"`
}

// List gives the backups of the bucket, or of the second one.
func (f *Function) List(ctx context.Context, offsite bool) (Listed, error) {
	bucket, err := f.bucket(offsite)
	if err != nil {
		return Listed{}, err
	}
	if err := bucket.Ready(ctx); err != nil {
		return Listed{}, err
	}
	list, err := bucket.List(ctx)
	if err != nil {
		return Listed{}, err
	}
	s := f.judge(list, time.Time{})
	out := Listed{Healthy: s.Healthy, LastGood: s.LastGood, At: s.At, Reason: s.Reason, Backups: []Shown{}}
	for _, m := range list {
		out.Backups = append(out.Backups, Show(m))
	}
	return out, nil
}

// start makes a backup and answers when it is verified: 201, or 409 while another is being made.
func (f *Function) start(r *http.Request) (any, error) {
	m, err := f.Run(r.Context())
	if err != nil {
		return nil, refusal(err)
	}
	return api.Response{Status: http.StatusCreated, Body: Show(m)}, nil
}

// list answers with all backups; ?offsite=true with those of the second bucket.
func (f *Function) list(r *http.Request) (any, error) {
	offsite, err := offsiteOf(r)
	if err != nil {
		return nil, err
	}
	list, err := f.List(r.Context(), offsite)
	return list, refusal(err)
}

// one answers with a backup.
func (f *Function) one(r *http.Request) (any, error) {
	m, err := f.store.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		return nil, refusal(err)
	}
	return Show(m), nil
}

// verifyOne verifies a backup now. One that is found bad is an answer, not an error.
func (f *Function) verifyOne(r *http.Request) (any, error) {
	offsite, err := offsiteOf(r)
	if err != nil {
		return nil, err
	}
	m, err := f.Verify(r.Context(), r.PathValue("id"), offsite)
	if err != nil && !condemns(err) {
		return nil, refusal(err)
	}
	return Show(m), nil
}

func offsiteOf(r *http.Request) (bool, error) {
	text := r.URL.Query().Get("offsite")
	if text == "" {
		return false, nil
	}
	offsite, err := strconv.ParseBool(text)
	if err != nil {
		return false, api.New(api.ValidationFailed, map[string]string{"field": "offsite"}).Say("The value of offsite is not known. Use true or false.")
	}
	return offsite, nil
}

// refusal is what a caller can act on.
func refusal(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrLocked):
		return api.New(api.Conflict).Wrap(err).Say("Another backup, verification or restore is running. Wait until it has finished.").After(time.Minute)
	case errors.Is(err, store.ErrUnknown):
		return api.New(api.NotFound).Wrap(err).Say("There is no backup of this id. Check GET /api/admin/backups for those there are.")
	case errors.Is(err, ErrDisabled):
		return api.New(api.Conflict).Wrap(err).Say("Backups are turned off. Set BACKUP_RECIPIENTS to turn them on.")
	}
	return err
}
