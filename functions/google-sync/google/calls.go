package google

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/api/calendar/v3"

	"github.com/schedgen/schedgen/functions/google-sync/plan"
)

// Calendar is a calendar of a person's list.
type Calendar struct {
	ID          string
	Summary     string
	Description string
	Primary     bool
	Writable    bool
	Color       string // #rrggbb
	TimeZone    string
}

// Primary is Google's name for the calendar that a person's account begins with. Its own id is an address.
const Primary = "primary"

// maxPages bounds what one list may make us read.
const maxPages = 200

var errEndless = errors.New("a list does not end")

// listPages asks for one page of a list after the other, by the token that the page before gave. A list that does not
// end is an error: half a list does not show what is missing in a calendar.
func (c *Client) listPages(ctx context.Context, method string, ask func(ctx context.Context, page string) (next string, err error)) error {
	page := ""
	for range maxPages {
		var next string
		err := c.do(ctx, method, func(ctx context.Context) (err error) {
			next, err = ask(ctx, page)
			return err
		})
		if err != nil || next == "" {
			return err
		}
		page = next
	}
	return &Error{Kind: Refused, Err: fmt.Errorf("%s: %w", method, errEndless)}
}

// Calendars are the calendars that the person sees, in the list's order.
func (c *Client) Calendars(ctx context.Context) ([]Calendar, error) {
	var all []Calendar
	err := c.listPages(ctx, "calendarList.list", func(ctx context.Context, page string) (next string, err error) {
		call := c.service.CalendarList.List().MaxResults(250).Context(ctx)
		if page != "" {
			call.PageToken(page)
		}
		list, err := call.Do()
		if err != nil {
			return "", err
		}
		for _, entry := range list.Items {
			all = append(all, calendarOf(entry))
		}
		return list.NextPageToken, nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// Calendar is one of the person's list. It needs no more than leave to see calendars that schedgen made.
func (c *Client) Calendar(ctx context.Context, id string) (Calendar, error) {
	var entry *calendar.CalendarListEntry
	err := c.do(ctx, "calendarList.get", func(ctx context.Context) (err error) {
		entry, err = c.service.CalendarList.Get(id).Context(ctx).Do()
		return err
	})
	if err != nil {
		return Calendar{}, err
	}
	return calendarOf(entry), nil
}

func calendarOf(entry *calendar.CalendarListEntry) Calendar {
	name := entry.SummaryOverride
	if name == "" {
		name = entry.Summary
	}
	return Calendar{
		ID: entry.Id, Summary: name, Description: entry.Description, Primary: entry.Primary, Color: entry.BackgroundColor, TimeZone: entry.TimeZone,
		Writable: entry.AccessRole == "owner" || entry.AccessRole == "writer" || entry.AccessRole == "writerWithoutPrivateAccess",
	}
}

// Create makes a calendar of the person's. An attempt whose answer was lost may leave a second one; the
// API offers nothing against it.
func (c *Client) Create(ctx context.Context, summary, description, zone string) (Calendar, error) {
	var made *calendar.Calendar
	err := c.do(ctx, "calendars.insert", func(ctx context.Context) (err error) {
		made, err = c.service.Calendars.Insert(&calendar.Calendar{Summary: summary, Description: description, TimeZone: zone}).Context(ctx).Do()
		return err
	})
	if err != nil {
		return Calendar{}, err
	}
	return Calendar{ID: made.Id, Summary: made.Summary, Description: made.Description, TimeZone: made.TimeZone, Writable: true}, nil
}

// Events are the events in a calendar that bear the marker, deleted ones that Google remembers included.
func (c *Client) Events(ctx context.Context, calendarID, marker string) ([]plan.Existing, error) {
	var all []plan.Existing
	err := c.listPages(ctx, "events.list", func(ctx context.Context, page string) (next string, err error) {
		call := c.service.Events.List(calendarID).PrivateExtendedProperty(markerKey + "=" + marker).
			ShowDeleted(true).MaxResults(2500).Context(ctx)
		if page != "" {
			call.PageToken(page)
		}
		list, err := call.Do()
		if err != nil {
			return "", err
		}
		for _, event := range list.Items {
			if existing, ours := existingOf(event, marker); ours {
				all = append(all, existing)
			}
		}
		return list.NextPageToken, nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// Event is one event, and whether it bears the marker.
func (c *Client) Event(ctx context.Context, calendarID, id, marker string) (e plan.Existing, ours bool, err error) {
	var event *calendar.Event
	err = c.do(ctx, "events.get", func(ctx context.Context) (err error) {
		event, err = c.service.Events.Get(calendarID, id).Context(ctx).Do()
		return err
	})
	if err != nil {
		return plan.Existing{}, false, err
	}
	e, ours = existingOf(event, marker)
	return e, ours, nil
}

// Insert adds an event. An Error of kind Conflict means that its id is taken, perhaps by an earlier
// attempt whose answer was lost.
func (c *Client) Insert(ctx context.Context, calendarID, marker string, e plan.Event) error {
	return c.do(ctx, "events.insert", func(ctx context.Context) error {
		_, err := c.service.Events.Insert(calendarID, fullEvent(e, marker)).Context(ctx).Do()
		return err
	})
}

// Patch writes the fields of an action. An Error of kind Changed means that the event is no longer the
// one that was compared.
func (c *Client) Patch(ctx context.Context, calendarID, marker string, a plan.Action) error {
	return c.do(ctx, "events.patch", func(ctx context.Context) error {
		call := c.service.Events.Patch(calendarID, a.Event.ID, changedFields(a, marker)).Context(ctx)
		ifMatch(call.Header(), a.ETag)
		_, err := call.Do()
		return err
	})
}

// Delete deletes an event. An Error of kind NotFound means that it is already gone.
func (c *Client) Delete(ctx context.Context, calendarID string, a plan.Action) error {
	return c.do(ctx, "events.delete", func(ctx context.Context) error {
		call := c.service.Events.Delete(calendarID, a.Event.ID).Context(ctx)
		ifMatch(call.Header(), a.ETag)
		return call.Do()
	})
}

// ifMatch makes a call hold only for the event as it was compared.
func ifMatch(header map[string][]string, etag string) {
	if etag != "" {
		header["If-Match"] = []string{etag}
	}
}
