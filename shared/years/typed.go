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

// Typed keeps the semester dates that people had to type because nobody had entered the year, so that each
// is asked for them once, and tells the operator how many were asked. It is safe for concurrent use.
type Typed struct {
	pool  *postgres.Pool
	count *prometheus.CounterVec
}

// NewTyped is the Typed of a database. Its counter names the function, for several may be in one process.
func NewTyped(pool *postgres.Pool, function string) *Typed {
	return &Typed{pool, prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "schedgen_semester_dates_total", ConstLabels: prometheus.Labels{"function": function},
		Help: "Requests for which nobody had entered semester dates, by year: asked (the person was asked for them), typed (the person gave them), kept (those given before were used).",
	}, []string{"year", "what"})}
}

// Collectors are the metrics.
func (t *Typed) Collectors() []prometheus.Collector { return []prometheus.Collector{t.count} }

// Counter is the counter of one year's requests: asked, typed or kept.
func (t *Typed) Counter(year int, what string) prometheus.Counter {
	return t.count.WithLabelValues(strconv.Itoa(year), what)
}

// Build builds a calendar by the years of s. Where dates are missing that the owner typed before, it adds them to
// the options and builds again; where they are missing still, the person is asked, and that is counted. An empty
// owner has typed nothing.
func (t *Typed) Build(ctx context.Context, s Snapshot, owner string, options *calendar.Options, build func(calendar.Options) error) error {
	options.Years = s.Years
	failed := build(*options)
	missing, ok := missingOf(failed)
	if !ok {
		return failed
	}
	filled := t.fill(ctx, s, owner, missing.Year, *options)
	if len(filled.Terms) > len(options.Terms) {
		failed = build(filled)
		if _, still := missingOf(failed); !still {
			t.tell(ctx, s, missing.Year, "kept")
			*options = filled
			return failed
		}
	}
	t.tell(ctx, s, missing.Year, "asked")
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

// fill gives the options with the terms of the year that the owner typed before and that nobody else gives. Where
// these cannot be read, the person is asked again.
func (t *Typed) fill(ctx context.Context, s Snapshot, owner string, year int, o calendar.Options) calendar.Options {
	if owner == "" || year == 0 {
		return o
	}
	kept, err := t.of(ctx, owner, year)
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

func (t *Typed) of(ctx context.Context, owner string, year int) (calendar.Terms, error) {
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

const keepSQL = `
insert into typed_terms (owner, year, terms) values ($1::uuid, $2::int, $3::jsonb)
on conflict (owner, year) do update set terms = typed_terms.terms || excluded.terms, typed_at = now()
where typed_terms.terms || excluded.terms <> typed_terms.terms`

// Keep notes the dates that a request gave for terms that nobody had entered, each in its own year. Without an
// owner they are only counted. No request fails by it: what is not kept is asked for again.
func (t *Typed) Keep(ctx context.Context, s Snapshot, owner string, given calendar.Terms) {
	for year, terms := range unknown(s, given) {
		t.tell(ctx, s, year, "typed")
		if owner == "" {
			continue
		}
		text, err := json.Marshal(terms)
		if err == nil {
			_, err = t.pool.Exec(ctx, keepSQL, owner, year, string(text))
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

// tell counts a request and logs it. It names no person.
func (t *Typed) tell(ctx context.Context, s Snapshot, year int, what string) {
	t.count.WithLabelValues(label(s, year), what).Inc()
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

const forgetSQL = `delete from typed_terms where year < $1::int`

// Forget drops the dates of years before the given one.
func (t *Typed) Forget(ctx context.Context, before int) (int64, error) {
	gone, err := t.pool.Exec(ctx, forgetSQL, before)
	if err != nil {
		return 0, fmt.Errorf("forget the dates that people typed: %w", err)
	}
	return gone, nil
}
