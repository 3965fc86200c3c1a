package ics_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// reading is what another program understands of a calendar.
type reading struct {
	Name   string
	Events []struct {
		UID, Summary, Location, Description string
		Categories                          []string
		Sequence                            int
		Alarms                              []int
		Occurrences                         [][2]time.Time
	}
}

// reader is a program that reads calendars, and is not the one that wrote them.
type reader struct {
	name string
	argv []string
	need string // a file that must exist
	hint string // what a person does to have it
}

var readers = []reader{
	{
		name: "icalendar", argv: []string{"/usr/bin/python3", "read.py"}, need: "/usr/lib/python3/dist-packages/icalendar",
		hint: "install Debian's python3-icalendar and python3-dateutil",
	},
	{
		name: "ical.js", argv: []string{"node", "read.mjs"}, need: "testdata/readback/node_modules/ical.js",
		hint: "run npm ci in functions/calendar-generate/ics/testdata/readback (make test does)",
	},
}

// eachReader runs the test with what each of the other parsers understands of file.
func eachReader(t *testing.T, file []byte, test func(t *testing.T, got reading)) {
	t.Helper()
	for _, r := range readers {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			test(t, r.read(t, file, ""))
		})
	}
}

// read has the program read file, as one whose own clock is in zone.
func (r reader) read(t *testing.T, file []byte, zone string) reading {
	t.Helper()
	if _, err := os.Stat(r.need); errors.Is(err, os.ErrNotExist) {
		t.Skipf("%s is not installed; to read calendars back with it, %s", r.name, r.hint)
	}
	if _, err := exec.LookPath(r.argv[0]); err != nil {
		t.Skipf("%s is not installed; to read calendars back with %s, install it and %s", r.argv[0], r.name, r.hint)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, r.argv[0], r.argv[1:]...)
	cmd.Dir = filepath.Join("testdata", "readback")
	cmd.Env = append(os.Environ(), "TZ="+zone)
	cmd.Stdin = bytes.NewReader(file)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s refuses the calendar: %v\n%s\n%s", r.name, err, complaint.String(), file)
	}
	var got reading
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("%s: %v", r.name, err)
	}
	return got
}
