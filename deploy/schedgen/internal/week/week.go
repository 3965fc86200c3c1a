// Package week draws a week of a calendar as an SVG: days side by side, hours from top to bottom,
// what overlaps side by side.
package week

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/schedgen/schedgen/shared/calendar"
)

// The drawing's measures, in pixels.
const (
	left, top   = 48.0, 56.0
	dayWidth    = 150.0
	hourHeight  = 44.0
	corner      = 4.0
	lineHeight  = 13.0
	minuteScale = hourHeight / 60
)

const style = `
text { font: 11px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1b2733; }
.title { font-size: 16px; font-weight: 600; }
.day { font-weight: 600; text-anchor: middle; }
.hour { fill: #667; text-anchor: end; }
.grid { stroke: #d5dae0; }
.name { font-weight: 600; }
.paper { fill: #fff; }
`

// block is one occurrence in the week, in its lane of so many beside each other.
type block struct {
	item        calendar.Item
	start, end  time.Time
	lane, lanes int
}

// SVG draws the calendar's fullest week, the first of several.
func SVG(w io.Writer, c calendar.Calendar) error {
	monday, blocks := fullest(c)
	var out bytes.Buffer
	draw(&out, c.Name, monday, blocks)
	if _, err := out.WriteTo(w); err != nil {
		return fmt.Errorf("write the drawing: %w", err)
	}
	return nil
}

// fullest gives the Monday and the blocks of the week with the most occurrences.
func fullest(c calendar.Calendar) (monday time.Time, blocks []block) {
	weeks := make(map[time.Time][]block)
	for _, item := range c.Items {
		for o := range calendar.Occurrences(item) {
			m := mondayOf(o.Start)
			weeks[m] = append(weeks[m], block{item: item, start: o.Start, end: o.End})
		}
	}
	for m, b := range weeks {
		if len(b) > len(blocks) || len(b) == len(blocks) && m.Before(monday) {
			monday, blocks = m, b
		}
	}
	slices.SortFunc(blocks, func(a, b block) int {
		return cmp.Or(a.start.Compare(b.start), b.end.Compare(a.end), cmp.Compare(a.item.UID, b.item.UID))
	})
	lanes(blocks)
	return monday, blocks
}

func mondayOf(t time.Time) time.Time {
	back := (int(t.Weekday()) + 6) % 7
	return time.Date(t.Year(), t.Month(), t.Day()-back, 0, 0, 0, 0, t.Location())
}

// lanes puts blocks that overlap side by side. A cluster is a run of blocks that hang together; all
// of a cluster are as narrow as its most crowded moment asks.
func lanes(blocks []block) {
	for first := 0; first < len(blocks); {
		end, next := blocks[first].end, first
		var busy []time.Time // the end of the last block of each lane
		for ; next < len(blocks) && (next == first || blocks[next].start.Before(end)); next++ {
			b := &blocks[next]
			b.lane = slices.IndexFunc(busy, func(t time.Time) bool { return !t.After(b.start) })
			if b.lane < 0 {
				b.lane = len(busy)
				busy = append(busy, b.end)
			}
			busy[b.lane] = b.end
			if b.end.After(end) {
				end = b.end
			}
		}
		for i := first; i < next; i++ {
			blocks[i].lanes = len(busy)
		}
		first = next
	}
}

func draw(out *bytes.Buffer, name string, monday time.Time, blocks []block) {
	days, from, to := 5, 8, 17
	for _, b := range blocks {
		days = max(days, (int(b.start.Weekday())+6)%7+1)
		from = min(from, b.start.Hour())
		if b.end.Day() == b.start.Day() {
			to = max(to, b.end.Add(59*time.Minute).Hour())
		} else {
			to = 24
		}
	}
	width, height := left+dayWidth*float64(days)+12, top+hourHeight*float64(to-from)+12
	fmt.Fprintf(out, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %[1]f %[2]f">`, width, height)
	fmt.Fprintf(out, "<style>%s</style>\n<rect class=\"paper\" width=\"100%%\" height=\"100%%\"/>\n", style)
	title := name
	if !monday.IsZero() {
		title += ", week of " + monday.Format("2 January 2006")
	}
	text(out, "title", left, 22, title)
	for d := range days {
		x := left + dayWidth*float64(d)
		text(out, "day", x+dayWidth/2, top-10, time.Weekday((d+1)%7).String())
		line(out, x, top, x, height-12)
	}
	for h := from; h <= to; h++ {
		y := top + hourHeight*float64(h-from)
		text(out, "hour", left-6, y+4, fmt.Sprintf("%02d:00", h))
		line(out, left, y, width-12, y)
	}
	for _, b := range blocks {
		box(out, b, from)
	}
	out.WriteString("</svg>\n")
}

func box(out *bytes.Buffer, b block, from int) {
	lane := (dayWidth - 4) / float64(b.lanes)
	x := left + dayWidth*float64((int(b.start.Weekday())+6)%7) + 2 + lane*float64(b.lane)
	y := top + minuteScale*float64((b.start.Hour()-from)*60+b.start.Minute())
	height := minuteScale * b.end.Sub(b.start).Minutes()
	// A frame of its own cuts off what does not fit.
	fmt.Fprintf(out, `<svg x="%.1f" y="%.1f" width="%.1f" height="%.1f">`, x, y, lane-2, height-1)
	fmt.Fprintf(out, `<rect width="100%%" height="100%%" rx="%g" fill="%s" fill-opacity=".3"/>`, corner, b.item.Color)
	fmt.Fprintf(out, `<rect width="4" height="100%%" fill="%s"/>`, b.item.Color)
	text(out, "name", 8, lineHeight, b.item.Summary)
	if height > 2*lineHeight {
		text(out, "", 8, 2*lineHeight, b.item.Event.Venue)
	}
	out.WriteString("</svg>\n")
}

func line(out *bytes.Buffer, x0, y0, x1, y1 float64) {
	fmt.Fprintf(out, `<line class="grid" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", x0, y0, x1, y1)
}

func text(out *bytes.Buffer, class string, x, y float64, s string) {
	fmt.Fprintf(out, `<text class="%s" x="%.1f" y="%.1f">`, class, x, y)
	xml.EscapeText(out, []byte(s)) // a Buffer takes everything
	out.WriteString("</text>\n")
}
