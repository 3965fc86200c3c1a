package calendar_test

import (
	"fmt"

	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/timetable"
)

// A timetable's rows become events, and events become calendar items: a weekly series inside the dates of its term.
func Example() {
	events := calendar.Events(timetable.Document{Kind: timetable.Lecture, Entries: []timetable.Entry{{
		Module: "COS 212", Offered: "S1", Group: "G01", Activity: "L1", Day: "Monday", StartTime: "08:30", EndTime: "09:20",
		Venues: []string{"Centenary 6"}, Page: 1,
	}}})
	term, err := calendar.ParseRange("2031-02-10..2031-02-28")
	if err != nil {
		fmt.Println(err)
		return
	}
	cal, err := calendar.Build(events, calendar.Options{Year: 2031, Terms: calendar.Terms{"S1": term}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, item := range cal.Items {
		fmt.Println(item.Summary, "in", item.Location())
		for o := range calendar.Occurrences(item) {
			fmt.Println(o.Start.Format("Mon 2 Jan 15:04"))
		}
	}
	// Output:
	// COS 212 L1 in Centenary 6
	// Mon 10 Feb 08:30
	// Mon 17 Feb 08:30
	// Mon 24 Feb 08:30
}
