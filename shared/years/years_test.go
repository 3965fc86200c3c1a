package years_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/secret"
	"github.com/schedgen/schedgen/shared/years"
)

// pair is two years that agree on a name.
func pair(t *testing.T, name string) calendar.Years {
	t.Helper()
	file := fmt.Sprintf(`{"2030": {"source": %q, "recess": []}, "2031": {"source": %q, "recess": []}}`, name, name)
	read, err := calendar.ParseYears([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	return read
}

// TestImportIsSeenWholeOrNotAtAll: readers beside many imports never see years of two of them.
func TestImportIsSeenWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	pool, err := postgres.Open(postgres.Config{URL: secret.New(dsn), MaxConns: 8})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	store, source := years.NewStore(pool), years.NewSource(years.Config{Refresh: 1}, pool)
	if _, err := store.Import(t.Context(), pair(t, "first")); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for writer := range 3 {
		all.Go(func() {
			for n := range 10 {
				if _, err := store.Import(t.Context(), pair(t, fmt.Sprint(writer, " ", n))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 3 {
		all.Go(func() {
			last := int64(0)
			for range 30 {
				now, err := source.Reload(t.Context())
				if err != nil || now.Years[2030].Source != now.Years[2031].Source || now.Version < last {
					t.Errorf("version %d after %d: %q and %q, %v", now.Version, last, now.Years[2030].Source, now.Years[2031].Source, err)
				}
				last = now.Version
			}
		})
	}
	all.Wait()
	stored, err := store.All(t.Context())
	if now, _ := source.Reload(t.Context()); err != nil || now.Years[2030].Source != stored[2030].Source {
		t.Errorf("the source has %q, the database %q, %v", now.Years[2030].Source, stored[2030].Source, err)
	}
}

// TestYearsWithoutADatabase: what is made and forgotten goes by what is known, and what is kept waits.
func TestYearsWithoutADatabase(t *testing.T) {
	t.Parallel()
	pool, err := postgres.Open(postgres.Config{URL: secret.New("postgres://nobody@127.0.0.1:1/none")})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	source := years.NewSource(years.Config{}, pool)
	if got := source.Snapshot(t.Context()); got.Origins[2026] != years.Shipped {
		t.Errorf("2026 comes from %q", got.Origins[2026])
	}
	var down *postgres.DownError
	if _, err := source.Loaded(t.Context()); !errors.As(err, &down) {
		t.Errorf("settled years without a database: %v", err)
	}
	if source.LastError() == nil {
		t.Error("there is no problem")
	}
}

func TestRemovedYearIsNotTheImportedOne(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	store, source := years.NewStore(pool), years.NewSource(years.Config{Refresh: 1}, pool)
	if err := store.Remove(t.Context(), 2031); !errors.Is(err, years.ErrNotImported) {
		t.Errorf("removing what is not there: %v", err)
	}
	if changed, err := store.Import(t.Context(), pair(t, "A")); err != nil || len(changed) != 2 {
		t.Fatalf("the import changes %v, %v", changed, err)
	}
	before := source.Snapshot(t.Context())
	if err := store.Remove(t.Context(), 2031); err != nil {
		t.Fatal(err)
	}
	after := source.Snapshot(t.Context())
	if _, there := after.Years[2031]; there || after.Version <= before.Version || after.Origins[2030] != years.Database {
		t.Errorf("after the removal version %d of %d, with %v", after.Version, before.Version, after.Origins)
	}
	if stamp := before.Stamp([]int{2031}); !after.Stale(stamp) || after.Stale(after.Stamp([]int{2031})) || !after.Stale("") || after.Stale(years.NoYears) {
		text, _ := json.Marshal(stamp)
		t.Errorf("the stamp %s is not stale, or a new one is", text)
	}
}
