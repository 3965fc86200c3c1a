package readiness

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// samples are the newest values of metrics, by name. A histogram is its _count and its _sum.
type samples map[string][]sample

type sample struct {
	labels map[string]string
	value  float64
}

// metricChecks look at what the system measures of itself.
func metricChecks() map[string]check {
	return map[string]check{
		"metrics": {run: metricsThere, args: -1, says: "Prometheus, or /metrics, has `$@`",
			fix: "Let Prometheus ask what measures $@ (docs/monitoring.md).", command: "docker compose -f compose.yml -f compose.prod.yml -f compose.monitoring.yml up -d"},
		"at-most": {run: atMost, args: 2, says: "`$1` is at most $2",
			fix: "Follow the runbook for $1 in docs/runbooks.", command: "schedgen status"},
		"error-rate": {run: errorRate, args: 1, says: "at most $1 % of the requests of a day were answered with 5xx (without Prometheus, of those since the program started)",
			fix: "Find the errors by their codes in http_request_errors_total, and follow docs/runbooks/RequestsFail.md.", command: "schedgen status"},
		"pool": {run: pool, args: 2, says: "all functions' pools together open $1 to $2 connections at most, and at most 80 % of them are in use",
			fix: "Set DATABASE_MAX_CONNS so that instances times connections fit.", command: "${EDITOR:-vi} deploy/compose/compose.yml && docker compose up -d"},
		"hits": {run: cacheHits, args: 1, says: "at least $1 % of Redis reads found something",
			fix: "Let the cache keep statuses longer (JOB_CACHE_TTL), and see that Redis evicts nothing.", command: "docker compose exec redis redis-cli INFO stats"},
	}
}

// metrics are those of Prometheus, which has all instances, or of the system's own /metrics.
func (s *system) metrics(ctx context.Context) (samples, error) {
	return s.measured.get(func() (samples, error) {
		if s.Prometheus != "" {
			return s.query(ctx, `{__name__=~"(schedgen|http|process|node|container|redis|pg|minio|traefik)_.+|up|schedgen:.+",__name__!~".+_bucket"}`)
		}
		answer, err := s.get(ctx, "/metrics")
		switch {
		case err != nil:
			return nil, err
		case answer.status != http.StatusOK:
			return nil, notLooked{fmt.Sprintf("/metrics is not public here: it answers %d", answer.status), "schedgen readiness --prometheus ADDRESS"}
		}
		return parseSamples(answer.body)
	})
}

func parseSamples(text []byte) (samples, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("read the metrics: %w", err)
	}
	all := samples{}
	for name, family := range families {
		for _, series := range family.GetMetric() {
			labels := map[string]string{}
			for _, pair := range series.GetLabel() {
				labels[pair.GetName()] = pair.GetValue()
			}
			if h := series.GetHistogram(); h != nil {
				all[name+"_count"] = append(all[name+"_count"], sample{labels, float64(h.GetSampleCount())})
				all[name+"_sum"] = append(all[name+"_sum"], sample{labels, h.GetSampleSum()})
				continue
			}
			all[name] = append(all[name], sample{labels, number(series)})
		}
	}
	return all, nil
}

func number(m *dto.Metric) float64 {
	switch {
	case m.Counter != nil:
		return m.Counter.GetValue()
	case m.Gauge != nil:
		return m.Gauge.GetValue()
	}
	return m.GetUntyped().GetValue()
}

// query asks Prometheus for the values of an expression now.
func (s *system) query(ctx context.Context, expression string) (samples, error) {
	if s.Prometheus == "" {
		return nil, notLooked{"no Prometheus was named", "schedgen readiness --prometheus ADDRESS"}
	}
	answer, err := s.fetch(ctx, s.Prometheus+"/api/v1/query?query="+url.QueryEscape(expression))
	if err != nil {
		return nil, err
	}
	var told struct {
		Status, Error string
		Data          struct {
			Result []struct {
				Metric    map[string]string
				Value     [2]any
				Histogram []any // in place of a value, of a native histogram
			}
		}
	}
	if err := json.Unmarshal(answer.body, &told); err != nil || told.Status != "success" {
		return nil, fmt.Errorf("ask Prometheus: it answers %d: %s", answer.status, told.Error)
	}
	if answer.status != http.StatusOK {
		return nil, fmt.Errorf("ask Prometheus: it answers %d", answer.status)
	}
	all := samples{}
	for _, r := range told.Data.Result {
		if len(r.Histogram) > 0 { // it is measured, and is no number
			all[r.Metric["__name__"]] = append(all[r.Metric["__name__"]], sample{r.Metric, math.NaN()})
			continue
		}
		text, _ := r.Value[1].(string)
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, fmt.Errorf("read the answer of Prometheus: %v is no value", r.Value[1])
		}
		name := r.Metric["__name__"]
		all[name] = append(all[name], sample{r.Metric, value})
	}
	return all, nil
}

// sum adds the values whose label has that value; no label adds all. What is no number was not measured: NaN is neither
// more nor less than any limit.
func (all samples) sum(name string, label ...string) (total float64, n int) {
	for _, one := range all[name] {
		if len(label) == 2 && one.labels[label[0]] != label[1] || math.IsNaN(one.value) {
			continue
		}
		total, n = total+one.value, n+1
	}
	return total, n
}

