// Package status shows on one screen how a running schedgen is: what /health, /metrics, /api/jobs/metrics and, where there
// is one, Prometheus say.
package status

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/schedgen/schedgen/shared/secret"
)

// Source is where to ask.
type Source struct {
	URL        string        // of the system
	Token      secret.String // an operator's, which shows more; may be empty
	Prometheus string        // its URL; may be empty
	Client     *http.Client
}

// State is what was answered at one time.
type State struct {
	At       time.Time
	Health   Health
	Queue    Queue
	QueueErr error // why the queue is not known
	Metrics  Metrics
	Alerts   []Alert // those that fire or are about to
	AlertsOf string  // the Prometheus that was asked; empty where none is known
	AlertErr error   // why it is not known which fire
}

// Health is the answer of /health.
type Health struct {
	Status, Version string
	Reason          string // of down: checking (nothing is known yet), draining
	UptimeSeconds   float64
	Dependencies    map[string]dependency
}

// dependency is a word, or an object whose status is that word.
type dependency struct{ Status, Error string }

// UnmarshalJSON is part of json.Unmarshaler.
func (d *dependency) UnmarshalJSON(data []byte) error {
	if err := json.Unmarshal(data, &d.Status); err == nil {
		return nil
	}
	type plain dependency
	return json.Unmarshal(data, (*plain)(d))
}

// Queue is the answer of /api/jobs/metrics.
type Queue struct {
	Queue                          map[string]map[string]int
	OldestWaitSeconds, SuccessRate float64
	AvgSeconds, P95Seconds         float64
}

// Alert is one that Prometheus knows.
type Alert struct {
	Labels, Annotations map[string]string
	State               string
	ActiveAt            time.Time
}

// Read asks everything. Only what says whether the system runs at all is an error.
func (s Source) Read(ctx context.Context) (State, error) {
	state := State{At: time.Now()}
	err := s.decode(ctx, s.URL+"/health", &state.Health)
	if err != nil {
		return state, fmt.Errorf("ask %s: %w", s.URL, err)
	}
	var text []byte
	if text, err = s.get(ctx, s.URL+"/metrics"); err != nil {
		return state, fmt.Errorf("ask for metrics: %w", err)
	}
	if state.Metrics, err = parseMetrics(string(text)); err != nil {
		return state, err
	}
	// Without its database the system cannot tell its queue; the screen says what is down.
	state.QueueErr = s.decode(ctx, s.URL+"/api/jobs/metrics", &state.Queue)
	if s.Prometheus != "" {
		var answer struct{ Data struct{ Alerts []Alert } }
		state.AlertErr = s.decode(ctx, strings.TrimSuffix(s.Prometheus, "/")+"/api/v1/alerts", &answer)
		state.Alerts, state.AlertsOf = answer.Data.Alerts, s.Prometheus
	}
	return state, ctx.Err()
}

func (s Source) decode(ctx context.Context, url string, into any) error {
	data, err := s.get(ctx, url)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("read the answer of %s: %w", url, err)
	}
	return nil
}

// most is the longest answer that is read.
const most = 16 << 20

func (s Source) get(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	// The operator's token is for the system alone, not for Prometheus.
	if !s.Token.IsZero() && strings.HasPrefix(url, s.URL+"/") {
		request.Header.Set("Authorization", "Bearer "+s.Token.Reveal())
	}
	answer, err := s.Client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close() // read below
	data, err := io.ReadAll(io.LimitReader(answer.Body, most))
	if err == nil && answer.StatusCode != http.StatusOK {
		err = errors.New(answer.Status)
	}
	return data, err
}

// Metrics are those of /metrics by their names.
type Metrics map[string]*dto.MetricFamily

func parseMetrics(text string) (Metrics, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("read the metrics: %w", err)
	}
	return families, nil
}

// each calls do for each series of a metric whose labels have these values, given as names and values.
func (m Metrics) each(name string, do func(labels map[string]string, s *dto.Metric), labels ...string) {
	family, ok := m[name]
	if !ok {
		return
	}
	for _, series := range family.GetMetric() {
		have := map[string]string{}
		for _, pair := range series.GetLabel() {
			have[pair.GetName()] = pair.GetValue()
		}
		matches := true
		for i := 0; i+1 < len(labels); i += 2 {
			matches = matches && have[labels[i]] == labels[i+1]
		}
		if matches {
			do(have, series)
		}
	}
}

// sum adds the values of a metric whose labels have these values. It is known if the system tells the metric at all: what
// cannot be read now, such as numbers that come from the database, is absent.
func (m Metrics) sum(name string, labels ...string) (total float64, known bool) {
	m.each(name, func(_ map[string]string, s *dto.Metric) { total += value(s) }, labels...)
	return total, m[name] != nil
}

func value(s *dto.Metric) float64 {
	switch {
	case s.Counter != nil:
		return s.Counter.GetValue()
	case s.Gauge != nil:
		return s.Gauge.GetValue()
	}
	return s.GetUntyped().GetValue()
}

// quantile is the upper bound of the bucket that a share of a histogram's observations fall into.
func (m Metrics) quantile(q float64, name string, labels ...string) (bound float64, ok bool) {
	counts, total := map[float64]float64{}, 0.0
	m.each(name, func(_ map[string]string, s *dto.Metric) {
		total += float64(s.GetHistogram().GetSampleCount())
		for _, b := range s.GetHistogram().GetBucket() {
			counts[b.GetUpperBound()] += float64(b.GetCumulativeCount())
		}
	}, labels...)
	for upper, count := range counts {
		if count >= q*total && (!ok || upper < bound) {
			bound, ok = upper, true
		}
	}
	return bound, ok && total > 0
}
