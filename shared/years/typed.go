package years

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/postgres"
)

// TypedDates keeps the semester dates that people typed because the year was not entered, so that each person
// is asked once. It counts for the operator how many were asked. It is safe for concurrent use.
type TypedDates struct {
	pool     *postgres.Pool
	requests *prometheus.CounterVec
}

// NewTypedDates is the TypedDates of a database.
func NewTypedDates(pool *postgres.Pool) *TypedDates {
	return &TypedDates{pool, prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "schedgen_semester_dates_total",
		Help: "Requests whose semester dates were not entered, by year: asked (the person was asked for them), typed (the person gave them), kept (those given before were used).",
	}, []string{"year", "what"})}
}

// Collectors are the metrics.
func (t *TypedDates) Collectors() []prometheus.Collector { return []prometheus.Collector{t.requests} }

// Counter is the counter of one year's requests: asked, typed or kept.
func (t *TypedDates) Counter(year int, what string) prometheus.Counter {
	return t.requests.WithLabelValues(strconv.Itoa(year), what)
}

// Build builds a calendar by the years of s. Where dates are missing that the owner typed before, it adds them to
// the options and builds again; where they are missing still, the person is asked, and that is counted. Lenient
// options ask nobody: they hold for what does not fit with the added dates, too. An empty owner has typed nothing.
func (t *TypedDates) Build(ctx context.Context, s Snapshot, owner string, options *calendar.Options, build func(calendar.Options) error) error {
	options.Years = s.Years
	strict := *options
	strict.Lenient = false
	failed := build(strict)
	missing, ok := missingOf(failed)
	if !ok {
		return failed
	}
	filled := t.addSaved(ctx, s, owner, missing.Year, *options)
	added := len(filled.Terms) > len(options.Terms)
	if added || options.Lenient {
		failed = build(filled)
	}
	if _, still := missingOf(failed); still {
		t.count(ctx, s, missing.Year, "asked")
		return failed
	}
	if added {
		t.count(ctx, s, missing.Year, "kept")
	}
	*options = filled
	return failed
}

func missingOf(err error) (calendar.MissingDates, bool) {
	var e *calendar.Error
	if !errors.As(err, &e) {
		return calendar.MissingDates{}, false
	}
	missing, ok := e.Details.(calendar.MissingDates)
	return missing, ok
}

// addSaved gives the options with the terms of the year that the owner typed before and that the year lacks. If
// these cannot be read, the person is asked again.
func (t *TypedDates) addSaved(ctx context.Context, s Snapshot, owner string, year int, o calendar.Options) calendar.Options {
	if owner == "" || year == 0 {
		return o
	}
	kept, err := t.load(ctx, owner, year)
	if err != nil {
		api.Logger(ctx).WarnContext(ctx, "dates that a person typed before could not be read", "error", err.Error())
		return o
	}
	terms := make(calendar.Terms, len(o.Terms)+len(kept))
	for name, r := range kept {
		if _, known := s.Years[year].Terms[name]; !known {
			terms[name] = r
		}
	}
	maps.Copy(terms, o.Terms)
	o.Terms = terms
	return o
}

const typedSQL = `select terms::text from typed_terms where owner = $1::uuid and year = $2::int`

func (t *TypedDates) load(ctx context.Context, owner string, year int) (calendar.Terms, error) {
	text, err := postgres.QueryOne(ctx, t.pool, pgx.RowTo[string], typedSQL, owner, year)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the dates that a person typed: %w", err)
	}
	var terms calendar.Terms
	if err := json.Unmarshal([]byte(text), &terms); err != nil {
		return nil, fmt.Errorf("decode the dates that a person typed: %w", err)
	}
	return terms, nil
}

const saveTypedSQL = `
insert into typed_terms (owner, year, terms) values ($1::uuid, $2::int, $3::jsonb)
on conflict (owner, year) do update set terms = typed_terms.terms || excluded.terms, typed_at = now()
where typed_terms.terms || excluded.terms <> typed_terms.terms`

// Save saves the dates that a request gave for terms that were not entered, each in its own year. Without an owner
// they are only counted. A failure is logged and fails no request: the person is asked again.
func (t *TypedDates) Save(ctx context.Context, s Snapshot, owner string, given calendar.Terms) {
	for year, terms := range unknown(s, given) {
		t.count(ctx, s, year, "typed")
		if owner == "" {
			continue
		}
		text, err := json.Marshal(terms)
		if err == nil {
			_, err = t.pool.Exec(ctx, saveTypedSQL, owner, year, string(text))
		}
		if err != nil {
			api.Logger(ctx).WarnContext(ctx, "dates that a person typed could not be kept", "error", err.Error())
		}
	}
}

// unknown are the given dates by years, of years that lack a given term. The first frontend sends a range
// whether or not it is asked, so dates of no term alone say nothing of a year that is known.
func unknown(s Snapshot, given calendar.Terms) map[int]calendar.Terms {
	years := make(map[int]calendar.Terms)
	for name, r := range given {
		year := r.Start.Year
		if _, known := s.Years[year].Terms[name]; known {
			continue
		}
		if years[year] == nil {
			years[year] = make(calendar.Terms)
		}
		years[year][name] = r
	}
	maps.DeleteFunc(years, func(year int, terms calendar.Terms) bool {
		_, known := s.Years[year]
		_, nameless := terms[""]
		return known && nameless && len(terms) == 1
	})
	return years
}

// count counts a request and logs it. It names no person.
func (t *TypedDates) count(ctx context.Context, s Snapshot, year int, what string) {
	t.requests.WithLabelValues(label(s, year), what).Inc()
	api.Logger(ctx).InfoContext(ctx, "semester dates are not known; import the academic year", "year", year, "what", what)
}

// label bounds the years that metrics tell apart: those near the known ones and today.
func label(s Snapshot, year int) string {
	const near = 2
	this := time.Now().In(calendar.Zone).Year()
	if _, known := s.Years[year]; known || year >= this-near && year <= this+near {
		return strconv.Itoa(year)
	}
	return "other"
}

const deleteTypedSQL = `delete from typed_terms where year < $1::int`

// DeleteBefore deletes the dates of years before the given one.
func (t *TypedDates) DeleteBefore(ctx context.Context, before int) (int64, error) {
	gone, err := t.pool.Exec(ctx, deleteTypedSQL, before)
	if err != nil {
		return 0, fmt.Errorf("forget the dates that people typed: %w", err)
	}
	return gone, nil
}
