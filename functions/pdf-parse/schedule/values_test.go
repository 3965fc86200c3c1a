package schedule

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/schedgen/schedgen/functions/pdf-parse/table"
)

func TestTimes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"07:30 - 08:20":   "07:30 08:20",
		"7:30 - 8:20":     "07:30 08:20",
		"07:30-08:20":     "07:30 08:20",
		"07:30 – 08:20":   "07:30 08:20",
		"07h30 — 08h20":   "07:30 08:20",
		"7.30 to 8.20":    "07:30 08:20",
		"23:00 - 23:59":   "23:00 23:59",
		"08:20 - 07:30":   "08:20 07:30", // read as printed; the row gets a warning
		"07:30":           "",
		"07:30 -":         "",
		"07:30 - 24:00":   "",
		"07:60 - 08:20":   "",
		"07:3 - 08:20":    "",
		"730 - 820":       "",
		"7:30 pm - 8:20":  "",
		"07:30 - 08:20 x": "",
		"O7:3O - 08:2O":   "07:30 08:20", // letters where only digits can be
		"l7:3o to I8:20":  "17:30 18:20",
		"1²:30 - 13:20":   "",
		"½:30 - 08:20":    "",
		"٠٧:٣٠ - 08:20":   "",
		"TBA":             "",
		"":                "",
	} {
		got := ""
		if from, to, ok := timeRange(text); ok {
			got = from + " " + to
		}
		if got != want {
			t.Errorf("timeRange(%q): got %q, want %q", text, got, want)
		}
	}
}

func TestDates(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"23 Aug 2025":      "2025-08-23",
		"23 AUG 2025":      "2025-08-23",
		"23-Aug-2025":      "2025-08-23",
		"3 August 2025":    "2025-08-03",
		"1 Sept 2025":      "2025-09-01",
		"Sat, 23 Aug 2025": "2025-08-23",
		"2025-08-23":       "2025-08-23",
		"2025/08/23":       "2025-08-23",
		"29 Feb 2024":      "2024-02-29",
		"23 0ct 2025":      "2025-10-23", // digits and letters for each other
		"2O N0V 2O25":      "2025-11-20",
		"l JuI 2025":       "2025-07-01",
		"1² NOV 2025":      "",
		"2 aprıl 2025":     "2025-04-02",
		"23 1an 2025":      "",
		"29 Feb 2025":      "", // no such day
		"31 Nov 2025":      "",
		"08/09/2025":       "", // August or September
		"23 Aug":           "",
		"23 Aug 25":        "",
		"Friday":           "",
		"TBA":              "",
		"":                 "",
	} {
		got := ""
		if d, ok := date(text); ok {
			got = d.Format(time.DateOnly)
		}
		if got != want {
			t.Errorf("date(%q): got %q, want %q", text, got, want)
		}
	}
}

func TestWeekdays(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Monday": "Monday", "MONDAY": "Monday", "Wed": "Wednesday", "thurs": "Thursday", "Sunday": "Sunday",
		"M0nday": "Monday", "FrIday": "Friday", "Frlday": "Friday", "Mо": "", "Mondaÿ": "",
		"Mo": "", "Mondays": "", "Day": "", "": "",
	} {
		got, ok := weekday(text)
		if !ok {
			got = ""
		}
		if got != want {
			t.Errorf("weekday(%q): got %q, want %q", text, got, want)
		}
	}
}

func TestModuleCodes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"COS 214": "COS 214", "COS214": "COS 214", "cos 214": "", "COS 21": "", "COSC 214": "", "COS 2145": "", "COS-214": "", "": "",
		"C0S 214": "COS 214", "COS 2I4": "COS 214", "COS 2lO": "COS 210", "CO5 214": "", "COS 21²": "", "C1S 214": "", "COS ½14": "", "COSÉ 214": "",
	} {
		got, ok := moduleCode(text)
		if !ok {
			got = ""
		}
		if got != want {
			t.Errorf("moduleCode(%q): got %q, want %q", text, got, want)
		}
	}
}

