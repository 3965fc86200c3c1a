// Package years gives the academic years that calendars go by, and keeps those that an operator imports.
//
// A year comes whole from the first of three places that has it: the database ([Store.Import]), a file that the
// operator mounted (YEARS_FILE), and the program itself ([calendar.Shipped]). A [Source] reads again at most once in
// a while, with a request that needs the years and never at the start of the process. In between, and while the
// database is down, it returns what it last read. It returns a [Snapshot], so a calendar never sees half of a
// correction. A [Snapshot.Stamp] names the years that a stored calendar was made by, so that a sweep finds the
// calendars that a correction changes.
package years

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/settings"
)

// Config is where academic years come from, besides the database and the program.
type Config struct {
	File    string        `env:"YEARS_FILE"`                 // a file of academic years; read again when it changes
	Refresh time.Duration `env:"YEARS_REFRESH, default=15s"` // how long years are used before they are read again
}

// Origin is the place that a year comes from.
type Origin string

// The places of years, the first before the others.
const (
	Database Origin = "database"
	File     Origin = "file"
	Shipped  Origin = "shipped"
)

// Snapshot is the academic years of one moment.
type Snapshot struct {
	calendar.Years
	Origins map[int]Origin
	Version int64 // of the database's part; it rises with every import
}

// Source gives the academic years of an installation. It is safe for concurrent use.
type Source struct {
	cfg   Config
	store *Store
	now   func() time.Time

	loading sync.Mutex // held while reading
	mu      sync.Mutex // guards what follows
	known   *Snapshot
	checked time.Time // when the years were last read
	problem error     // why the last read failed
	file    fileState
	rows    databaseState
}

// fileState is the mounted file as it was last read.
type fileState struct {
	modified time.Time
	size     int64
	years    calendar.Years
}

// databaseState is the database's part as it was last read.
type databaseState struct {
	read    bool
	version int64
	years   calendar.Years
}

// NewSource is the Source of a database. It reads nothing yet.
func NewSource(cfg Config, pool *postgres.Pool) *Source {
	cfg = settings.WithDefaults(cfg)
	return &Source{cfg: cfg, store: NewStore(pool), now: time.Now}
}

// Snapshot is the years to use for what is not stored, such as a calendar file. It never fails: if the database or
// the file cannot be read, it returns what was last known.
func (s *Source) Snapshot(ctx context.Context) Snapshot {
	known, _ := s.current(ctx, false)
	return known
}

// Loaded is Snapshot for what is stored, such as a feed. It fails until the database's years have been read once,
// because subscribers would see the shipped years now and the right ones later.
func (s *Source) Loaded(ctx context.Context) (Snapshot, error) {
	known, err := s.current(ctx, false)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.rows.read {
		return Snapshot{}, cmp.Or(err, s.problem)
	}
	return known, nil
}

// Reload is Loaded after it has read the years again.
func (s *Source) Reload(ctx context.Context) (Snapshot, error) { return s.current(ctx, true) }

// LastError is why the years could not be read the last time, or nil.
func (s *Source) LastError() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.problem
}

// current is what is known, read again if that is due. While one request reads, the others use what is known.
func (s *Source) current(ctx context.Context, must bool) (Snapshot, error) {
	if known, fresh := s.cached(); fresh && !must {
		return known, s.LastError()
	}
	if !must && !s.loading.TryLock() {
		if known, _ := s.cached(); known.Years != nil {
			return known, nil
		}
		s.loading.Lock()
	} else if must {
		s.loading.Lock()
	}
	defer s.loading.Unlock()
	if known, fresh := s.cached(); fresh && !must {
		return known, s.LastError() // another request has read them meanwhile
	}
	err := s.load(ctx)
	known, _ := s.cached()
	return known, err
}

// cached is what is known, and whether it need not be read again yet.
func (s *Source) cached() (Snapshot, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		return Snapshot{}, false
	}
	return *s.known, s.now().Sub(s.checked) < s.cfg.Refresh
}

// loadTimeout bounds a read: a request does not wait for a database that is down.
const loadTimeout = 2 * time.Second

// load reads the file and the database. What cannot be read stays as it was.
func (s *Source) load(ctx context.Context) error {
	// A caller that hangs up while reading must not leave the others without.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadTimeout)
	defer cancel()
	s.mu.Lock()
	file, rows := s.file, s.rows
	s.mu.Unlock()
	file, fileErr := s.readFile(file)
	rows, rowsErr := s.store.load(ctx, rows)
	err := errors.Join(fileErr, rowsErr)
	if err != nil {
		api.Logger(ctx).WarnContext(ctx, "academic years could not be read; those known before are used", "error", err.Error())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.file, s.rows, s.problem, s.checked = file, rows, err, s.now()
	s.known = combined(file.years, rows)
	return rowsErr
}

// combined puts the years of the three places over each other.
func combined(file calendar.Years, rows databaseState) *Snapshot {
	all := &Snapshot{Years: calendar.Shipped().OverriddenBy(file).OverriddenBy(rows.years), Origins: make(map[int]Origin), Version: rows.version}
	for year := range all.Years {
		all.Origins[year] = Shipped
		if _, ok := file[year]; ok {
			all.Origins[year] = File
		}
		if _, ok := rows.years[year]; ok {
			all.Origins[year] = Database
		}
	}
	return all
}

// readFile reads the mounted file again if it has changed.
func (s *Source) readFile(before fileState) (fileState, error) {
	if s.cfg.File == "" {
		return fileState{}, nil
	}
	info, err := os.Stat(s.cfg.File)
	if err != nil {
		return before, fmt.Errorf("YEARS_FILE: %w", err)
	}
	if before.years != nil && info.ModTime().Equal(before.modified) && info.Size() == before.size {
		return before, nil
	}
	read, err := ReadFile(s.cfg.File)
	if err != nil {
		return before, fmt.Errorf("YEARS_FILE: %w", err)
	}
	return fileState{info.ModTime(), info.Size(), read}, nil
}

// ReadFile reads a file of academic years as [calendar.ParseYears] does.
func ReadFile(name string) (calendar.Years, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read the academic years: %w", err)
	}
	read, err := calendar.ParseYears(data)
	if err != nil {
		return nil, fmt.Errorf("%s:\n%w", name, err)
	}
	return read, nil
}
