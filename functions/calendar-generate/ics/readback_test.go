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
	Refused           string // why the program does not take it
	Name, Description string
	Events            []struct {
		UID, Summary, Location, Description, Color string
		Categories                                 []string
		Sequence                                   int
		Alarms                                     []int
		Occurrences                                [][2]time.Time
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
		hint: "run npm ci in functions/calendar-generate/ics/testdata/readback (make setup does)",
	},
}

// eachReader runs the test with what each of the other programs understands of file.
func eachReader(t *testing.T, file []byte, test func(t *testing.T, got reading)) {
	t.Helper()
	for _, r := range readers {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			test(t, r.taken(t, "", file)[0])
		})
	}
}

// taken is read of files that the program must take.
func (r reader) taken(t *testing.T, zone string, files ...[]byte) []reading {
	t.Helper()
	all := r.read(t, zone, files...)
	for n, got := range all {
		if got.Refused != "" {
			t.Fatalf("%s refuses the calendar: %s\n%s", r.name, got.Refused, files[n])
		}
	}
	return all
}

// read has the program read the files, as one whose own clock is in zone. Where the program is not
// installed, the test is skipped.
func (r reader) read(t *testing.T, zone string, files ...[]byte) []reading {
	t.Helper()
	if _, err := os.Stat(r.need); errors.Is(err, os.ErrNotExist) {
		t.Skipf("%s is not installed; to read calendars back with it, %s", r.name, r.hint)
	}
	if _, err := exec.LookPath(r.argv[0]); err != nil {
		t.Skipf("%s is not installed; to read calendars back with %s, install it and %s", r.argv[0], r.name, r.hint)
	}
	texts := make([]string, len(files))
	for n, file := range files {
		texts[n] = string(file)
	}
	in, err := json.Marshal(texts)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, r.argv[0], r.argv[1:]...)
	cmd.Dir = filepath.Join("testdata", "readback")
	cmd.Env = append(os.Environ(), "TZ="+zone)
	cmd.Stdin = bytes.NewReader(in)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", r.name, err, complaint.String())
	}
	var got []reading
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || len(got) != len(files) {
		t.Fatalf("%s: %v, %d readings of %d files", r.name, err, len(got), len(files))
	}
	return got
}
