// The calendar-generate command serves the function of that name on $PORT.
package main

import (
	"os"
	"runtime/debug"
	"time"

	calendargenerate "github.com/schedgen/schedgen/functions/calendar-generate"
	"github.com/schedgen/schedgen/shared/faas"
)

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50) // of a calendar of thousands of events, memory is scarcer than time
	}
	faas.Main("calendar-generate", calendargenerate.New, faas.Config{Concurrency: 100, RequestTimeout: 30 * time.Second, MaxBody: 4 << 20})
}
