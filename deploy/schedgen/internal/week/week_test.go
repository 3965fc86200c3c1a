package week

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/timetable"
)

func build(t *testing.T, entries ...timetable.Entry) calendar.Calendar {
	t.Helper()
	doc := timetable.Document{Kind: timetable.Lecture, Entries: entries}
	c, err := calendar.Build(calendar.Events(doc), calendar.Options{Year: 2026})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func lecture(module, day, start, end string) timetable.Entry {
	return timetable.Entry{
		Module: module, Offered: "S1", Group: "G01", Activity: "L1", Day: day,
		StartTime: start, EndTime: end, Venues: []string{"Room <1> & 2"},
	}
}

func TestDrawingIsWellFormedAndShowsEveryLecture(t *testing.T) {
	t.Parallel()
	c := build(t,
		lecture("COS 212", "Monday", "07:30", "08:20"),
		lecture("COS 213", "Wednesday", "09:30", "11:20"),
		lecture("COS 214", "Saturday", "17:30", "19:20"))
	var out bytes.Buffer
	if err := SVG(&out, c); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"COS 212 L1", "COS 213 L1", "COS 214 L1", ">Saturday<", "Room &lt;1&gt; &amp; 2", ">07:00<", ">20:00<"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the drawing lacks %q", want)
		}
	}
	for d := xml.NewDecoder(&out); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnEmptyCalendarIsAnEmptyWeek(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := SVG(&out, calendar.Calendar{Name: "None"}); err != nil || !strings.Contains(out.String(), "</svg>") {
		t.Errorf("got %q, error %v", out.String(), err)
	}
}

func TestOverlappingLecturesStandSideBySide(t *testing.T) {
	t.Parallel()
	_, blocks := fullest(build(t,
		lecture("AAA 100", "Monday", "08:30", "10:20"),
		lecture("BBB 100", "Monday", "09:30", "11:20"),
		lecture("CCC 100", "Monday", "10:30", "12:20"), // after A, beside B
		lecture("DDD 100", "Monday", "12:30", "13:20")))
	want := map[string][2]int{"AAA 100": {0, 2}, "BBB 100": {1, 2}, "CCC 100": {0, 2}, "DDD 100": {0, 1}}
	for _, b := range blocks {
		if got := [2]int{b.lane, b.lanes}; got != want[b.item.Event.Module] {
			t.Errorf("%s: got lane and lanes %v, want %v", b.item.Event.Module, got, want[b.item.Event.Module])
		}
	}
}
