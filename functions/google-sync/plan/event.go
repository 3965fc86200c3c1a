package plan

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/schedgen/schedgen/shared/calendar"
)

// Field is a part of an event that is compared and written as a whole.
type Field string

// The fields. Start, end and recurrence are one: an excluded date belongs to a time of day, and half a
// move would be nonsense.
const (
	Summary     Field = "summary"
	Location    Field = "location"
	Description Field = "description"
	When        Field = "time"
	Color       Field = "color"
	Status      Field = "status"
	Reminders   Field = "reminders"
)

// AllFields are the fields in the order in which they are shown.
func AllFields() []Field {
	return []Field{Summary, When, Location, Description, Color, Status, Reminders}
}

// Event is an event that a calendar should hold.
type Event struct {
	ID    string // see [EventID]
	UID   string // the calendar model's
	Scope string // see [calendar.Scope]
	Fields
}

// Fields is what an event says.
type Fields struct {
	Summary     string
	Location    string
	Description string
	Color       string // a colour id of Google's; empty is the calendar's colour
	Status      string // confirmed or tentative
	Time        Time
	Reminders   Alarms
}

// Time is when an event happens. A start and end of a whole day are written as dates.
type Time struct {
	Start, End string   // RFC 3339
	Zone       string   // IANA name
	Recurrence []string // RRULE and EXDATE lines
}

// Alarms are an event's reminders: the calendar's own, or minutes before the start. How a person is
// reminded ("email") is kept where it is not by a popup.
type Alarms struct {
	Default   bool
	Overrides []Alarm
}

// Alarm is one reminder.
type Alarm struct {
	Method  string
	Minutes int
}

// Base is a short hash of each field, as schedgen wrote it.
type Base map[Field]string

// String writes the base as one value of an event's private properties.
func (b Base) String() string {
	parts := make([]string, 0, len(b))
	for _, f := range AllFields() {
		if b[f] != "" {
			parts = append(parts, string(f)+"="+b[f])
		}
	}
	return strings.Join(parts, " ")
}

// ParseBase reads what String wrote. What it cannot read is as if it had never been written, so the
// field is written again.
func ParseBase(s string) Base {
	b := make(Base)
	for part := range strings.FieldsSeq(s) {
		if name, hash, ok := strings.Cut(part, "="); ok {
			b[Field(name)] = hash
		}
	}
	return b
}

// Base hashes each field. Spellings that mean the same hash the same: a calendar gives back an instant
// in another offset, or a rule with its parts in another order.
func (f Fields) Base() Base {
	return Base{
		Summary:     hash(plain(f.Summary)),
		Location:    hash(plain(f.Location)),
		Description: hash(plain(f.Description)),
		Color:       hash(f.Color),
		Status:      hash(cmp.Or(f.Status, "confirmed")),
		When:        hash(f.Time.normal()),
		Reminders:   hash(f.Reminders.normal()),
	}
}

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:6])
}

// plain leaves out what a form may add to a text without a person's wish.
func plain(s string) string { return strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")) }

func (t Time) normal() string {
	parts := []string{instant(t.Start), instant(t.End)}
	if len(t.Recurrence) > 0 {
		parts = append(parts, t.Zone)
		parts = append(parts, normalRecurrence(t.Recurrence, t.Zone)...)
	}
	return strings.Join(parts, "\n")
}

// instant writes a time in UTC; a date stays as it is.
func instant(s string) string {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.UTC().Format(time.RFC3339)
	}
	return s
}

func (a Alarms) normal() string {
	if a.Default {
		return "default"
	}
	alarms := slices.Clone(a.Overrides)
	slices.SortFunc(alarms, func(x, y Alarm) int {
		return cmp.Or(cmp.Compare(x.Minutes, y.Minutes), cmp.Compare(x.Method, y.Method))
	})
	parts := make([]string, len(alarms))
	for i, alarm := range alarms {
		parts[i] = alarm.Method + " " + strconv.Itoa(alarm.Minutes)
	}
	return strings.Join(parts, "\n")
}

// idEncoding is base32hex in lower case, the alphabet that Google asks of event ids.
var idEncoding = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// EventID is the id of an event in a calendar: the same whenever and wherever it is computed, so that
// an insert that is repeated meets itself. The account is part of it: two students may share a calendar.
func EventID(account, calendarID, uid string) string {
	sum := sha256.Sum256([]byte(account + "\x00" + calendarID + "\x00" + uid))
	return "sg" + idEncoding.EncodeToString(sum[:20])
}

// Marker is the value that marks an account's events in a calendar. It is made of who the account is,
// so that the marks hold after leaving and coming back.
func Marker(subject string) string {
	sum := sha256.Sum256([]byte("schedgen account\x00" + subject))
	return idEncoding.EncodeToString(sum[:15])
}

// Given is the scope of events that a caller gave titles of its own. No timetable authority for them.
const Given = "given"

func scopeOf(item calendar.Item) string {
	if item.Event.Summary != "" {
		return Given
	}
	return item.Scope().String()
}

// Wanted turns a calendar into the events that it should be at Google.
func Wanted(cal calendar.Calendar, account, calendarID string) []Event {
	events := make([]Event, 0, len(cal.Items))
	for _, item := range cal.Items {
		events = append(events, Event{
			ID:     EventID(account, calendarID, item.UID),
			UID:    item.UID,
			Scope:  scopeOf(item),
			Fields: fieldsOf(item, cal.Reminders),
		})
	}
	return events
}

func fieldsOf(item calendar.Item, reminders []int) Fields {
	status := "confirmed"
	if item.Tentative() {
		status = "tentative"
	}
	alarms := Alarms{Default: len(reminders) == 0}
	for _, minutes := range reminders {
		alarms.Overrides = append(alarms.Overrides, Alarm{Method: "popup", Minutes: minutes})
	}
	return Fields{
		Summary: item.Summary, Location: item.Location(), Description: item.Description(),
		Color: ColorID(item.Color), Status: status, Reminders: alarms,
		Time: Time{
			Start: item.Start.In(calendar.Zone).Format(time.RFC3339), End: item.End.In(calendar.Zone).Format(time.RFC3339),
			Zone: calendar.ZoneName, Recurrence: item.Recurrence(),
		},
	}
}
