package readiness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// prometheusChecks look at what watches the system.
func prometheusChecks() map[string]check {
	const start = "docker compose -f compose.yml -f compose.prod.yml -f compose.monitoring.yml up -d"
	return map[string]check{
		"alerts": {run: alertRules, args: -1, says: "Prometheus has the alerts `$@`, and evaluates them",
			fix: "Give Prometheus the files of deploy/monitoring/rules.", command: start},
		"receiver": {run: alertReceiver, says: "Prometheus knows an Alertmanager, which answers, has sent something, and failed to send nothing within a day",
			fix: "Start Alertmanager with your own addresses in deploy/monitoring/alertmanager/alertmanager.yml.", command: start},
		"quiet": {run: quiet, says: "Prometheus evaluates alerts of severity critical, and none fires",
			fix: "Follow the runbook that the alert names.", command: "schedgen status"},
		"expression": {run: expression, args: 2, says: "Prometheus' `$1` is at most $2",
			fix: "See docs/deployment.md on sizing, and add what is short.", command: "schedgen status"},
		"scraped": {run: scraped, args: -1, says: "Prometheus has measures of `$@`, and each of their instances that it knows answers",
			fix: "Give Prometheus the targets of deploy/monitoring/prometheus, and follow docs/runbooks/TargetDown.md.", command: start},
		"known": {run: known, args: 1, says: "Prometheus has a value of `$1`",
			fix: "Give Prometheus the files of deploy/monitoring/rules, and wait until they have been evaluated.", command: start},
	}
}

