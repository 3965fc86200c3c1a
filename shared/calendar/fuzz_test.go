package calendar_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/calendar"
)

// FuzzParseDate takes any text: what is read is a day that the calendar has, and is written as it
// was read.
func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"2026-02-29", "2028-02-29", "2026-06-31", "2026-02-08T22:00:00.000Z", "9999-12-31T23:00:00Z", "0000-01-01", "2026-1-1", "2026-01-01..2026-01-02"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := calendar.ParseDate(s)
		if err != nil {
			var e *calendar.Error
			if !errors.As(err, &e) || e.Code != calendar.InvalidOptions || !d.IsZero() {
				t.Fatalf("%q: got %v, %v", s, d, err)
			}
			return
		}
		if real := time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC); real.Day() != d.Day || real.Month() != d.Month || d.Year < 1 || d.Year > 9999 {
			t.Fatalf("%q is read as %+v, which is no day", s, d)
		}
		if len(s) == len(time.DateOnly) && d.String() != s {
			t.Fatalf("%q is written %q", s, d)
		}
		if again, err := calendar.ParseDate(d.String()); err != nil || again != d {
			t.Fatalf("%q is read back as %v, %v", d, again, err)
		}
	})
}

// FuzzOptions takes any JSON: options that are read are written and read again as the same, their
// ranges are ranges, and Build takes them or says in a sentence why not.
func FuzzOptions(f *testing.F) {
	f.Add(`{"terms":{"S1":{"start":"2026-02-09","end":"2026-05-22"},"S2":"2026-07-13..2026-10-16"},"groups":{"COS 212":"P02","COS 226":["P01"]}}`)
	f.Add(`{"exclude":["2026-03-30",{"start":"2026-03-31","end":"2026-04-06","name":"Recess"}],"reminders":[0,1440],"colors":{"cos212":"Red"},"year":2026}`)
	f.Add(`{"terms":{"S1":null},"groups":{"A":null},"exclude":[{}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		var o, again calendar.Options
		if json.Unmarshal([]byte(body), &o) != nil {
			return // package json refuses it
		}
		for _, r := range o.Terms {
			if r.Start.IsZero() || r.End.Before(r.Start) {
				t.Fatalf("%s has the term %v", body, r)
			}
		}
		for _, r := range o.Exclude {
			if r.Start.IsZero() || r.End.Before(r.Start) {
				t.Fatalf("%s excludes %v", body, r)
			}
		}
		first, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(first, &again); err != nil {
			t.Fatalf("%s cannot be read again: %v", first, err)
		}
		if second, err := json.Marshal(again); err != nil || string(second) != string(first) {
			t.Fatalf("%s is read again as %s, %v", first, second, err)
		}
		var e *calendar.Error
		if _, err := calendar.Build(nil, o); err != nil && (!errors.As(err, &e) || e.Message == "") {
			t.Fatalf("%s: error is %v", body, err)
		}
	})
}
