package feed_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/schedgen/schedgen/functions/calendar-generate/feed"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/timetable"
)

var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// rendering is a calendar of one test in a room.
func rendering(t *testing.T, source, room string, now time.Time) feed.Rendering {
	t.Helper()
	cal, err := calendar.Build([]calendar.Event{{
		ID: "a", Kind: timetable.Test, Module: "COS 212", Test: "Test1", Date: "2026-08-03",
		StartTime: "10:00", EndTime: "11:30", Venue: room,
	}}, calendar.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return feed.Rendering{Sources: source, Calendar: cal, Refresh: time.Hour, Now: now}
}

func create(t *testing.T, s *feed.Store, owner string) (feed.Token, feed.Feed) {
	t.Helper()
	token := feed.NewToken()
	options := feed.Options{Options: calendar.Options{Year: 2026, Modules: []string{"COS 212"}}}
	created, err := s.Create(t.Context(), owner, token, options, 2, feed.Rendering{Sources: "0", Now: noon.Add(-time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	return token, created
}

func refresh(t *testing.T, s *feed.Store, id string, r feed.Rendering) feed.Feed {
	t.Helper()
	f, err := s.Refresh(t.Context(), id, r)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestTokensAreLongAndNeverTheSame(t *testing.T) {
	t.Parallel()
	seen := map[feed.Token]bool{}
	for range 1000 {
		token := feed.NewToken()
		if len(token) != 43 || seen[token] {
			t.Fatalf("token %q has %d characters, or comes twice", token, len(token))
		}
		seen[token] = true
	}
}

func TestFeedIsFoundByItsTokenAlone(t *testing.T) {
	t.Parallel()
	s := feed.NewStore(pgtest.Pool(t))
	owner := uuid.NewString()
	token, created := create(t, s, owner)
	got, err := s.Find(t.Context(), token)
	if err != nil || got.ID != created.ID || got.Owner != owner || got.Options.Year != 2026 || got.Options.Modules[0] != "COS 212" || got.Sources != "0" || time.Since(got.Created) > time.Hour {
		t.Errorf("found %+v, %v", got, err)
	}
	if _, err := s.Find(t.Context(), feed.NewToken()); !errors.Is(err, feed.ErrNotFound) {
		t.Errorf("another token: error is %v", err)
	}
	create(t, s, owner)
	if _, err := s.Create(t.Context(), owner, feed.NewToken(), feed.Options{}, 2, feed.Rendering{}); !errors.Is(err, feed.ErrTooMany) {
		t.Errorf("a third feed of two: error is %v", err)
	}
	if all, err := s.IDsOfOwner(t.Context(), owner); err != nil || len(all) != 2 {
		t.Errorf("the owner has %d feeds, %v", len(all), err)
	}
	if all, err := s.IDsOfOwner(t.Context(), uuid.NewString()); err != nil || len(all) != 0 {
		t.Errorf("another owner has %d feeds, %v", len(all), err)
	}
}

func TestManyFeedsAtOnceAreNoMoreThanOneMayHave(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	s, owner := feed.NewStore(pool), uuid.NewString()
	var made, refused atomic.Int32
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			_, err := s.Create(t.Context(), owner, feed.NewToken(), feed.Options{}, 2, feed.Rendering{Now: noon})
			switch {
			case err == nil:
				made.Add(1)
			case errors.Is(err, feed.ErrTooMany):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if made.Load() != 2 || refused.Load() != 18 {
		t.Errorf("%d were made and %d refused, want 2 and 18", made.Load(), refused.Load())
	}
}

func TestFeedChangesOnlyWithWhatItSays(t *testing.T) {
	t.Parallel()
	s := feed.NewStore(pgtest.Pool(t))
	token, created := create(t, s, uuid.NewString())
	first := refresh(t, s, created.ID, rendering(t, "1", "IT 4-4", noon))
	if !bytes.Contains(first.Body, []byte("LAST-MODIFIED:20260701T120000Z\r\nSEQUENCE:0\r\n")) || !first.LastModified.Equal(noon) {
		t.Errorf("the first is of %v:\n%s", first.LastModified, first.Body)
	}
	same := refresh(t, s, created.ID, rendering(t, "2", "IT 4-4", noon.Add(time.Hour)))
	if !bytes.Equal(same.Body, first.Body) || !same.LastModified.Equal(noon) || same.Sources != "2" {
		t.Errorf("another source that says the same changes the feed to %v:\n%s", same.LastModified, same.Body)
	}
	done := refresh(t, s, created.ID, rendering(t, "2", "Elsewhere", noon.Add(2*time.Hour)))
	if !bytes.Equal(done.Body, first.Body) {
		t.Errorf("a source that is rendered already is rendered again:\n%s", done.Body)
	}
	moved := refresh(t, s, created.ID, rendering(t, "3", "Elsewhere", noon.Add(3*time.Hour)))
	if !bytes.Contains(moved.Body, []byte("LAST-MODIFIED:20260701T150000Z\r\nSEQUENCE:1\r\n")) || !moved.LastModified.Equal(noon.Add(3*time.Hour)) {
		t.Errorf("after the move it is of %v:\n%s", moved.LastModified, moved.Body)
	}
	if stored, err := s.Find(t.Context(), token); err != nil || !bytes.Equal(stored.Body, moved.Body) || !stored.LastModified.Equal(moved.LastModified) {
		t.Errorf("stored is %v, %v", stored, err)
	}
	empty := refresh(t, s, created.ID, feed.Rendering{Sources: "4", Now: noon.Add(4 * time.Hour)})
	if bytes.Contains(empty.Body, []byte("VEVENT")) {
		t.Errorf("the event that vanished is there:\n%s", empty.Body)
	}
	back := refresh(t, s, created.ID, rendering(t, "5", "IT 4-4", noon.Add(5*time.Hour)))
	if !bytes.Contains(back.Body, []byte("SEQUENCE:2\r\n")) {
		t.Errorf("the event that came back does not go on counting:\n%s", back.Body)
	}
}

// TestTwoChangesNeverHaveOneTime: a subscriber who asks by time would miss the second for ever.
func TestTwoChangesNeverHaveOneTime(t *testing.T) {
	t.Parallel()
	s := feed.NewStore(pgtest.Pool(t))
	_, created := create(t, s, uuid.NewString())
	first := refresh(t, s, created.ID, rendering(t, "1", "IT 4-4", noon))
	for n, now := range []time.Time{noon, noon.Add(-time.Hour), noon.Add(time.Millisecond)} {
		next := refresh(t, s, created.ID, rendering(t, fmt.Sprint("again ", n), fmt.Sprint("Room ", n), now))
		if want := first.LastModified.Add(time.Second); !next.LastModified.Equal(want) || !bytes.Contains(next.Body, []byte("LAST-MODIFIED:"+want.UTC().Format("20060102T150405Z"))) {
			t.Errorf("a change at %v after one at %v is of %v, want %v", now, first.LastModified, next.LastModified, want)
		}
		first = next
	}
}

// TestFeedThatCannotBeWrittenIsNotKept: nobody would know its address.
func TestFeedThatCannotBeWrittenIsNotKept(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	if _, err := pool.Exec(t.Context(), "alter table feed_events rename to lost"); err != nil {
		t.Fatal(err)
	}
	s, owner := feed.NewStore(pool), uuid.NewString()
	if _, err := s.Create(t.Context(), owner, feed.NewToken(), feed.Options{}, 2, rendering(t, "1", "IT 4-4", noon)); err == nil {
		t.Error("it is created")
	}
	if all, err := s.IDsOfOwner(t.Context(), owner); err != nil || len(all) != 0 {
		t.Errorf("the owner has %d feeds, %v; want none", len(all), err)
	}
}

func TestChosenColorsComeBeforeGivenOnes(t *testing.T) {
	t.Parallel()
	options := feed.Options{
		Options:     calendar.Options{Colors: map[string]string{"cos212": "red"}},
		SavedColors: map[string]string{"COS 212": "teal", "PHY 131": "navy"},
	}
	if got, want := options.Calendar().Colors, map[string]string{"cos212": "red", "PHY 131": "navy"}; !maps.Equal(got, want) {
		t.Errorf("colours are %v, want %v", got, want)
	}
	for n := range 200 {
		options.Colors[fmt.Sprint("AAA ", 100+n)] = "red"
	}
	if got := options.Calendar().Colors; len(got) != 201 {
		t.Errorf("%d colours, want the 201 that are chosen", len(got))
	}
}

func TestDeletedFeedIsGone(t *testing.T) {
	t.Parallel()
	s := feed.NewStore(pgtest.Pool(t))
	owner := uuid.NewString()
	token, created := create(t, s, owner)
	refresh(t, s, created.ID, rendering(t, "1", "IT 4-4", noon))
	if err := s.Delete(t.Context(), uuid.NewString(), string(token)); !errors.Is(err, feed.ErrNotFound) {
		t.Errorf("deleted by another: error is %v", err)
	}
	if err := s.Delete(t.Context(), owner, string(token)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Find(t.Context(), token); !errors.Is(err, feed.ErrNotFound) {
		t.Errorf("find: error is %v", err)
	}
	if _, err := s.Refresh(t.Context(), created.ID, rendering(t, "2", "IT 4-4", noon)); !errors.Is(err, feed.ErrNotFound) {
		t.Errorf("refresh: error is %v", err)
	}
}
