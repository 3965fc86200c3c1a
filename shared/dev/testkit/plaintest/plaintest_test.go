package plaintest_test

import (
	"strings"
	"testing"

	"github.com/schedgen/schedgen/shared/dev/testkit/plaintest"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	for message, good := range map[string]bool{
		"This file is empty. Choose the PDF of your timetable.":                true,
		"We could not read %q. Check it.":                                      true,
		"%q is not a day of the week. Check this entry against the PDF.":       true,
		"A timetable is far smaller: check that you chose the right file.":     true,
		"This PDF has no pages.":                                               false, // and what now?
		"this file is empty. Choose another.":                                  false,
		"This file is empty. Choose another":                                   false,
		"This was sent by a page of another site, and is not done. Try again.": false,
		"Sign in with Google, please. Try again.":                              false,
		"There is no such job. Try again.":                                     false,
		"Try again." + strings.Repeat(" Try again.", 30):                       false,
		"Try  again.": false,
	} {
		if err := plaintest.CheckAdvice(message); (err == nil) != good {
			t.Errorf("%q: got %v, want good %v", message, err, good)
		}
	}
}
