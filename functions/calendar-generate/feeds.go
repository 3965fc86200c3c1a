package calendargenerate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/schedgen/schedgen/functions/calendar-generate/feed"
	"github.com/schedgen/schedgen/functions/calendar-generate/ics"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/calendarhttp"
	"github.com/schedgen/schedgen/shared/newest"
	"github.com/schedgen/schedgen/shared/timetable"
)

// feedCreated is the answer to POST /api/feeds. The token is told this once and never again.
type feedCreated struct {
	ID        string             `json:"id"` // as the list has it
	Token     string             `json:"token"`
	URL       string             `json:"url"`
	WebcalURL string             `json:"webcalUrl"` // opens the calendar program of most devices
	Events    int                `json:"events"`
	Clashes   []calendar.Clash   `json:"clashes"`
	Warnings  []calendar.Warning `json:"warnings"`
	Notes     []string           `json:"notes,omitempty"`
}

// feedRequest is the body of POST /api/feeds.
type feedRequest struct {
	calendarhttp.Choices
	JobID string `json:"jobId" most:"100"`
}

// createFeed answers POST /api/feeds: an address to subscribe to, made of all that the caller uploaded
// and will upload, or, with a jobId, of timetables of that job's kind alone. Options that do not fit
// what is there now are refused now; what later uploads make of them is told in the feed itself, and
// never ends the subscription.
func (f *Function) createFeed(r *http.Request) (any, error) {
	owner, ok := f.sessions.Owner(r)
	if !ok {
		return nil, api.New(api.Unauthorized).WithMessage("You have no timetable here yet. Upload one first: the feed shows what you uploaded.")
	}
	options, err := f.feedOptions(r)
	if err != nil {
		return nil, err
	}
	all, err := newest.Of(r.Context(), f.jobs, owner)
	if err != nil {
		return nil, err
	}
	first, err := f.strictRendering(r.Context(), all.OfKinds(options.Kinds), &options, time.Time{})
	if err != nil {
		return nil, calendarhttp.APIError(err)
	}
	token, cal := feed.NewToken(), first.Calendar
	created, err := f.feeds.Create(r.Context(), owner, token, options, f.cfg.FeedsPerOwner, first)
	if errors.Is(err, feed.ErrTooMany) {
		return nil, api.New(api.Conflict, map[string]int{"limit": f.cfg.FeedsPerOwner}).
			WithMessage("You have as many feeds as one person can have. Delete one first.")
	}
	if err != nil {
		return nil, feedError(err)
	}
	address := f.feedURL(r, token)
	return api.Response{
		Status: http.StatusCreated,
		Header: http.Header{"Location": {address}, "Cache-Control": {"private, no-store"}},
		Body: feedCreated{
			ID: created.ID, Token: string(token), URL: address, WebcalURL: webcal(address),
			Events: len(cal.Items), Clashes: cal.Clashes, Warnings: cal.Warnings, Notes: cal.Notes,
		},
	}, nil
}

// strictRendering is what a feed says with new choices, which were made at that moment; that of a new feed is zero.
// Dates that its owner typed before are added to the options: the feed needs them again with each newer upload.
func (f *Function) strictRendering(ctx context.Context, source newest.Timetables, options *feed.Options, chosen time.Time) (feed.Rendering, error) {
	known, err := f.years.Reload(ctx) // what is written here is not held against newer years
	if err != nil {
		return feed.Rendering{}, err
	}
	given := options.Terms
	var cal calendar.Calendar
	err = f.typed.Build(ctx, known, source.Owner, &options.Options, func(o calendar.Options) (err error) {
		cal, err = source.Build(ctx, options.SavedColors.Apply(o), f.now())
		return err
	})
	if err != nil {
		return feed.Rendering{}, err
	}
	f.typed.Save(ctx, known, source.Owner, given)
	return f.rendering(source, chosen, options.Options, cal, known), nil
}

// feedOptions reads what a new feed shall show.
func (f *Function) feedOptions(r *http.Request) (feed.Options, error) {
	var asked feedRequest
	if err := calendarhttp.ReadJSON(r, f.cfg.BodyLimit, &asked); err != nil {
		return feed.Options{}, err
	}
	if err := asked.ApplySemester(); err != nil {
		return feed.Options{}, err
	}
	options := feed.Options{Options: asked.Options}
	if asked.JobID == "" {
		return options, nil
	}
	job, err := f.ownJob(r, asked.JobID)
	if err != nil {
		return feed.Options{}, err
	}
	options.Kinds = []timetable.Kind{job.Kind}
	return options, nil
}

// feedList is the answer to GET /api/feeds.
type feedList struct {
	Feeds []feedListed `json:"feeds"` // the oldest first
}

// feedListed is what an owner tells feeds apart by. Its address cannot be told: only a hash of it is stored.
type feedListed struct {
	ID        string           `json:"id"` // for DELETE /api/feeds/{id}; it opens no feed
	CreatedAt time.Time        `json:"createdAt"`
	Kinds     []timetable.Kind `json:"kinds"` // the timetables that it shows; all when empty
	Options   calendar.Options `json:"options"`
	Events    int              `json:"events"`
	FetchedAt *time.Time       `json:"fetchedAt,omitempty"` // when a program last fetched it, to a day; none in its first day
}

// listFeeds answers GET /api/feeds: the caller's feeds as their subscribers would find them now, so that
// one whose address is lost can still be ended.
func (f *Function) listFeeds(r *http.Request) (any, error) {
	owner, ok := f.sessions.Owner(r)
	if !ok {
		return nil, api.New(api.Unauthorized).WithMessage("You have no timetable here yet. Upload one first.")
	}
	list := feedList{Feeds: []feedListed{}}
	err := f.refreshAll(r.Context(), owner, func(known feed.Feed) {
		var fetched *time.Time
		if known.Fetched.After(known.Created) {
			fetched = &known.Fetched
		}
		list.Feeds = append(list.Feeds, feedListed{
			FetchedAt: fetched,
			ID:        known.ID, CreatedAt: known.Created, Options: known.Options.Options,
			Kinds: append([]timetable.Kind{}, known.Options.Kinds...), Events: ics.Events(known.Body),
		})
	})
	if err != nil {
		return nil, err
	}
	return api.Response{Status: http.StatusOK, Header: api.NoStore(), Body: list}, nil
}

// deleteFeed answers DELETE /api/feeds/{token}, which takes a feed's id as well: the address ends.
func (f *Function) deleteFeed(r *http.Request) (any, error) {
	owner, ok := f.sessions.Owner(r)
	if !ok {
		return nil, api.New(api.FeedNotFound)
	}
	err := f.feeds.Delete(r.Context(), owner, string(tokenOf(r)))
	if errors.Is(err, feed.ErrNotFound) {
		return nil, api.New(api.FeedNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("end the feed: %w", err)
	}
	return api.Response{Status: http.StatusNoContent}, nil
}

// tokenOf reads the token of the address, with or without its .ics.
func tokenOf(r *http.Request) feed.Token {
	return feed.Token(strings.TrimSuffix(r.PathValue("token"), ".ics"))
}

// feedURL is the feed's address as its subscribers reach it.
func (f *Function) feedURL(r *http.Request, token feed.Token) string {
	return api.Site(r, f.cfg.PublicURL) + "/api/feeds/" + url.PathEscape(string(token)) + ".ics"
}

// webcal is the address in the scheme that calendar programs have for subscriptions.
func webcal(address string) string {
	_, rest, _ := strings.Cut(address, "://")
	return "webcal://" + rest
}
