package calendargenerate

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/dev/testkit/tabletest"
	"github.com/schedgen/schedgen/shared/timetable"
)

// unpackable is a timetable of which nothing is said twice, so that it cannot be packed within a feed's bound.
func unpackable() timetable.Document {
	random := rand.NewChaCha8([32]byte{7})
	doc := tabletest.Tests()
	for n := range 4000 {
		venue := make([]byte, 240)
		random.Read(venue) // never fails
		entry := doc.Entries[0]
		entry.Module = fmt.Sprintf("%s %03d", []string{"COS", "STK", "WTW", "PHY"}[n%4], n/4)
		entry.Venues = []string{base64.StdEncoding.EncodeToString(venue)}
		doc.Entries = append(doc.Entries, entry)
	}
	return doc
}

// TestAFeedThatIsTooLongIsToldAndComesBack: who asks for it is told, an event changes nothing, and a shorter
// timetable makes it a feed again.
func TestAFeedThatIsTooLongIsToldAndComesBack(t *testing.T) {
	t.Parallel()
	s := newWorld(t).student()
	s.uploaded(tabletest.Tests())
	path := s.subscribed(feedOptions)
	id := s.only().ID
	job := s.uploaded(unpackable())
	told := `{"specversion":"1.0","id":"` + job + `","source":"/x","type":"dev.schedgen.timetable.parsed.v1","datacontenttype":"application/json","data":{"jobId":"` + job + `"}}`
	answered(t, call(t, s.f, "POST", "/events/timetable", told, "Content-Type", "application/cloudevents+json"), 204)
	if n := s.rendered(); n != 3 {
		t.Errorf("the feed has %d events after the event, want the 3 that it had", n)
	}
	refused(t, call(t, s.f, "GET", path, ""), 413, api.PayloadTooLarge)
	refused(t, s.call("POST", "/api/feeds", feedOptions), 413, api.PayloadTooLarge)
	refused(t, s.call("PUT", "/api/feeds/"+id, feedOptions), 413, api.PayloadTooLarge)
	if n := len(s.listed()); n != 1 {
		t.Errorf("%d feeds are listed, want the one that there was", n)
	}
	if _, err := s.f.pool.Exec(t.Context(), "update feeds set years = '2026=of-old'"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []Swept{{Replanned: 1}, {}} { // the sweep after finds nothing to do
		if got, err := s.f.Sweep(t.Context()); err != nil || got != want {
			t.Errorf("a sweep over a feed that became too long: got %+v, %v, want %+v", got, err, want)
		}
	}
	s.uploaded(tabletest.Tests())
	answered(t, call(t, s.f, "GET", path, ""), 200)
}
