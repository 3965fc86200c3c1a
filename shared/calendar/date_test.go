package calendar_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/calendar"
)

// publicHolidays are those that Schedule 1 of the Public Holidays Act 36 of 1994 makes of two years, by hand.
var publicHolidays = map[int]map[string]string{
	2026: {
		"2026-01-01": "New Year's Day", "2026-03-21": "Human Rights Day", "2026-04-03": "Good Friday", "2026-04-06": "Family Day",
		"2026-04-27": "Freedom Day", "2026-05-01": "Workers' Day", "2026-06-16": "Youth Day", "2026-08-09": "National Women's Day",
		"2026-08-10": "National Women's Day (observed)", "2026-09-24": "Heritage Day", "2026-12-16": "Reconciliation Day",
		"2026-12-25": "Christmas Day", "2026-12-26": "Day of Goodwill",
	},
	2027: {
		"2027-01-01": "New Year's Day", "2027-03-21": "Human Rights Day", "2027-03-22": "Human Rights Day (observed)",
		"2027-03-26": "Good Friday", "2027-03-29": "Family Day", "2027-04-27": "Freedom Day", "2027-05-01": "Workers' Day",
		"2027-06-16": "Youth Day", "2027-08-09": "National Women's Day", "2027-09-24": "Heritage Day", "2027-12-16": "Reconciliation Day",
		"2027-12-25": "Christmas Day", "2027-12-26": "Day of Goodwill", "2027-12-27": "Day of Goodwill (observed)",
	},
}

func TestPublicHolidaysAreThoseOfTheAct(t *testing.T) {
	t.Parallel()
	for year, want := range publicHolidays {
		got := calendar.PublicHolidays(year)
		for date, name := range got {
			if want[date.String()] != name {
				t.Errorf("%s is %q, want %q", date, name, want[date.String()])
			}
		}
		if len(got) != len(want) {
			t.Errorf("%d has %d days, want %d", year, len(got), len(want))
		}
	}
}

// TestSundayHolidaysMoveToMonday: Public Holidays Act 36 of 1994, section 2(1).
func TestSundayHolidaysMoveToMonday(t *testing.T) {
	t.Parallel()
	for year := 2020; year <= 2040; year++ {
		days := calendar.PublicHolidays(year)
		for date := range days {
			if next := date.AddDays(1); date.Weekday() == time.Sunday && days[next] == "" {
				t.Errorf("%s is a holiday on a Sunday, and %s is none", date, next)
			}
		}
	}
}

func TestDatesOfBrowsersAreSouthAfrican(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"2026-02-09": "2026-02-09", "2026-02-09T00:00:00.000Z": "2026-02-09", "2026-02-08T22:00:00.000Z": "2026-02-09",
		"2026-02-09T00:00:00+02:00": "2026-02-09",
	} {
		if got, err := calendar.ParseDate(in); err != nil || got.String() != want {
			t.Errorf("%q is %v, %v; want %s", in, got, err, want)
		}
	}
	for _, in := range []string{"", "2026-02-29", "2026-02-30", "2026-06-31", "2026-00-10", "2026-01-00", "2026-2-9", "09/02/2026", "0000-01-01", "2026-13-01T00:00:00Z", "tomorrow, or a very long text that nobody wants to read again in an error"} {
		if got, err := calendar.ParseDate(in); err == nil {
			t.Errorf("%q is read as %v", in, got)
		}
	}
}

func TestDatesInJSON(t *testing.T) {
	t.Parallel()
	var v struct{ D, Empty calendar.Date }
	if err := json.Unmarshal([]byte(`{"D":"2026-02-09","Empty":""}`), &v); err != nil || !v.Empty.IsZero() {
		t.Fatalf("read %+v, %v", v, err)
	}
	out, err := json.Marshal(v)
	if want := `{"D":"2026-02-09","Empty":""}`; err != nil || string(out) != want {
		t.Errorf("written as %s, %v; want %s", out, err, want)
	}
	if err := json.Unmarshal([]byte(`{"D":"2026-02-31"}`), &v); err == nil {
		t.Error("31 February is taken")
	}
}

func TestRangesAreWrittenAsTheyAreRead(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"2026-02-09..2026-05-22", "2026-02-09"} {
		if got := mustRange(t, s).String(); got != s {
			t.Errorf("%q is written %q", s, got)
		}
	}
}
