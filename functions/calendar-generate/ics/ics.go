// Package ics writes calendars as RFC 5545 iCalendar streams with the properties of RFC 7986.
//
// It exists because the details decide whether Google, Apple and Microsoft take a file, and libraries
// leave them to their callers: lines end in CRLF and fold at 75 octets between characters; text is
// escaped and free of control characters; times carry a TZID that the file defines; UNTIL is in UTC
// because DTSTART has a zone (section 3.3.10); each EXDATE has DTSTART's zone and its exact time of
// day, for it excludes nothing otherwise; UIDs are stable, so that importing again updates.
//
// No METHOD is written: PUBLISH would require an ORGANIZER (RFC 5546 section 3.2.1), and a timetable
// has none.
//
// The same calendar and the same stamp always give the same bytes.
package ics

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/timetable"
)

// ContentType is the media type of what this package writes.
const ContentType = "text/calendar; charset=utf-8"

const (
	productID = "-//schedgen//schedgen//EN"
	zoneName  = calendar.ZoneName
	localTime = "20060102T150405"
	utcTime   = "20060102T150405Z"
)

// Write writes the calendar as a file to import. The stamp becomes DTSTAMP and LAST-MODIFIED of
// every event; take it from the upload, not from the clock, and the same timetable gives the same
// file. A later stamp makes an import replace what an earlier one brought (RFC 5546 section 2.1.5).
func Write(w io.Writer, c calendar.Calendar, stamp time.Time) error {
	return Feed{Stamp: stamp}.Write(w, c)
}

// Feed writes a calendar that programs fetch again and again.
type Feed struct {
	Stamp   time.Time     // of events without a revision
	Refresh time.Duration // how often to fetch; not written when 0
	// Revisions tells by UID how often an event has changed and when it last did.
	Revisions map[string]Revision
}

// Revision is an event's state in the eyes of those who have seen it before.
type Revision struct {
	Sequence int
	Modified time.Time
}

// Write writes the feed's calendar, event by event: it may be ten times as long as what it is made of.
func (f Feed) Write(w io.Writer, c calendar.Calendar) error {
	out := lines{to: w}
	f.calendar(&out, c)
	if out.flush(0); out.err != nil {
		return fmt.Errorf("write the calendar: %w", out.err)
	}
	return nil
}

func (f Feed) calendar(out *lines, c calendar.Calendar) {
	out.line("BEGIN", "VCALENDAR")
	out.line("VERSION", "2.0")
	out.line("PRODID", productID)
	out.line("CALSCALE", "GREGORIAN")
	if plain(c.Name) != "" {
		out.text("NAME", c.Name)
		out.text("X-WR-CALNAME", c.Name)
	}
	if remarks := remarks(c); remarks != "" {
		out.text("DESCRIPTION", remarks)
		out.text("X-WR-CALDESC", remarks)
	}
	out.line("X-WR-TIMEZONE", zoneName)
	if f.Refresh > 0 {
		out.line("REFRESH-INTERVAL;VALUE=DURATION", duration(f.Refresh))
		out.line("X-PUBLISHED-TTL", duration(f.Refresh))
	}
	zone(out)
	for _, item := range c.Items {
		f.event(out, item, c.Reminders)
		if out.flush(flushAt); out.err != nil {
			return
		}
	}
	out.line("END", "VCALENDAR")
}

// zone defines South African Standard Time: two hours ahead of UTC, all year round.
func zone(out *lines) {
	out.line("BEGIN", "VTIMEZONE")
	out.line("TZID", zoneName)
	out.line("X-LIC-LOCATION", zoneName)
	out.line("BEGIN", "STANDARD")
	out.line("DTSTART", "19700101T000000")
	out.line("TZOFFSETFROM", "+0200")
	out.line("TZOFFSETTO", "+0200")
	out.line("TZNAME", "SAST")
	out.line("END", "STANDARD")
	out.line("END", "VTIMEZONE")
}

func (f Feed) event(out *lines, item calendar.Item, reminders []int) {
	revision, ok := f.Revisions[item.UID]
	if !ok {
		revision.Modified = f.Stamp
	}
	out.line("BEGIN", "VEVENT")
	out.text("UID", item.UID)
	// Without a METHOD, DTSTAMP is when the event was last revised (RFC 5545 section 3.8.7.2).
	out.line("DTSTAMP", revision.Modified.UTC().Format(utcTime))
	out.line("LAST-MODIFIED", revision.Modified.UTC().Format(utcTime))
	out.line("SEQUENCE", strconv.Itoa(revision.Sequence))
	body(out, item, reminders)
	out.line("END", "VEVENT")
}

