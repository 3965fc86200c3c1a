package watch

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/schedgen/schedgen/functions/backup/store"
)

// Gauges are the metrics of the stored backups. They are read from the bucket: a backup may have been made by a Job
// that has ended, or by another instance.
type Gauges struct {
	Store *store.Store
	Now   func() time.Time

	mu     sync.Mutex
	readAt time.Time
	list   []store.Manifest
}

// gauge is one metric, of the newest good backup or of all, which are listed newest first. There is none while value is
// NaN.
type gauge struct {
	desc  *prometheus.Desc
	value func(good store.Manifest, all []store.Manifest) float64
}

func newGauge(name, help string, value func(store.Manifest, []store.Manifest) float64) gauge {
	return gauge{prometheus.NewDesc(name, help, nil, nil), value}
}

var gauges = sync.OnceValue(func() []gauge {
	type m = store.Manifest
	return []gauge{
		newGauge("schedgen_backup_last_success_timestamp_seconds", "When the newest good backup was taken; 0 without one.", func(good m, _ []m) float64 {
			if good.ID == "" {
				return 0
			}
			return float64(good.CreatedAt.Unix())
		}),
		newGauge("schedgen_backup_duration_seconds", "How long the newest good backup took, without its verification.", func(good m, _ []m) float64 { return good.Seconds }),
		newGauge("schedgen_backup_bytes", "What the newest good backup stored, compressed and encrypted.", func(good m, _ []m) float64 { return float64(good.StoredBytes) }),
		newGauge("schedgen_backup_rows", "Rows of all tables in the newest good backup.", func(good m, _ []m) float64 { return float64(good.Rows) }),
		newGauge("schedgen_backup_objects", "PDFs in the newest good backup.", func(good m, _ []m) float64 { return float64(good.Objects) }),
		newGauge("schedgen_backup_verified", "1 if the newest backup was proved by a restore.", func(_ m, all []m) float64 {
			return oneIf(len(all) > 0 && all[0].Status() == store.Verified)
		}),
		newGauge("schedgen_backup_good", "0 if the newest backup failed its verification, by a restore or by checksums; 1 also while it is not verified yet. Absent without a backup.", func(_ m, all []m) float64 {
			if len(all) == 0 {
				return math.NaN()
			}
			return oneIf(all[0].Verification == nil || all[0].Good())
		}),
		newGauge("schedgen_backup_stored", "Backups in the bucket.", func(_ m, all []m) float64 { return float64(len(all)) }),
	}
})

func oneIf(condition bool) float64 {
	if condition {
		return 1
	}
	return 0
}

// Describe is part of prometheus.Collector.
func (g *Gauges) Describe(out chan<- *prometheus.Desc) {
	for _, gauge := range gauges() {
		out <- gauge.desc
	}
}

// Collect is part of prometheus.Collector. While the bucket cannot be read it returns no gauge, rather than an old
// value that looks new: alert on absence, too.
func (g *Gauges) Collect(out chan<- prometheus.Metric) {
	list, ok := g.backups()
	if !ok {
		return
	}
	good, _ := store.NewestGood(list, g.Now())
	for _, gauge := range gauges() {
		if value := gauge.value(good, list); !math.IsNaN(value) {
			out <- prometheus.MustNewConstMetric(gauge.desc, prometheus.GaugeValue, value)
		}
	}
}

const (
	listTTL     = time.Minute     // a scrape reuses the list for so long
	listTimeout = 3 * time.Second // of reading it
)

// backups returns the list, which is read at most once a minute.
func (g *Gauges) backups() ([]store.Manifest, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.readAt.IsZero() && time.Since(g.readAt) < listTTL {
		return g.list, true
	}
	ctx, cancel := context.WithTimeout(context.Background(), listTimeout)
	defer cancel()
	list, err := g.Store.List(ctx)
	if err != nil {
		return nil, false
	}
	g.list, g.readAt = list, time.Now()
	return list, true
}

// Invalidate makes the next scrape read the bucket.
func (g *Gauges) Invalidate() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.readAt = time.Time{}
}
