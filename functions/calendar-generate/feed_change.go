package calendargenerate

import (
	"errors"
	"net/http"

	"github.com/schedgen/schedgen/functions/calendar-generate/feed"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/calendarhttp"
	"github.com/schedgen/schedgen/shared/newest"
	"github.com/schedgen/schedgen/shared/pack"
)

// feedChanged is the answer to PUT /api/feeds/{token}: what the feed shows now.
type feedChanged struct {
	Events   int                `json:"events"`
	Clashes  []calendar.Clash   `json:"clashes"`
	Warnings []calendar.Warning `json:"warnings"`
	Notes    []string           `json:"notes,omitempty"`
}

// changeFeed answers PUT /api/feeds/{token}, which takes a feed's id as well: other choices, such as another room
// this week, at the address that programs are subscribed to. Like those of a new feed, choices that do not fit
// what is there now are refused. Events that they do not touch keep their SEQUENCE.
func (f *Function) changeFeed(r *http.Request) (any, error) {
	owner, ok := f.sessions.Owner(r)
	if !ok {
		return nil, api.New(api.FeedNotFound)
	}
	var asked calendarhttp.Choices
	if err := calendarhttp.ReadJSON(r, f.cfg.BodyLimit, &asked); err != nil {
		return nil, err
	}
	if err := asked.ApplySemester(); err != nil {
		return nil, err
	}
	known, err := f.feeds.FindOwned(r.Context(), owner, string(tokenOf(r)))
	if err != nil {
		return nil, feedError(err)
	}
	all, err := newest.Of(r.Context(), f.jobs, owner)
	if err != nil {
		return nil, err
	}
	options, chosen := feed.Options{Options: asked.Options, SavedColors: known.Options.SavedColors}, f.now()
	rendering, err := f.strictRendering(r.Context(), all.OfKinds(known.Options.Kinds), &options, chosen)
	if err != nil {
		return nil, calendarhttp.APIError(err)
	}
	if _, err := f.feeds.SetOptions(r.Context(), known.ID, options.Options, chosen, rendering); err != nil {
		return nil, feedError(err)
	}
	cal := rendering.Calendar
	return api.Response{
		Status: http.StatusOK,
		Header: api.NoStore(),
		Body:   feedChanged{Events: len(cal.Items), Clashes: cal.Clashes, Warnings: cal.Warnings, Notes: cal.Notes},
	}, nil
}

// feedError tells a feed that is not there, or that is too long, from what went wrong.
func feedError(err error) error {
	if errors.Is(err, pack.ErrTooLong) {
		return api.New(api.PayloadTooLarge).WithMessage("Your timetables have too much text for one feed. Choose fewer modules, or delete timetables that you no longer need.")
	}
	if errors.Is(err, feed.ErrNotFound) {
		return api.New(api.FeedNotFound)
	}
	return err
}
