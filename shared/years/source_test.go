package years

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
)

// TestEveryInstanceSeesNewsWithinAMinute of an import and of a mounted file, by its own clock and with the settings
// as they are shipped. In between it asks nobody.
func TestEveryInstanceSeesNewsWithinAMinute(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	file := filepath.Join(t.TempDir(), "years.json")
	write := func(source string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(`{"2032": {"source": "`+source+`"}}`), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("Draft")
	clock := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	instances := []*Source{NewSource(Config{File: file}, pool), NewSource(Config{File: file}, pool)}
	for _, s := range instances {
		s.now = func() time.Time { return clock }
		if _, known := s.Snapshot(t.Context()).Years[2031]; known {
			t.Fatal("2031 is known before it was imported")
		}
	}
	imported, err := calendar.ParseYears([]byte(`{"2031": {"source": "Senate"}}`))
	if err == nil {
		_, err = NewStore(pool).Import(t.Context(), imported)
	}
	if err != nil {
		t.Fatal(err)
	}
	write("Final, as approved")
	seen := func() (all int) {
		for _, s := range instances {
			now := s.Snapshot(t.Context())
			if now.Origins[2031] == Database && now.Years[2032].Source == "Final, as approved" {
				all++
			}
		}
		return all
	}
	if n := seen(); n != 0 {
		t.Errorf("%d instances looked again at once", n)
	}
	if clock = clock.Add(time.Minute); seen() != len(instances) {
		t.Error("after a minute, not every instance has seen the import and the file")
	}
}
