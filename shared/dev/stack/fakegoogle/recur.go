package fakegoogle

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/teambition/rrule-go"
)

// maxInstances bounds the expansion of a series without an end.
const maxInstances = 3000

// recurrence is a series that was read.
type recurrence struct{ set *rrule.Set }

var lineHead = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(RRULE|EXRULE|RDATE|EXDATE)((?:;[A-Z-]+=[^;:]+)*):(.+)$`)
})

// recurrenceOf reads the lines of a series that starts then, and refuses what RFC 5545 does not have.
func recurrenceOf(lines []any, start moment) (*recurrence, error) {
	set := &rrule.Set{}
	set.DTStart(start.at.In(start.zone))
	rules := 0
	for _, line := range lines {
		text, _ := line.(string)
		parts := lineHead().FindStringSubmatch(text)
		if parts == nil {
			return nil, fmt.Errorf("%.60q is no RRULE, EXRULE, RDATE or EXDATE line", text)
		}
		name, params, value := parts[1], parts[2], parts[3]
		var err error
		switch name {
		case "RRULE":
			rules++
			err = addRule(set, params, value, start)
		case "EXRULE":
			err = fmt.Errorf("this server does not expand EXRULE")
		default:
			err = addDates(set, name, params, value, start)
		}
		if err != nil {
			return nil, fmt.Errorf("%.60q: %w", text, err)
		}
	}
	if rules > 1 {
		return nil, fmt.Errorf("%d RRULE lines", rules)
	}
	return &recurrence{set}, nil
}

// ruleParts are the parts of a rule (RFC 5545 section 3.3.10) and the form of each. Like all patterns here they are made when
// they are first needed: every start of schedgen would pay for them.
var ruleParts = sync.OnceValue(func() map[string]*regexp.Regexp {
	return map[string]*regexp.Regexp{
		"FREQ":       regexp.MustCompile(`^(SECONDLY|MINUTELY|HOURLY|DAILY|WEEKLY|MONTHLY|YEARLY)$`),
		"UNTIL":      regexp.MustCompile(`^\d{8}(T\d{6}Z?)?$`),
		"COUNT":      regexp.MustCompile(`^[1-9]\d*$`),
		"INTERVAL":   regexp.MustCompile(`^[1-9]\d*$`),
		"BYDAY":      regexp.MustCompile(`^([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)(,([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU))*$`),
		"BYMONTHDAY": regexp.MustCompile(`^-?\d{1,2}(,-?\d{1,2})*$`),
		"BYMONTH":    regexp.MustCompile(`^\d{1,2}(,\d{1,2})*$`),
		"BYSETPOS":   regexp.MustCompile(`^-?\d{1,3}(,-?\d{1,3})*$`),
		"WKST":       regexp.MustCompile(`^(MO|TU|WE|TH|FR|SA|SU)$`),
	}
})

func addRule(set *rrule.Set, params, value string, start moment) error {
	if params != "" {
		return fmt.Errorf("a rule takes no parameters")
	}
	seen := map[string]string{}
	for part := range strings.SplitSeq(value, ";") {
		name, v, _ := strings.Cut(part, "=")
		form, ok := ruleParts()[name]
		if !ok || !form.MatchString(v) {
			return fmt.Errorf("the part %q is not of RFC 5545", part)
		}
		if _, twice := seen[name]; twice {
			return fmt.Errorf("two parts %s", name)
		}
		seen[name] = v
	}
	if seen["FREQ"] == "" {
		return fmt.Errorf("no FREQ")
	}
	if seen["COUNT"] != "" && seen["UNTIL"] != "" {
		return fmt.Errorf("COUNT and UNTIL exclude each other")
	}
	if until := seen["UNTIL"]; until != "" {
		switch {
		case start.allDay && len(until) != 8:
			return fmt.Errorf("UNTIL must be a date, as the start is")
		case !start.allDay && !strings.HasSuffix(until, "Z"):
			return fmt.Errorf("UNTIL must be in UTC, for the start has a time zone")
		}
	}
	option, err := rrule.StrToROptionInLocation(value, start.zone)
	if err != nil {
		return err
	}
	option.Dtstart = start.at.In(start.zone)
	rule, err := rrule.NewRRule(*option)
	if err != nil {
		return err
	}
	set.RRule(rule)
	return nil
}

// addDates adds RDATE or EXDATE values, which must be of the start's type and tell their zone.
func addDates(set *rrule.Set, name, params, value string, start moment) error {
	zone, isDate, err := dateParams(params, start)
	if err != nil {
		return err
	}
	if isDate != start.allDay {
		return fmt.Errorf("its values must be of the start's type")
	}
	for date := range strings.SplitSeq(value, ",") {
		var at time.Time
		switch {
		case isDate:
			at, err = time.ParseInLocation("20060102", date, start.zone)
		case strings.HasSuffix(date, "Z"):
			at, err = time.Parse("20060102T150405Z", date)
		case zone == nil:
			err = fmt.Errorf("%q has neither a TZID nor a Z", date)
		default:
			at, err = time.ParseInLocation("20060102T150405", date, zone)
		}
		if err != nil {
			return err
		}
		if name == "EXDATE" {
			set.ExDate(at)
		} else {
			set.RDate(at)
		}
	}
	return nil
}

func dateParams(params string, start moment) (zone *time.Location, isDate bool, err error) {
	for param := range strings.SplitSeq(strings.TrimPrefix(params, ";"), ";") {
		name, v, _ := strings.Cut(param, "=")
		switch name {
		case "":
		case "TZID":
			if zone, err = time.LoadLocation(v); err != nil {
				return nil, false, fmt.Errorf("TZID: %q is no IANA time zone", v)
			}
		case "VALUE":
			if v != "DATE" && v != "DATE-TIME" {
				return nil, false, fmt.Errorf("VALUE: %q", v)
			}
			isDate = v == "DATE"
		default:
			return nil, false, fmt.Errorf("unknown parameter %q", name)
		}
	}
	return zone, isDate, nil
}

// starts are the instances' starts, in order.
func (r *recurrence) starts() []time.Time {
	var all []time.Time
	next := r.set.Iterator()
	for len(all) < maxInstances {
		at, ok := next()
		if !ok {
			break
		}
		all = append(all, at)
	}
	return all
}

// instanceID names the instance of a series that starts then, as Google does.
func instanceID(series string, start time.Time, allDay bool) string {
	if allDay {
		return series + "_" + start.Format("20060102")
	}
	return series + "_" + start.UTC().Format("20060102T150405Z")
}

var instanceForm = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^([a-v0-9]{5,})_(\d{8}(?:T\d{6}Z)?)$`)
})

// seriesOf splits an instance's id.
func seriesOf(id string) (series string, ok bool) {
	parts := instanceForm().FindStringSubmatch(id)
	if parts == nil {
		return "", false
	}
	return parts[1], true
}

// sorted gives a map's keys in order.
func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