func (s *system) prometheus(ctx context.Context, path string, into any) error {
	if s.Prometheus == "" {
		return notLooked{"no Prometheus was named", "schedgen readiness --prometheus ADDRESS"}
	}
	answer, err := s.fetch(ctx, s.Prometheus+path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(answer.body, into); err != nil || answer.status != http.StatusOK {
		return fmt.Errorf("%s%s answers %d without what is asked for", shown(s.Prometheus), path, answer.status)
	}
	return nil
}

// rule is one of Prometheus'.
type rule struct {
	Name, Type string // alerting or recording
	Health     string // ok, err or, before its first evaluation, unknown
	LastError  string
	Labels     map[string]string
}

func (s *system) rules(ctx context.Context) (all []rule, err error) {
	var told struct {
		Data struct{ Groups []struct{ Rules []rule } }
	}
	if err := s.prometheus(ctx, "/api/v1/rules", &told); err != nil {
		return nil, err
	}
	for _, g := range told.Data.Groups {
		all = append(all, g.Rules...)
	}
	return all, nil
}

// evaluated finds fault with alerts that Prometheus does not evaluate: they never fire. Several may have one name.
func evaluated(alerts []rule) Finding {
	for _, r := range alerts {
		switch r.Health {
		case "ok":
		case "err":
			return failed("Prometheus cannot evaluate the alert %s: %s", r.Name, r.LastError)
		default:
			return from(notLooked{"Prometheus has not evaluated the alert " + r.Name + " yet", "ask again in a minute"})
		}
	}
	return ok("Prometheus evaluates %d alerts", len(alerts))
}

func alertRules(ctx context.Context, s *system, names []string) Finding {
	rules, err := s.rules(ctx)
	if err != nil {
		return from(err)
	}
	var all []rule
	for _, name := range names {
		n := len(all)
		for _, r := range rules {
			if r.Type == "alerting" && r.Name == name {
				all = append(all, r)
			}
		}
		if len(all) == n {
			return failed("Prometheus has no alert %s", name)
		}
	}
	f := evaluated(all)
	if f.State == OK {
		f.Evidence = "Prometheus evaluates the alerts " + strings.Join(names, ", ")
	}
	return f
}

func alertReceiver(ctx context.Context, s *system, _ []string) Finding {
	var told struct {
		Data struct{ ActiveAlertmanagers []struct{ URL string } }
	}
	if err := s.prometheus(ctx, "/api/v1/alertmanagers", &told); err != nil {
		return from(err)
	}
	if len(told.Data.ActiveAlertmanagers) == 0 {
		return failed("Prometheus reaches no Alertmanager: nobody is told of alerts")
	}
	return s.sending(ctx, told.Data.ActiveAlertmanagers[0].URL)
}

// sending asks what Prometheus measured of Alertmanager: an address that Prometheus was given says nothing of who is told.
func (s *system) sending(ctx context.Context, address string) Finding {
	up, err1 := s.query(ctx, `up{job="alertmanager"}`)
	sent, err2 := s.query(ctx, `sum(alertmanager_notifications_total)`)
	lost, err3 := s.query(ctx, `sum(increase(alertmanager_notifications_failed_total[1d]))`)
	if err := errors.Join(err1, err2, err3); err != nil {
		return from(err)
	}
	answers, _, n := up.ends("up")
	total, _ := sent.sum("")
	failures, _ := lost.sum("")
	switch {
	case n == 0:
		return from(notLooked{"Prometheus does not measure whether Alertmanager answers", "let Prometheus ask Alertmanager: deploy/monitoring/prometheus"})
	case answers == 0:
		return failed("Alertmanager at %s does not answer", address)
	case failures >= 1:
		return failed("Alertmanager failed to send %.0f messages within a day", failures)
	case total == 0:
		return from(notLooked{"Alertmanager has sent nothing yet", "send a test alert (docs/monitoring.md#telling-people), and see that it arrives"})
	}
	return ok("Prometheus sends alerts to %s, which sent %.0f messages and within a day failed to send none", address, total)
}

func quiet(ctx context.Context, s *system, _ []string) Finding {
	rules, err := s.rules(ctx)
	if err != nil {
		return from(err)
	}
	critical := slices.DeleteFunc(rules, func(r rule) bool { return r.Type != "alerting" || r.Labels["severity"] != "critical" })
	if len(critical) == 0 {
		f := failed("Prometheus has no critical alert that could fire")
		f.Fix, f.Command = "Give Prometheus the files of deploy/monitoring/rules.", "docker compose -f compose.yml -f compose.prod.yml -f compose.monitoring.yml up -d"
		return f
	}
	if f := evaluated(critical); f.State != OK {
		return f
	}
	firing, err := s.query(ctx, `ALERTS{alertstate="firing",severity="critical"}`)
	if err != nil {
		return from(err)
	}
	var names []string
	for _, one := range firing["ALERTS"] {
		names = append(names, one.labels["alertname"])
	}
	if len(names) > 0 {
		slices.Sort(names)
		return failed("these alerts fire: %s", strings.Join(slices.Compact(names), ", "))
	}
	return ok("none of %d critical alerts fires", len(critical))
}

// expressions are what items name: the share of something that is used, of 1, at its worst within a day or a week: a schedule
// asks in the morning, when nobody is there. Latency is in seconds, of what is answered from what is stored, as of RequestsSlow.
var expressions = map[string]string{
	"cpu":     `max(max_over_time((1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[15m])))[7d:15m]))`,
	"memory":  `max(max_over_time((1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes)[1d:5m]))`,
	"disk":    `max(1 - node_filesystem_avail_bytes{fstype!~"tmpfs|overlay|squashfs"} / node_filesystem_size_bytes)`,
	"latency": `max(histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket{route=~"/api/(jobs|generate|feeds|years).*"}[1d]))))`,
}

func expression(ctx context.Context, s *system, args []string) Finding {
	most, err := strconv.ParseFloat(args[1], 64)
	if err != nil {
		return from(err)
	}
	answer, err := s.query(ctx, expressions[args[0]])
	if err != nil {
		return from(err)
	}
	got, n := answer.sum("")
	switch {
	case n == 0:
		if args[0] == "latency" {
			return from(notLooked{"no request was measured within a day", "ask again when the system has been used"})
		}
		return from(notLooked{"Prometheus knows nothing of " + args[0], "let Prometheus ask node-exporter: docker compose -f compose.yml -f compose.prod.yml -f compose.monitoring.yml up -d"})
	case got > most:
		return failed("%s is at %.3g, above %s", args[0], got, args[1])
	}
	return ok("%s is at %.3g, of at most %s", args[0], got, args[1])
}

func scraped(ctx context.Context, s *system, functions []string) Finding {
	seen, err1 := s.query(ctx, `count by (function) (schedgen_trace_spans_total)`)
	down, err2 := s.query(ctx, `up{job="functions"} == 0`)
	if err := errors.Join(err1, err2); err != nil {
		return from(err)
	}
	var missing, silent []string
	for _, name := range functions {
		if _, n := seen.sum("", "function", name); n == 0 {
			missing = append(missing, name)
		}
	}
	for _, target := range down["up"] {
		silent = append(silent, target.labels["instance"])
	}
	slices.Sort(silent)
	switch {
	case len(silent) > 0:
		return failed("these do not answer Prometheus: %s", strings.Join(silent, ", "))
	case len(missing) == len(functions):
		return failed("Prometheus scrapes no function")
	case len(missing) > 0:
		return from(notLooked{"Prometheus has no measures of " + strings.Join(missing, ", ") + ": nobody asks for them, or none runs",
			"on a cluster ask again while they serve; on one server see Prometheus' /targets"})
	}
	return ok("Prometheus asks %s, and each instance answers", strings.Join(functions, ", "))
}

func known(ctx context.Context, s *system, args []string) Finding {
	answer, err := s.query(ctx, args[0])
	if err != nil {
		return from(err)
	}
	got, n := answer.sum(args[0])
	if n > 0 {
		return ok("%s is %.3g", args[0], got)
	}
	rules, err := s.rules(ctx)
	switch {
	case err != nil:
		return from(err)
	case slices.ContainsFunc(rules, func(r rule) bool { return r.Type == "recording" && r.Name == args[0] && r.Health != "err" }):
		return from(notLooked{"Prometheus has the rule of " + args[0] + ", and no value yet", "ask again when the system has been used for a day"})
	}
	return failed("Prometheus has no %s", args[0])
}
