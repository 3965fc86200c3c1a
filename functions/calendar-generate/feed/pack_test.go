package feed

import "testing"

// TestFilesOfEarlierProgramsAreRead: these kept files as they are.
func TestFilesOfEarlierProgramsAreRead(t *testing.T) {
	t.Parallel()
	const file = "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"
	kept, err := packBody([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ kept, want string }{"packed": {string(kept), file}, "as it is": {file, file}, "none": {}} {
		if got, err := unpackBody([]byte(c.kept)); err != nil || string(got) != c.want {
			t.Errorf("%s: got %q, %v; want %q", name, got, err, c.want)
		}
	}
}