// body writes what an event says, apart from its revision.
func body(out *lines, item calendar.Item, reminders []int) {
	when(out, item)
	summary := cmp.Or(plain(item.Summary), "Untitled") // a DISPLAY alarm must have one
	out.text("SUMMARY", summary)
	if location := plain(item.Location()); location != "" {
		out.text("LOCATION", location)
	}
	out.text("DESCRIPTION", item.Description())
	out.text("CATEGORIES", categories(item.Event)...)
	if item.Color != "" {
		out.line("COLOR", item.Color)
	}
	out.line("STATUS", status(item))
	out.line("TRANSP", "OPAQUE")
	for _, minutes := range reminders {
		out.line("BEGIN", "VALARM")
		out.line("ACTION", "DISPLAY")
		out.line("TRIGGER", fmt.Sprintf("-PT%dM", minutes))
		out.text("DESCRIPTION", summary)
		out.line("END", "VALARM")
	}
}

// when writes the first occurrence, the rule of the others, and those that do not happen.
func when(out *lines, item calendar.Item) {
	local := func(name string, t time.Time) {
		out.line(name+";TZID="+zoneName, t.In(calendar.Zone).Format(localTime))
	}
	local("DTSTART", item.Start)
	local("DTEND", item.End)
	for _, line := range item.Recurrence() {
		out.fold(line)
	}
}

// maxRemarks is how many warnings and how many clashes a calendar's description tells.
const maxRemarks = 20

// remarks writes what a student should know of the calendar as a whole: what could not be placed in
// it, and what happens at the same time. A file may be all that a student ever sees of it.
func remarks(c calendar.Calendar) string {
	var b strings.Builder
	for _, note := range c.Notes {
		fmt.Fprintln(&b, note)
	}
	for _, w := range c.Warnings[:min(len(c.Warnings), maxRemarks)] {
		fmt.Fprintf(&b, "Please check: %s\n", w.Message)
	}
	if more := len(c.Warnings) - maxRemarks; more > 0 {
		fmt.Fprintf(&b, "Please check: there are %d more remarks.\n", more)
	}
	for _, x := range c.Clashes[:min(len(c.Clashes), maxRemarks)] {
		fmt.Fprintf(&b, "Clash: %s and %s, %s %s-%s, first on %s", x.Titles[0], x.Titles[1], x.Day, x.Start, x.End, x.Date)
		if x.Alternatives {
			b.WriteString("; a student takes one of these groups")
		}
		b.WriteString("\n")
	}
	if more := len(c.Clashes) - maxRemarks; more > 0 {
		fmt.Fprintf(&b, "Clash: there are %d more clashes\n", more)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// status tells a paper that is not final yet from one that is.
func status(item calendar.Item) string {
	if item.Tentative() {
		return "TENTATIVE"
	}
	return "CONFIRMED"
}

func categories(e calendar.Event) []string {
	kind := map[timetable.Kind]string{timetable.Lecture: "Lecture", timetable.Test: "Test", timetable.Exam: "Exam"}[e.Kind]
	var names []string
	for _, name := range []string{e.Module, kind} {
		if plain(name) != "" {
			names = append(names, name)
		}
	}
	return names
}

// Fingerprint is a hash of all that an event says, apart from its revision: where it differs from an
// earlier one, the event has changed.
func Fingerprint(item calendar.Item, reminders []int) []byte {
	var out lines
	body(&out, item, reminders)
	sum := sha256.Sum256(out.Bytes())
	return sum[:]
}

// duration writes whole minutes as RFC 5545 section 3.3.6 has them.
func duration(d time.Duration) string {
	if d%time.Hour == 0 {
		return fmt.Sprintf("PT%dH", d/time.Hour)
	}
	return fmt.Sprintf("PT%dM", max(1, d/time.Minute))
}

// WithSource gives a written calendar with the address that it is fetched from (RFC 7986 section
// 5.8). A feed's address is a secret, so it is added as the feed goes out and is stored nowhere.
func WithSource(file []byte, address string) []byte {
	const after = "CALSCALE:GREGORIAN\r\n"
	head, rest, ok := bytes.Cut(file, []byte(after))
	if !ok {
		return file // it is none of ours
	}
	var out lines
	out.Grow(len(file) + len(address) + 32)
	out.Write(head)
	out.WriteString(after)
	out.line("SOURCE;VALUE=URI", uri(address))
	out.Write(rest)
	return out.Bytes()
}

// Events counts the events of a written calendar. No text can be taken for one: texts hold no line ends.
func Events(file []byte) int { return bytes.Count(file, []byte("\r\nBEGIN:VEVENT\r\n")) }

// uri keeps an address on one line, whatever it is made of.
func uri(s string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}

// lines gathers content lines, and writes them where they have a place to go.
type lines struct {
	bytes.Buffer
	to  io.Writer
	err error
}

// flushAt is how many bytes are gathered before they are written.
const flushAt = 32 << 10

// flush writes what is gathered where it is more than that many bytes.
func (l *lines) flush(more int) {
	if l.to == nil || l.err != nil || l.Len() <= more {
		return
	}
	_, l.err = l.WriteTo(l.to)
}
