package plan

import (
	"slices"
	"strings"
	"time"

	"github.com/schedgen/schedgen/shared/calendar"
)

// normalRecurrence writes RRULE and EXDATE lines so that those that mean the same are the same. It need
// not know every form: two spellings that it takes for different look like a person's edit, which is
// kept, and that is the side to err on.
func normalRecurrence(lines []string, zone string) []string {
	var all []string
	for _, line := range lines {
		head, value, _ := strings.Cut(line, ":")
		name, params, _ := strings.Cut(strings.ToUpper(head), ";")
		switch name {
		case "RRULE", "EXRULE":
			all = append(all, name+":"+normalRule(value))
		case "EXDATE", "RDATE":
			for date := range strings.SplitSeq(value, ",") {
				all = append(all, name+":"+normalDate(date, params, zone))
			}
		default:
			all = append(all, line)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// normalRule sorts a rule's parts and leaves out those that say what holds without them.
func normalRule(rule string) string {
	var parts []string
	for part := range strings.SplitSeq(strings.ToUpper(rule), ";") {
		if part != "" && part != "INTERVAL=1" && !strings.HasPrefix(part, "WKST=") {
			parts = append(parts, part)
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, ";")
}

// normalDate writes a date-time of Africa/Johannesburg in UTC; one of another zone keeps its name.
func normalDate(date, params, zone string) string {
	if name, ok := strings.CutPrefix(params, "TZID="); ok {
		zone = name
	}
	date = strings.ToUpper(strings.TrimSpace(date))
	if strings.HasSuffix(date, "Z") {
		return date
	}
	if t, err := time.ParseInLocation("20060102T150405", date, calendar.Zone); err == nil && strings.EqualFold(zone, calendar.ZoneName) {
		return t.UTC().Format("20060102T150405Z")
	}
	return strings.ToUpper(zone) + " " + date
}
