package postgres

import (
	"context"
	"log/slog"
	"runtime"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/durations"
	"github.com/schedgen/schedgen/shared/tracing"
)

// defaultHold is how long a connection may be used for one piece of work. The statement timeout ends what the database
// does far earlier, so a longer use is a leak: code that does something else while it holds a connection.
const defaultHold = time.Minute

// metrics are the numbers of one pool. It is also pgx's tracer, which sees every statement.
type metrics struct {
	pool    *pgxpool.Pool
	slow    time.Duration // a statement that takes longer is logged
	hold    time.Duration // a connection that is held longer is logged
	acquire prometheus.Histogram
	query   prometheus.Histogram
	errors  prometheus.Counter
	held    prometheus.Counter
}

func newMetrics(slow time.Duration) *metrics {
	return &metrics{
		slow: slow, hold: defaultHold,
		acquire: prometheus.NewHistogram(durations.Histogram("schedgen_db_acquire_seconds",
			"Time that work waited for a database connection, a new one being opened included.", .0001, .001, .005, .025, .1, .5, 1, 5, 30)),
		query: prometheus.NewHistogram(durations.Histogram("schedgen_db_query_seconds",
			"Time of each statement, until its last row was read.", .0005, .001, .0025, .005, .01, .025, .1, .5, 1, 5, 10)),
		errors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "schedgen_db_query_errors_total", Help: "Statements that ended with an error, those that ran out of time included.",
		}),
		held: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "schedgen_db_connections_held_total", Help: "Connections that one piece of work held for more than a minute; the log names the code.",
		}),
	}
}

// Collectors are the metrics of the pool: its connections, how long work waits for one, and its statements.
func (p *Pool) Collectors() []prometheus.Collector {
	m := p.metrics
	return []prometheus.Collector{m, m.acquire, m.query, m.errors, m.held}
}

var (
	connectionsDesc = prometheus.NewDesc("schedgen_db_connections", "Open database connections by state: idle, in_use.", []string{"state"}, nil)
	maxConnsDesc    = prometheus.NewDesc("schedgen_db_connections_max", "The most database connections that the instance opens (DATABASE_MAX_CONNS).", nil, nil)
)

// Describe is part of prometheus.Collector.
func (m *metrics) Describe(out chan<- *prometheus.Desc) {
	out <- connectionsDesc
	out <- maxConnsDesc
}

// Collect is part of prometheus.Collector.
func (m *metrics) Collect(out chan<- prometheus.Metric) {
	stat := m.pool.Stat()
	out <- prometheus.MustNewConstMetric(connectionsDesc, prometheus.GaugeValue, float64(stat.IdleConns()), "idle")
	out <- prometheus.MustNewConstMetric(connectionsDesc, prometheus.GaugeValue, float64(stat.AcquiredConns()), "in_use")
	out <- prometheus.MustNewConstMetric(maxConnsDesc, prometheus.GaugeValue, float64(stat.MaxConns()))
}

// watchHeld reports a connection that is still held after m.hold, with the code that holds it. Call release when
// it is no longer held.
func (m *metrics) watchHeld(ctx context.Context) (release func() bool) {
	var callers [12]uintptr
	n := runtime.Callers(3, callers[:]) // without this function, Conn and runtime
	return time.AfterFunc(m.hold, func() {
		m.held.Inc()
		api.Logger(ctx).LogAttrs(ctx, slog.LevelError, "database connection held too long",
			slog.String("after", m.hold.String()), slog.String("holder", holder(callers[:n])))
	}).Stop
}

// holder names the functions of a stack, outermost last, without those of this package and of Go.
func holder(callers []uintptr) string {
	var names []string
	frames := runtime.CallersFrames(callers)
	for {
		frame, more := frames.Next()
		if !strings.Contains(frame.Function, "shared/postgres.") && !strings.HasPrefix(frame.Function, "runtime.") {
			names = append(names, frame.Function)
		}
		if !more {
			return strings.Join(names, " < ")
		}
	}
}

// longWait is a wait for a connection that traces show.
const longWait = time.Millisecond

// acquired records that the wait for a connection that began then is over.
func (m *metrics) acquired(ctx context.Context, began time.Time) {
	now := time.Now()
	durations.Observe(ctx, m.acquire, now.Sub(began))
	if now.Sub(began) >= longWait {
		tracing.Past(ctx, tracing.Cause{}, "acquire connection", began, now)
	}
}

type startedKey struct{}

// started is a statement that runs, or a batch of them.
type started struct {
	at    time.Time
	sql   string
	batch *pgx.Batch
	end   tracing.End
}

// text is its SQL, without the comment that may stand before it. It carries no values: those travel beside it as parameters, and stay out of traces and logs.
func (s started) text() string {
	if s.batch == nil {
		return afterComment(s.sql)
	}
	var all []string
	for _, query := range s.batch.QueuedQueries {
		all = append(all, afterComment(query.SQL))
	}
	return strings.Join(all, "; ")
}

// afterComment is a statement without the lines of comment at its beginning: its first word says what it does.
func afterComment(sql string) string {
	for {
		sql = strings.TrimSpace(sql)
		if !strings.HasPrefix(sql, "--") {
			return sql
		}
		_, sql, _ = strings.Cut(sql, "\n")
	}
}

// start notes that s starts, and begins its span.
func (s started) start(ctx context.Context) context.Context {
	s.at = time.Now()
	if tracing.Recording(ctx) {
		line := shorten(s.text())
		operation, _, _ := strings.Cut(line, " ")
		ctx, s.end = tracing.Start(ctx, trace.SpanKindClient, strings.ToUpper(operation), attribute.String("db.system.name", "postgresql"),
			attribute.String("db.operation.name", strings.ToUpper(operation)), attribute.String("db.query.text", line))
	}
	return context.WithValue(ctx, startedKey{}, s)
}

// TraceQueryStart is part of pgx.QueryTracer.
func (m *metrics) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	return started{sql: data.SQL}.start(ctx)
}

// TraceQueryEnd is part of pgx.QueryTracer.
func (m *metrics) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryEndData) {
	m.ended(ctx, data.Err)
}

// TraceBatchStart is part of pgx.BatchTracer. A batch is one statement here: it goes to the database and back once.
func (m *metrics) TraceBatchStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	return started{batch: data.Batch}.start(ctx)
}

// TraceBatchQuery is part of pgx.BatchTracer. The end of the batch has its error, too.
func (m *metrics) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

// TraceBatchEnd is part of pgx.BatchTracer.
func (m *metrics) TraceBatchEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchEndData) {
	m.ended(ctx, data.Err)
}

// ended counts a statement.
func (m *metrics) ended(ctx context.Context, err error) {
	s, ok := ctx.Value(startedKey{}).(started)
	if !ok {
		return
	}
	if s.end != nil {
		s.end(err)
	}
	took := time.Since(s.at)
	durations.Observe(ctx, m.query, took)
	if err != nil {
		m.errors.Inc()
	}
	if took >= m.slow {
		api.Logger(ctx).LogAttrs(ctx, slog.LevelWarn, "slow query",
			slog.String("sql", shorten(s.text())), slog.Float64("ms", float64(took.Microseconds())/1000))
	}
}

// shorten puts a statement on one line that a person can take in.
func shorten(sql string) string {
	const limit = 300
	line := make([]byte, 0, limit+3)
	for word := range strings.FieldsSeq(sql) { // no further than needed: each statement of a trace comes here
		if len(line) > 0 {
			line = append(line, ' ')
		}
		if line = append(line, word...); len(line) > limit {
			return string(append(line[:limit], "..."...))
		}
	}
	return string(line)
}
