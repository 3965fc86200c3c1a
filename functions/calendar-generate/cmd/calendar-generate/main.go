// The calendar-generate command serves the function of that name on $PORT.
package main

import (
	"time"

	calendargenerate "github.com/schedgen/schedgen/functions/calendar-generate"
	"github.com/schedgen/schedgen/shared/faas"
)

func main() {
	faas.SpareMemory()
	faas.Main("calendar-generate", calendargenerate.New, faas.Config{Concurrency: 100, RequestTimeout: 30 * time.Second, MaxBody: 4 << 20})
}