func TestExamsEndThreeHoursLaterOnTheSameDay(t *testing.T) {
	t.Parallel()
	for start, want := range map[string]string{"07:30": "10:30", "20:59": "23:59", "21:00": "23:59", "22:15": "23:59", "": ""} {
		if got := threeHoursAfter(start); got != want {
			t.Errorf("threeHoursAfter(%q): got %q, want %q", start, got, want)
		}
	}
}

// TestVenues holds for what a line of venues says by where it ends; a line can be 100 points long.
func TestVenues(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		lines   []string
		several bool
		want    []string
		doubt   string
	}{
		"one":                         {[]string{"IT 4-4"}, true, []string{"IT 4-4"}, ""},
		"none":                        {nil, true, []string{}, ""},
		"the next had room":           {[]string{"IT 4-4", "EMS 2-150"}, false, []string{"IT 4-4", "EMS 2-150"}, ""},
		"wrapped before a small one":  {[]string{"Theatre of the natural", "sciences"}, true, []string{"Theatre of the natural sciences"}, ""},
		"wrapped before a digit":      {[]string{"Building & workshops", "4, 5 and 6"}, true, []string{"Building & workshops 4, 5 and 6"}, ""},
		"wrapped after a comma":       {[]string{"Roos Hall 2 (ground,", "Entrance 3)"}, true, []string{"Roos Hall 2 (ground, Entrance 3)"}, ""},
		"a known beginning":           {[]string{"Informatorium Orange", "Thuto 3-1"}, false, []string{"Informatorium Orange", "Thuto 3-1"}, ""},
		"just room, and nothing else": {[]string{"Informatorium 12", "Lab"}, true, []string{"Informatorium 12", "Lab"}, "Lab"},
		"just room, one lecture":      {[]string{"Informatorium 12", "Lab"}, false, []string{"Informatorium 12 Lab"}, "Lab"},
		"just room, a known start":    {[]string{"Informatoriums", "Thuto"}, false, []string{"Informatoriums", "Thuto"}, ""},
		"just room, a longer name":    {[]string{"Maroon", "Establishment 1"}, true, []string{"Maroon Establishment 1"}, ""},
		"in doubt, several":           {[]string{"Informatorium Orange", "Laboratory"}, true, []string{"Informatorium Orange", "Laboratory"}, "Laboratory"},
		"in doubt, one":               {[]string{"Informatorium Orange", "Laboratory"}, false, []string{"Informatorium Orange Laboratory"}, ""},
	} {
		var lines []table.Line
		for _, text := range test.lines {
			first, _, _ := strings.Cut(text, " ")
			lines = append(lines, table.Line{Text: text, X1: 5 * float64(len(text)), Size: 10, First: 5 * float64(len(first))})
		}
		got, doubt := venueReader{limit: 100, starts: map[string]bool{"Thuto": true}, opens: map[string]bool{"Maroon": true}}.venues(lines, test.several)
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
		if (doubt == "") != (test.doubt == "") {
			t.Errorf("%s: got doubt %q, want %q", name, doubt, test.doubt)
		}
	}
}

func TestCodes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"G01": "G01", "P1": "P1", "GO1": "GO1", "G0l": "G01", "GOl": "GO1", "Ll": "L1", "LI": "L1", "TO2": "TO2", "PO": "", "G²": "", "G1²": "", "①": "",
		"": "", "Group 1": "", "L": "", "L1 L2": "", "0l": "O1", "l": "",
	} {
		got, ok := numberedCode(text, 3)
		if !ok {
			got = ""
		}
		if got != want {
			t.Errorf("numberedCode(%q): got %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{"S1": "S1", "Sl": "S1", "QI": "Q1", "Y": "Y", "S²": "", "Q5": "", "51": "", "": ""} {
		got, ok := term(text)
		if !ok {
			got = ""
		}
		if got != want {
			t.Errorf("term(%q): got %q, want %q", text, got, want)
		}
	}
}
