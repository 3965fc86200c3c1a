package ics_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/dev/testkit/tabletest"
)

// unfold joins folded lines as RFC 5545 section 3.1 has it.
func unfold(file []byte) string {
	return strings.NewReplacer("\r\n ", "", "\r\n\t", "").Replace(string(file))
}

// values are the TEXT values of all properties of that name, unfolded and unescaped.
func values(file []byte, name string) []string {
	var all []string
	for line := range strings.SplitSeq(unfold(file), "\r\n") {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			all = append(all, unescape(value))
		}
	}
	return all
}

func unescape(s string) string {
	return strings.NewReplacer(`\\`, `\`, `\;`, `;`, `\,`, `,`, `\n`, "\n").Replace(s)
}

// plain is what may be read back of a text: every kind of line end is one, control characters are
// gone, and what is no UTF-8 is marked as such.
func plain(s string) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n").Replace(strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' || r == 0x7f {
			return -1
		}
		return r
	}, s)
}

// FuzzText writes any text in any place and wants back the same text, unfolded and unescaped, and no
// line that nobody wrote.
func FuzzText(f *testing.F) {
	f.Add("IT 4-4", "COS 212", "Mine")
	f.Add("é€😀\\n;,\r\n\t", "\x00\xff", "\u2028x\u0085")
	f.Add(strings.Repeat("€", 30), "\r\n ", "\r\nBEGIN:VEVENT")
	f.Add("\x00", "\\", strings.Repeat("\\", 80))
	f.Fuzz(func(t *testing.T, venue, notes, name string) {
		if utf8.RuneCountInString(name) > 200 {
			return // package calendar takes no name so long
		}
		e := test("Test1", venue)
		e.Notes = notes
		file := write(t, calendar.Options{Name: name, Reminders: []int{5}}, e)
		checkLines(t, file)
		if got, want := skeleton(file), skeleton(write(t, calendar.Options{Reminders: []int{5}}, test("Test1", ""))); !slices.Equal(got, want) {
			t.Fatalf("the file has the parts %q, want %q", got, want)
		}
		if got := values(file, "LOCATION"); plain(venue) == "" && len(got) != 0 || plain(venue) != "" && !slices.Equal(got, []string{plain(venue)}) {
			t.Errorf("venue %q is read back as %q", venue, got)
		}
		if got := values(file, "NAME"); name != "" && plain(name) != "" && !slices.Equal(got, []string{plain(name)}) {
			t.Errorf("name %q is read back as %q", name, got)
		}
		if got := values(file, "DESCRIPTION")[0]; !strings.Contains(got, plain(notes)) {
			t.Errorf("notes %q are not in %q", notes, got)
		}
	})
}

// skeleton is the file's components and what no text may add to or take away.
func skeleton(file []byte) []string {
	var all []string
	for line := range strings.SplitSeq(unfold(file), "\r\n") {
		for _, kept := range []string{"BEGIN", "END", "UID", "DTSTART", "DTEND", "TRIGGER", "SUMMARY", "DESCRIPTION"} {
			if strings.HasPrefix(line, kept+":") || strings.HasPrefix(line, kept+";") {
				name, _, _ := strings.Cut(line, ":")
				all = append(all, name)
			}
		}
	}
	return all
}

// TestTextSurvivesOtherPrograms has rooms of the characters that are known for trouble, at every
// place where a line may fold.
func TestTextSurvivesOtherPrograms(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(tabletest.Seed(t), 0))
	// Not a backslash before an n: icalendar 4 takes even an escaped one for a line end.
	nasty := []string{";", ",", `\`, "\n", "\r\n", "\t", `"`, ":", "é", "€", "😀", "\u2028", "\u0085", "\u00a0", "\x1e", "\x00", "=", "%", " "}
	var events []calendar.Event
	var want []string
	for n := range 150 {
		room := strings.Repeat("x", 1+r.IntN(80))
		for range r.IntN(12) {
			room += nasty[r.IntN(len(nasty))] + "y"
		}
		e := test("Test1", room)
		e.ID = fmt.Sprint(n)
		events = append(events, e)
		want = append(want, plain(room))
	}
	eachReader(t, write(t, calendar.Options{}, events...), func(t *testing.T, got reading) {
		if len(got.Events) != len(want) {
			t.Fatalf("%d events, want %d", len(got.Events), len(want))
		}
		for n, e := range got.Events {
			if e.Location != want[n] {
				t.Errorf("room %q is read as %q", want[n], e.Location)
			}
		}
	})
}
