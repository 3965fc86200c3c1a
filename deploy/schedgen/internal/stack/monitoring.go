package stack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/schedgen/schedgen/deploy/monitoring"
	"github.com/schedgen/schedgen/shared/dev/stack/process"
	"github.com/schedgen/schedgen/shared/secret"
)

// Monitoring says how the system is watched by a Prometheus and an Alertmanager of its own.
type Monitoring struct {
	Webhook  secret.String // the URL that gets alerts, as Alertmanager's JSON; "" for none: they are still shown
	Runbooks string        // where docs/runbooks is read; "" is the project's own site
	Faster   int           // by what factor rules and intervals are shorter, for tests; 0 is 1
}

// defaultRunbooks is where the pages of docs/runbooks are read.
const defaultRunbooks = "https://github.com/schedgen/schedgen/blob/main/docs/runbooks"

// errNoPrometheus says what to install.
var errNoPrometheus = errors.New("monitoring needs Prometheus and Alertmanager: apt-get install prometheus prometheus-alertmanager")

// shorter is a time of the monitoring, of which a test waits for a fraction that still spans some scrapes.
func (m Monitoring) shorter(d, least time.Duration) string {
	return strconv.FormatInt(max(d/time.Duration(max(m.Faster, 1)), least).Milliseconds(), 10) + "ms"
}

// monitor starts Prometheus and Alertmanager as children, on addresses of this machine alone, with their data under the
// data directory. They stop with the system. Should one end by itself, the system goes on without it.
func (s *System) monitor(ctx context.Context, data *dataDir, at addresses) error {
	prometheus, err1 := findProgram("prometheus")
	alertmanager, err2 := findProgram("prometheus-alertmanager", "alertmanager")
	if err := errors.Join(err1, err2); err != nil {
		return fmt.Errorf("%w (%w)", errNoPrometheus, err)
	}
	dir := data.join("monitoring")
	alertsAt, err1 := freeAddress(ctx)
	metricsAt, err2 := freeAddress(ctx)
	if err := errors.Join(err1, err2, s.writeMonitoring(dir, alertsAt, at)); err != nil {
		return err
	}
	err := s.watcher(ctx, "http://"+alertsAt, process.Spec{Path: alertmanager, Dir: dir, Args: []string{
		"--config.file=alertmanager.yml", "--storage.path=alertmanager", "--web.listen-address=" + alertsAt, "--cluster.listen-address="}})
	if err != nil {
		return err
	}
	err = s.watcher(ctx, "http://"+metricsAt, process.Spec{Path: prometheus, Dir: dir, Args: []string{
		"--config.file=prometheus.yml", "--storage.tsdb.path=prometheus", "--web.listen-address=" + metricsAt,
		// Not native-histograms: before version 2.45 it leaves out the classic ones, which the rules read.
		"--storage.tsdb.retention.time=15d", "--storage.tsdb.retention.size=1GB", "--enable-feature=exemplar-storage"}})
	if err != nil {
		return err
	}
	s.prometheus = "http://" + metricsAt
	s.logf("Prometheus serves %s, Alertmanager http://%s", s.prometheus, alertsAt)
	file := filepath.Join(dir, PrometheusFile)
	s.onStop(func() error { return os.Remove(file) })
	return os.WriteFile(file, []byte(s.prometheus+"\n"), 0o600)
}

// PrometheusFile is the file in the data directory's folder "monitoring" that has Prometheus' address.
const PrometheusFile = "prometheus.url"

// Prometheus is the address of the system's own Prometheus; "" without one.
func (s *System) Prometheus() string { return s.prometheus }

// findProgram finds a program by the first of its names that there is.
func findProgram(names ...string) (path string, err error) {
	for _, name := range names {
		if path, err = exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", err
}

// freeAddress is an address of this machine that nobody listens on now.
func freeAddress(ctx context.Context) (string, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", anyPort)
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return listener.Addr().String(), listener.Close()
}

// watcher runs one of the two until the system stops. It returns when the program is ready.
func (s *System) watcher(ctx context.Context, url string, spec process.Spec) error {
	name := filepath.Base(spec.Path)
	spec.Log, spec.Death, spec.Env = filepath.Join(spec.Dir, name+".log"), syscall.SIGTERM, []string{}
	child, err := process.Start(spec)
	if err != nil {
		return err
	}
	stopping := make(chan struct{})
	go func() {
		select {
		case <-stopping:
		case <-child.Done():
			s.cfg.Logger.Error(name+" ended by itself; the system goes on without it", "log", spec.Log)
		}
	}()
	s.onStop(func() error {
		close(stopping)
		return child.Stop(10 * time.Second)
	})
	within, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return child.Ready(within, func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/-/ready", nil)
		if err != nil {
			return err
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return fmt.Errorf("%s answers %s", name, answer.Status)
		}
		return nil
	})
}

// writeMonitoring writes what the two are configured by: the rules of every platform, and this system's addresses.
func (s *System) writeMonitoring(dir, alertsAt string, at addresses) error {
	rules, err := monitoring.Rules()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, "rules"), 0o700); err != nil {
		return fmt.Errorf("make the folder of the monitoring: %w", err)
	}
	m := s.cfg.Monitoring
	files := map[string][]byte{
		"prometheus.yml":   fmt.Appendf(nil, prometheusConfig, m.shorter(15*time.Second, fastest), cmp.Or(m.Runbooks, defaultRunbooks), alertsAt, local(s.listening), at.parse.Addr(), at.calendar.Addr(), at.google.Addr()),
		"alertmanager.yml": fmt.Appendf(nil, alertmanagerConfig, m.shorter(10*time.Second, fastest), m.shorter(time.Minute, fastest), m.receiver()),
	}
	for name, data := range rules {
		if m.Faster > 1 {
			data = monitoring.Faster(data, m.Faster, 6*fastest)
		}
		files[filepath.Join("rules", name)] = data
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return fmt.Errorf("write the monitoring's configuration: %w", err)
		}
	}
	return nil
}

// fastest is how often a test's Prometheus asks.
const fastest = time.Second

// local is how a process of this machine reaches an address, which may be of all its networks.
func local(address string) string {
	host, port, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return address
}

func (m Monitoring) receiver() string {
	if m.Webhook.IsZero() {
		return ""
	}
	return "\n    webhook_configs: [{send_resolved: true, url: " + strconv.Quote(m.Webhook.Reveal()) + "}]"
}

// The public address has the metrics of all functions but those of the requests for events, which have addresses of
// their own.
const prometheusConfig = `# Written by schedgen up --monitoring at each start.
global:
  scrape_interval: %[1]s
  evaluation_interval: %[1]s
  external_labels: {system: schedgen, runbooks: %[2]q}
rule_files: [rules/*.yml]
alerting:
  alert_relabel_configs: [{regex: runbooks, action: labeldrop}]
  alertmanagers: [{static_configs: [{targets: [%[3]q]}]}]
scrape_configs:
  - {job_name: functions, static_configs: [{targets: [%[4]q]}]}
  - job_name: events
    static_configs: [{targets: ["%[5]s", "%[6]s", "%[7]s"]}]
    metric_relabel_configs: [{source_labels: [__name__], regex: http_.*, action: keep}]
  - {job_name: alertmanager, static_configs: [{targets: [%[3]q]}]}
`

const alertmanagerConfig = `# Written by schedgen up --monitoring at each start.
route: {receiver: people, group_by: [alertname, severity], group_wait: %[1]s, group_interval: %[2]s, repeat_interval: 4h}
receivers:
  - name: people%[3]s
`
