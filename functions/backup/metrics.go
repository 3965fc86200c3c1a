package backup

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/schedgen/schedgen/functions/backup/store"
)

// metrics are what an operator watches. The gauges are read from the bucket, not remembered: the
// backup may have been made by a Job that is gone, or by another instance.
type metrics struct {
	runs          *prometheus.CounterVec
	verifications *prometheus.CounterVec
	alerts        *prometheus.CounterVec

	f       *Function
	gauges  []gauge
	timeout time.Duration

	mu   sync.Mutex
	read time.Time
	list []store.Manifest
}

// gauge is one value of the newest good backup, or of all.
type gauge struct {
	desc  *prometheus.Desc
	value func(good store.Manifest, all []store.Manifest) float64
}

func newMetrics(f *Function) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	of := func(name, help string, value func(store.Manifest, []store.Manifest) float64) gauge {
		return gauge{prometheus.NewDesc(name, help, nil, nil), value}
	}
	return &metrics{
		f: f, timeout: 3 * time.Second,
		runs:          counter("schedgen_backup_runs_total", "Runs by outcome: ok, failed, locked (another was running).", "outcome"),
		verifications: counter("schedgen_backup_verifications_total", "Verifications by depth and outcome: ok, bad, unknown (could not be done).", "by", "outcome"),
		alerts:        counter("schedgen_backup_alerts_total", "Alerts by channel and outcome: ok, failed.", "channel", "outcome"),
		gauges: []gauge{
			of("schedgen_backup_last_success_timestamp_seconds", "When the newest good backup was taken; 0 without one.", func(good store.Manifest, _ []store.Manifest) float64 {
				if good.ID == "" {
					return 0
				}
				return float64(good.CreatedAt.Unix())
			}),
			of("schedgen_backup_duration_seconds", "How long the newest good backup took, without its verification.", func(good store.Manifest, _ []store.Manifest) float64 { return good.Seconds }),
			of("schedgen_backup_bytes", "What the newest good backup stored, compressed and encrypted.", func(good store.Manifest, _ []store.Manifest) float64 { return float64(good.StoredBytes) }),
			of("schedgen_backup_rows", "Rows of all tables in the newest good backup.", func(good store.Manifest, _ []store.Manifest) float64 { return float64(good.Rows) }),
			of("schedgen_backup_objects", "PDFs in the newest good backup.", func(good store.Manifest, _ []store.Manifest) float64 { return float64(good.Objects) }),
			of("schedgen_backup_verified", "1 if the newest backup was proved by a restore.", func(_ store.Manifest, all []store.Manifest) float64 {
				return truth(len(all) > 0 && all[0].Status() == "verified")
			}),
			of("schedgen_backup_good", "1 if the newest backup passed its verification, by a restore or by checksums.", func(_ store.Manifest, all []store.Manifest) float64 {
				return truth(len(all) > 0 && all[0].Good())
			}),
			of("schedgen_backup_stored", "Backups in the bucket.", func(_ store.Manifest, all []store.Manifest) float64 { return float64(len(all)) }),
		},
	}
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// Collectors are the function's own metrics, for /metrics.
func (f *Function) Collectors() []prometheus.Collector {
	m := f.metrics
	return []prometheus.Collector{m.runs, m.verifications, m.alerts, m}
}

// Describe is part of prometheus.Collector.
func (m *metrics) Describe(out chan<- *prometheus.Desc) {
	for _, g := range m.gauges {
		out <- g.desc
	}
}

// Collect is part of prometheus.Collector. While the bucket cannot be read it gives no gauge rather
// than an old one as if it were new; alerts on the age should be alerts on absence too.
func (m *metrics) Collect(out chan<- prometheus.Metric) {
	list, ok := m.backups()
	if !ok {
		return
	}
	good, _ := lastGood(list, m.f.Now())
	for _, g := range m.gauges {
		out <- prometheus.MustNewConstMetric(g.desc, prometheus.GaugeValue, g.value(good, list))
	}
}

// scrapeFresh is for how long a list is good enough for a scrape.
const scrapeFresh = time.Minute

// backups reads the list at most once a minute.
func (m *metrics) backups() ([]store.Manifest, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.read.IsZero() && time.Since(m.read) < scrapeFresh {
		return m.list, true
	}
	ctx, cancel := context.WithTimeout(context.Background(), m.timeout)
	defer cancel()
	list, err := m.f.store.List(ctx)
	if err != nil {
		return nil, false
	}
	m.list, m.read = list, time.Now()
	return list, true
}

// forget makes the next scrape read.
func (m *metrics) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.read = time.Time{}
}

// verified counts a verification.
func (m *metrics) verified(by string, err error) {
	outcome := "ok"
	switch {
	case err != nil && condemns(err):
		outcome = "bad"
	case err != nil:
		outcome = "unknown"
	}
	m.verifications.WithLabelValues(by, outcome).Inc()
	m.forget()
}

// alerted counts an alert.
func (m *metrics) alerted(channel string, err error) {
	outcome := "ok"
	if err != nil {
		outcome = "failed"
	}
	m.alerts.WithLabelValues(channel, outcome).Inc()
}
