package events_test

import (
	"fmt"
	"net/http"
	"time"

	"github.com/schedgen/schedgen/shared/events"
)

// An event travels in binary mode: its attributes are headers, its data is the body.
func ExampleEncode() {
	sent, err := events.NewParsed(events.Parsed{JobID: "6a1f6a3e-8f5e-4b52-9c1c-2b1a9e0f7a11", Kind: "lecture", Entries: 12}, time.Now())
	if err != nil {
		fmt.Println(err)
		return
	}
	header := http.Header{}
	events.Encode(header, sent)
	received, err := events.Decode(header, sent.Data())
	if err != nil {
		fmt.Println(err)
		return
	}
	parsed, err := events.ParsedOf(received[0])
	fmt.Println(header.Get("Ce-Type"), parsed.Entries, err)
	// Output: dev.schedgen.timetable.parsed.v1 12 <nil>
}
