package calendargenerate

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"

	"github.com/schedgen/schedgen/functions/calendar-generate/feed"
	"github.com/schedgen/schedgen/functions/calendar-generate/ics"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/newest"
)

// serveFeed answers GET /api/feeds/{token}.ics, with 304 if the program's copy is current. If the owner has uploaded
// since, it refreshes the feed first.
func (f *Function) serveFeed(w http.ResponseWriter, r *http.Request) {
	known, err := f.fetch(r)
	if err != nil {
		api.WriteError(w, r, err)
		return
	}
	body := ics.WithSource(known.Body, f.feedURL(r, tokenOf(r)))
	sum := sha256.Sum256(body)
	header := w.Header()
	header.Set("Content-Type", ics.ContentType)
	header.Set("ETag", `"`+hex.EncodeToString(sum[:16])+`"`)
	header.Set("Cache-Control", "private, max-age=300")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	http.ServeContent(w, r, "", known.LastModified, bytes.NewReader(body))
}

func (f *Function) fetch(r *http.Request) (feed.Feed, error) {
	known, err := f.feeds.Find(r.Context(), tokenOf(r))
	if errors.Is(err, feed.ErrNotFound) {
		return feed.Feed{}, api.New(api.FeedNotFound)
	}
	if err == nil && f.now().Sub(known.Fetched) > f.cfg.FeedUnfetched {
		return feed.Feed{}, api.New(api.FeedNotFound) // it ends with the next clearing
	}
	if err == nil {
		err = f.feeds.MarkFetched(r.Context(), known, f.now())
	}
	if err != nil {
		return feed.Feed{}, err
	}
	s, err := newest.Of(r.Context(), f.jobs, known.Owner)
	if err != nil {
		return feed.Feed{}, err
	}
	known, err = f.refresh(r.Context(), s, known)
	return known, feedError(err)
}
