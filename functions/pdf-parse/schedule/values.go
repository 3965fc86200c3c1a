package schedule

import (
	"strings"
	"time"
)

// moduleCode is a module code as it is always written, "COS 214"; text itself where it is none.
func moduleCode(text string) (string, bool) {
	switch {
	case len(text) == len("COS 214") && text[3] == ' ' && isCapitals(text[:3]) && isDigits(text[4:]):
		return text, true
	case len(text) == len("COS214") && isCapitals(text[:3]) && isDigits(text[3:]):
		return text[:3] + " " + text[3:], true
	}
	return moduleTwin(text)
}

func isCapitals(text string) bool {
	for i := range len(text) {
		if text[i] < 'A' || text[i] > 'Z' {
			return false
		}
	}
	return true
}

func isDigits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return true
}

// moduleTwin is the only module code that text can be taken for.
func moduleTwin(text string) (string, bool) {
	first, last := strings.TrimSpace(text[:min(3, len(text))]), strings.TrimSpace(text[min(3, len(text)):])
	letters, ok1 := asLetters(first)
	digits, ok2 := asDigits(last)
	if !ok1 || !ok2 || len(letters) != 3 || len(digits) != 3 {
		return text, false
	}
	return letters + " " + digits, true
}

// clock is a time of day as HH:MM.
func clock(text string) (string, bool) {
	hour, minute, ok := splitClock(text)
	if !ok {
		hour, minute, ok = splitClock(digitTwins.Replace(text))
	}
	if !ok || hour > "23" || minute > "59" {
		return "", false
	}
	return hour + ":" + minute, true
}

// splitClock gives the two digits of each, the hour and the minute, of a text such as "7:30", "07h30" or "07.30".
func splitClock(text string) (hour, minute string, ok bool) {
	n := len(text) - len(":30")
	if n < 1 || n > 2 || !isDigits(text[:n]) || !strings.Contains(":hH.", text[n:n+1]) || !isDigits(text[n+1:]) {
		return "", "", false
	}
	if n == 1 {
		return "0" + text[:1], text[2:], true
	}
	return text[:2], text[3:], true
}

// timeRange reads "07:30 - 08:20".
func timeRange(text string) (start, end string, ok bool) {
	from, to, ok := splitRange(text)
	if !ok {
		from, to, ok = splitRange(digitTwins.Replace(strings.Replace(text, "to", "-", 1)))
	}
	if !ok {
		return "", "", false
	}
	start, ok1 := clock(from)
	end, ok2 := clock(to)
	if !ok1 || !ok2 {
		return "", "", false
	}
	return start, end, true
}

// splitRange gives the two times that a dash, or "to", parts.
func splitRange(text string) (from, to string, ok bool) {
	const ofTimes = "0123456789:hH."
	rest := strings.TrimLeft(text, ofTimes)
	from, rest = text[:len(text)-len(rest)], strings.TrimPrefix(rest, " ")
	for _, dash := range [...]string{"-", "–", "—", "to"} {
		if after, found := strings.CutPrefix(rest, dash); found {
			to = strings.TrimPrefix(after, " ")
			return from, to, from != "" && to != "" && strings.Trim(to, ofTimes) == ""
		}
	}
	return "", "", false
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
	if t, ok := plainDate(strings.ToLower(text)); ok {
		return t, true
	}
	return plainDate(withMonth(text))
}

func plainDate(text string) (time.Time, bool) {
	text = strings.Replace(text, "sept ", "sep ", 1)
	for _, form := range []string{"2 Jan 2006", "2 January 2006", "2006 1 2", "2006 Jan 2"} {
		if t, err := time.Parse(form, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// withMonth is a date in lower case, with what looks like the name of a month as that name and what looks like a
// number as that number.
func withMonth(text string) string {
	words := strings.Fields(text)
	for i, word := range words {
		words[i] = strings.ToLower(word)
		if digits, ok := asDigits(word); ok {
			words[i] = digits
			continue
		}
		for m := time.January; m <= time.December; m++ {
			for _, name := range []string{strings.ToLower(m.String()), strings.ToLower(m.String()[:3])} {
				if sameLetters(word, name) {
					words[i] = name
				}
			}
		}
	}
	return strings.Join(words, " ")
}

// weekday is the English name of a day from its name or its first letters; text itself where it is none.
func weekday(text string) (string, bool) {
	if len(text) < 3 {
		return text, false
	}
	for _, same := range []func(a, b string) bool{strings.EqualFold, sameLetters} {
		for d := time.Sunday; d <= time.Saturday; d++ {
			if name := d.String(); len(text) <= len(name) && same(text, name[:len(text)]) {
				return name, true
			}
		}
	}
	return text, false
}

// terms are what Offered can say.
var terms = map[string]bool{"S1": true, "S2": true, "Q1": true, "Q2": true, "Q3": true, "Q4": true, "Y": true}

// term is what Offered says; text itself where it is none.
func term(text string) (string, bool) {
	if !terms[text] {
		if code, ok := numberedCode(text, 1); ok && terms[code] {
			return code, true
		}
	}
	return text, terms[text]
}
