package calendargenerate

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/dev/testkit/tabletest"
	"github.com/schedgen/schedgen/shared/timetable"
)

// listed gives the student's feeds as they are told.
func (s student) listed() []feedListed {
	s.Helper()
	var list feedList
	body := answered(s, s.call("GET", "/api/feeds", ""), 200)
	if err := json.Unmarshal([]byte(body), &list); err != nil || list.Feeds == nil {
		s.Fatalf("the list is %s, %v", body, err)
	}
	return list.Feeds
}

// TestFeedWhoseAddressIsLostCanBeEnded: its owner would be left with feeds that count, for ever.
func TestFeedWhoseAddressIsLostCanBeEnded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.f.cfg.FeedsPerOwner = 2
	s, other := w.student(), w.student()
	if got := s.listed(); len(got) != 0 {
		t.Errorf("before any, the feeds are %+v", got)
	}
	id := s.uploaded(tabletest.Tests())
	lost := s.subscribed(`{"jobId":"` + id + `","year":2026,"name":"Mine"}`)
	kept := s.subscribed(feedOptions)
	s.uploaded(tabletest.Exams())
	feeds := s.listed()
	if len(feeds) != 2 || feeds[0].Options.Name != "Mine" || !slices.Equal(feeds[0].Kinds, []timetable.Kind{timetable.Test}) || feeds[0].Events != 3 ||
		len(feeds[1].Kinds) != 0 || feeds[1].Events != 5 || !slices.Equal(feeds[1].Options.Reminders, []int{10}) || time.Since(feeds[1].CreatedAt).Abs() > time.Hour {
		t.Fatalf("the feeds are %+v, want the one of 3 tests and the one of 3 tests and 2 exams", feeds)
	}
	address := "/api/feeds/" + feeds[0].ID
	refused(t, call(t, w.f, "GET", address, ""), 404, api.FeedNotFound) // an id is no secret, and opens nothing
	refused(t, other.call("DELETE", address, ""), 404, api.FeedNotFound)
	refused(t, call(t, w.f, "GET", "/api/feeds", ""), 401, api.Unauthorized)
	if got := other.listed(); len(got) != 0 {
		t.Errorf("another's feeds are %+v, want none", got)
	}
	answered(t, s.call("DELETE", address, ""), 204)
	refused(t, call(t, w.f, "GET", lost, ""), 404, api.FeedNotFound)
	if got := s.listed(); len(got) != 1 || got[0].ID != feeds[1].ID {
		t.Errorf("left are %+v, want %s", got, feeds[1].ID)
	}
	w.fetch(kept)
	s.subscribed(feedOptions)
}

// TestFeedListTellsWhenAProgramFetchedIt, and nothing on the first day, on which that is not noted.
func TestFeedListTellsWhenAProgramFetchedIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.student()
	s.uploaded(tabletest.Tests())
	address := s.subscribed(feedOptions)
	w.fetch(address)
	if got := s.listed(); got[0].FetchedAt != nil {
		t.Errorf("on its first day it was fetched at %v, want no time", got[0].FetchedAt)
	}
	later := time.Now().Add(48 * time.Hour)
	w.f.now = func() time.Time { return later }
	w.fetch(address)
	if got := s.listed(); got[0].FetchedAt == nil || got[0].FetchedAt.Sub(later).Abs() > time.Second {
		t.Errorf("fetched at %v, want %v", got[0].FetchedAt, later)
	}
}

func TestFeedListTellsNoAddress(t *testing.T) {
	t.Parallel()
	s := newWorld(t).student()
	path := s.subscribed(feedOptions)
	token := strings.TrimSuffix(strings.TrimPrefix(path, "/api/feeds/"), ".ics")
	res := s.call("GET", "/api/feeds", "")
	if body := answered(t, res, 200); strings.Contains(body, token) || res.Header.Get("Cache-Control") != "private, no-store" {
		t.Errorf("the list is %s with %v", body, res.Header)
	}
}

// TestPagesOfOtherSitesChangeNoFeeds: a browser sends our cookie with whatever they have it send.
func TestPagesOfOtherSitesChangeNoFeeds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	origins, err := api.NewOrigins("https://app.example.org")
	if err != nil {
		t.Fatal(err)
	}
	w.f.origins = origins
	s := w.student()
	cookie := w.f.sessions.Cookie(s.owner)
	for _, test := range []struct {
		headers []string
		refused bool
	}{
		{[]string{"Sec-Fetch-Site", "same-site", "Origin", "https://other.example.com"}, true},
		{[]string{"Origin", "https://other.example.com"}, true},
		{[]string{"Sec-Fetch-Site", "cross-site", "Origin", "https://app.example.org"}, false},
		{[]string{"Sec-Fetch-Site", "same-origin"}, false},
	} {
		path := s.subscribed(feedOptions)
		headers := append(test.headers, "Cookie", cookie.Name+"="+cookie.Value)
		made, ended := call(t, w.f, "POST", "/api/feeds", feedOptions, headers...), call(t, w.f, "DELETE", path, "", headers...)
		if !test.refused {
			answered(t, made, 201)
			answered(t, ended, 204)
			continue
		}
		refused(t, made, 403, api.Forbidden)
		refused(t, ended, 403, api.Forbidden)
		w.fetch(path)
	}
}
