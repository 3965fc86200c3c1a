package readiness

import (
	"fmt"
	"strings"
	"time"

	"github.com/schedgen/schedgen/functions/backup/alert"
)

// Due is the section that is due on a day after the launch, for a schedule that asks daily: of the first day on the day of
// the launch and the next, of the first week daily, of the first month each week. On other days, and later, none is.
func Due(launched, now time.Time) string {
	year, month, day := now.In(launched.Location()).Date()
	// Noon, so that a change of the clocks makes no day shorter.
	today := time.Date(year, month, day, 12, 0, 0, 0, time.UTC)
	year, month, day = launched.Date()
	days := int(today.Sub(time.Date(year, month, day, 12, 0, 0, 0, time.UTC)).Hours() / 24)
	switch {
	case days < 0:
		return ""
	case days <= 1:
		return "first-day"
	case days <= 7:
		return "first-week"
	case days <= 31 && days%7 == 0:
		return "first-month"
	}
	return ""
}

// Message is a report for the channel of alerts: what is red with what to do, and how much was not looked at.
func Message(section string, all []Result) alert.Alert {
	c := countsOf(all)
	name := strings.ReplaceAll(section, "-", " ")
	subject := fmt.Sprintf("schedgen, %s: nothing that was looked at is red", name)
	switch {
	case c[Failed] > 0:
		subject = fmt.Sprintf("schedgen, %s: %d red", name, c[Failed])
	case c[OK] == 0:
		subject = fmt.Sprintf("schedgen, %s: nothing was looked at", name)
	}
	if n := c[NotLooked]; n > 0 {
		subject += fmt.Sprintf(", %d of %d not looked at", n, c.total())
	}
	var b strings.Builder
	for _, r := range all {
		switch r.State {
		case Failed:
			fmt.Fprintf(&b, "RED %s: %s\n  %s\n  %s\n", r.ID, r.Evidence, r.Fix, r.Command)
		case NotLooked:
			fmt.Fprintf(&b, "not looked at %s: %s\n  %s\n", r.ID, r.Evidence, r.How)
		case ToDecide:
			fmt.Fprintf(&b, "to decide %s: %s\n", r.ID, r.Evidence)
		case OK, Signed:
			fmt.Fprintf(&b, "%s %s: %s\n", r.State, r.ID, r.Evidence)
		}
	}
	return alert.Alert{Subject: subject, Text: b.String()}
}

// Failure is the message of a report that could not be made: who hears nothing believes that all is well.
func Failure(section string, err error) alert.Alert {
	return alert.Alert{Subject: fmt.Sprintf("schedgen, %s: the check itself failed", strings.ReplaceAll(section, "-", " ")),
		Text: fmt.Sprintf("Nothing was looked at: %v\nRun `schedgen readiness --section %s` by hand, and mend the schedule's call.\n", err, section)}
}
