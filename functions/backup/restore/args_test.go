package restore_test

import (
	"testing"

	"github.com/schedgen/schedgen/functions/backup/restore"
)

func TestArgumentsOfARestore(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args []string
		want restore.Options
		bad  bool
	}{
		{args: nil},
		{args: []string{"ID"}, want: restore.Options{ID: "ID"}},
		{args: []string{"--replace"}, want: restore.Options{Replace: true}},
		{args: []string{"--replace", "ID"}, want: restore.Options{ID: "ID", Replace: true}},
		{args: []string{"ID", "--offsite", "--replace"}, want: restore.Options{ID: "ID", Replace: true, Offsite: true}},
		{args: []string{"--ignore-deletions", "--unsigned"}, want: restore.Options{Unsigned: true, IgnoreDeletions: true}},
		{args: []string{"--replace", "--without-damaged-pdfs"}, want: restore.Options{Replace: true, WithoutDamagedPDFs: true}},
		{args: []string{"--replace", "ID", "ID"}, bad: true},
		{args: []string{"--replace", "--off-site"}, bad: true},
		{args: []string{"-replace"}, bad: true},
		{args: []string{"--replace", ""}, bad: true},
	} {
		if got, err := restore.ParseArgs(test.args); got != test.want || (err != nil) != test.bad {
			t.Errorf("arguments %q: got %+v and the error %v, want %+v, an error %t", test.args, got, err, test.want, test.bad)
		}
	}
}
