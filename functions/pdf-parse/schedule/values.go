package schedule

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// moduleCode is a module code as it is always written, "COS 214"; text itself where it is none.
func moduleCode(text string) (string, bool) {
	m := moduleForm.FindStringSubmatch(text)
	if m == nil {
		return text, false
	}
	return m[1] + " " + m[2], true
}

var (
	clockForm = regexp.MustCompile(`^([0-9]{1,2})[:hH.]([0-9]{2})$`)
	rangeForm = regexp.MustCompile(`^([0-9:hH.]+) ?(?:-|–|—|to) ?([0-9:hH.]+)$`)
)

// clock is a time of day as HH:MM.
func clock(text string) (string, bool) {
	m := clockForm.FindStringSubmatch(text)
	if m == nil {
		return "", false
	}
	hour, _ := strconv.Atoi(m[1])
	minute, _ := strconv.Atoi(m[2])
	if hour > 23 || minute > 59 {
		return "", false
	}
	return fmt.Sprintf("%02d:%02d", hour, minute), true
}

// timeRange reads "07:30 - 08:20".
func timeRange(text string) (start, end string, ok bool) {
	m := rangeForm.FindStringSubmatch(text)
	if m == nil {
		return "", "", false
	}
	start, ok1 := clock(m[1])
	end, ok2 := clock(m[2])
	if !ok1 || !ok2 {
		return "", "", false
	}
	return start, end, true
}

// threeHoursAfter is the end assumed for an exam, on the same day.
func threeHoursAfter(start string) string {
	t, err := time.Parse("15:04", start)
	if err != nil {
		return ""
	}
	if t.Hour() >= 21 {
		return "23:59"
	}
	return t.Add(3 * time.Hour).Format("15:04")
}

var dateSeparators = strings.NewReplacer("-", " ", "/", " ", ".", " ", ",", " ")

// date reads a printed date as YYYY-MM-DD. Forms whose day and month could be taken for each other
// are not read.
func date(text string) (time.Time, bool) {
	text = strings.Join(strings.Fields(dateSeparators.Replace(text)), " ")
	if first, rest, ok := strings.Cut(text, " "); ok {
		if _, isDay := weekday(first); isDay {
			text = rest
		}
	}
	text = strings.Replace(strings.ToLower(text), "sept ", "sep ", 1)
	for _, form := range []string{"2 Jan 2006", "2 January 2006", "2006 1 2", "2006 Jan 2"} {
		if t, err := time.Parse(form, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// weekday is the English name of a day from its name or its first letters; text itself where it is none.
func weekday(text string) (string, bool) {
	if len(text) >= 3 {
		for d := time.Sunday; d <= time.Saturday; d++ {
			name := d.String()
			if len(text) <= len(name) && strings.EqualFold(text, name[:len(text)]) {
				return name, true
			}
		}
	}
	return text, false
}

// terms are what Offered can say.
var terms = map[string]bool{"S1": true, "S2": true, "Q1": true, "Q2": true, "Q3": true, "Q4": true, "Y": true}