// ends are the least and the most of the values of a metric, of which each instance has one.
func (all samples) ends(name string) (least, most float64, n int) {
	for _, one := range all[name] {
		if math.IsNaN(one.value) {
			continue
		}
		if n == 0 {
			least, most = one.value, one.value
		}
		least, most, n = min(least, one.value), max(most, one.value), n+1
	}
	return least, most, n
}

func metricsThere(ctx context.Context, s *system, names []string) Finding {
	all, err := s.metrics(ctx)
	if err != nil {
		return from(err)
	}
	var missing []string
	series := 0
	for _, name := range names {
		series += len(all[name]) + len(all[name+"_count"])
		if len(all[name]) == 0 && len(all[name+"_count"]) == 0 {
			missing = append(missing, name)
		}
	}
	switch {
	case len(missing) == 0:
		return ok("%d series of %s", series, strings.Join(names, ", "))
	case s.Prometheus == "":
		return from(notLooked{"the program that answers /metrics does not measure " + strings.Join(missing, ", "), "schedgen readiness --prometheus ADDRESS"})
	}
	return failed("nothing measures %s", strings.Join(missing, ", "))
}

func atMost(ctx context.Context, s *system, args []string) Finding {
	all, err := s.metrics(ctx)
	if err != nil {
		return from(err)
	}
	most, err := strconv.ParseFloat(args[1], 64)
	if err != nil {
		return from(err)
	}
	got, n := all.sum(args[0])
	switch {
	case n == 0:
		return from(notLooked{"nothing measures " + args[0] + " now", "ask again when the system has been used"})
	case got > most:
		return failed("%s is %.0f, more than %s", args[0], got, args[1])
	}
	return ok("%s is %.0f", args[0], got)
}

// enoughRequests is from when on a share of failed requests says something: one of 200 is half a percent.
const enoughRequests = 200

func errorRate(ctx context.Context, s *system, args []string) Finding {
	answered, since, err := s.requests(ctx)
	if err != nil {
		return from(err)
	}
	var total, wrong float64
	for _, one := range answered {
		if math.IsNaN(one.value) {
			continue
		}
		total += one.value
		if strings.HasPrefix(one.labels["code"], "5") {
			wrong += one.value
		}
	}
	if total < enoughRequests {
		return from(notLooked{fmt.Sprintf("%.0f requests were counted, too few to judge", total), "ask again when the system has been used"})
	}
	most, err := strconv.ParseFloat(args[0], 64)
	if err != nil {
		return from(err)
	}
	if 100*wrong > most*total {
		return failed("%.0f of %.0f requests were answered with 5xx, more than %s %%", wrong, total, args[0])
	}
	return ok("%.0f of %.0f requests were answered with 5xx %s", wrong, total, since)
}

// requests are how many were answered, with their codes: within a day, for those of months before would hide it; where no
// Prometheus knows that, since the program started that answers /metrics.
func (s *system) requests(ctx context.Context) (answered []sample, since string, err error) {
	if s.Prometheus != "" {
		all, err := s.query(ctx, `sum by (code) (increase(http_requests_total[1d]))`)
		return all[""], "within a day", err
	}
	all, err := s.metrics(ctx)
	return all["http_requests_total"], "since the program started", err
}

func pool(ctx context.Context, s *system, args []string) Finding {
	all, err := s.metrics(ctx)
	if err != nil {
		return from(err)
	}
	least, err1 := strconv.ParseFloat(args[0], 64)
	most, err2 := strconv.ParseFloat(args[1], 64)
	bound, n := all.sum("schedgen_db_connections_max")
	used, known := all.sum("schedgen_db_connections", "state", "in_use")
	switch {
	case err1 != nil || err2 != nil || n == 0 || known == 0:
		return from(notLooked{"the connection pools have reported nothing lately", "ask again when the system has been used"})
	case bound < least || bound > most:
		return failed("the pools open at most %.0f connections, which is not between %s and %s", bound, args[0], args[1])
	case used > 0.8*bound:
		return failed("%.0f of %.0f connections are in use", used, bound)
	}
	return ok("%d pools open at most %.0f connections; %.0f are in use", n, bound, used)
}

func cacheHits(ctx context.Context, s *system, args []string) Finding {
	all, err := s.metrics(ctx)
	if err != nil {
		return from(err)
	}
	least, err := strconv.ParseFloat(args[0], 64)
	if err != nil {
		return from(err)
	}
	hits, _ := all.sum("schedgen_cache_requests_total", "outcome", "hit")
	misses, _ := all.sum("schedgen_cache_requests_total", "outcome", "miss")
	const enough = 100
	switch {
	case hits+misses < enough:
		return from(notLooked{fmt.Sprintf("Redis was read %.0f times, too few to judge", hits+misses), "make load SCENARIO=baseline, then ask again"})
	case 100*hits < least*(hits+misses):
		return failed("%.0f %% of %.0f reads found something, less than %s %%", 100*hits/(hits+misses), hits+misses, args[0])
	}
	return ok("%.0f %% of %.0f reads found something", 100*hits/(hits+misses), hits+misses)
}
