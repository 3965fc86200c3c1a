package readiness

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// prometheusChecks look at what watches the system.
func prometheusChecks() map[string]check {
	const start = "docker compose -f compose.yml -f compose.prod.yml -f compose.monitoring.yml up -d"
	return map[string]check{
		"alerts": {run: alertRules, args: -1, says: "Prometheus has the alerts `$@`",
			fix: "Give Prometheus the files of deploy/monitoring/rules.", command: start},
		"receiver": {run: alertReceiver, says: "Prometheus sends alerts to an Alertmanager that it reaches",
			fix: "Start Alertmanager with your own addresses in deploy/monitoring/alertmanager/alertmanager.yml.", command: start},
		"quiet": {run: quiet, says: "no alert of severity critical fires",
			fix: "Follow the runbook that the alert names.", command: "schedgen status"},
		"expression": {run: expression, args: 2, says: "Prometheus' `$1` is at most $2",
			fix: "See docs/deployment.md on sizing, and add what is short.", command: "schedgen status"},
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
	if err := json.Unmarshal(answer.body, into); err != nil {
		return fmt.Errorf("%s%s answers %d without JSON", s.Prometheus, path, answer.status)
	}
	return nil
}

// rules are the names of Prometheus' rules by their type, alerting or recording.
func (s *system) rules(ctx context.Context) (map[string][]string, error) {
	type rule struct{ Name, Type string }
	type group struct{ Rules []rule }
	var told struct{ Data struct{ Groups []group } }
	if err := s.prometheus(ctx, "/api/v1/rules", &told); err != nil {
		return nil, err
	}
	all := map[string][]string{}
	for _, g := range told.Data.Groups {
		for _, r := range g.Rules {
			all[r.Type] = append(all[r.Type], r.Name)
		}
	}
	return all, nil
}

func alertRules(ctx context.Context, s *system, names []string) Finding {
	rules, err := s.rules(ctx)
	if err != nil {
		return from(err)
	}
	there := rules["alerting"]
	for _, name := range names {
		if !slices.Contains(there, name) {
			return failed("Prometheus has no alert %s", name)
		}
	}
	return ok("Prometheus has %d alerts, %s among them", len(there), strings.Join(names, ", "))
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
	return ok("Prometheus sends alerts to %s", told.Data.ActiveAlertmanagers[0].URL)
}

func quiet(ctx context.Context, s *system, _ []string) Finding {
	firing, err := s.query(ctx, `ALERTS{alertstate="firing",severity="critical"}`)
	if err != nil {
		return from(err)
	}
	var names []string
	for _, one := range firing["ALERTS"] {
		names = append(names, one.labels["alertname"])
	}
	if len(names) > 0 {
		return failed("these alerts fire: %s", strings.Join(names, ", "))
	}
	return ok("no critical alert fires")
}

// expressions are what items name: the share of something that is used, of 1.
var expressions = map[string]string{
	"cpu":     `max(1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[15m])))`,
	"memory":  `max(1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes)`,
	"disk":    `max(1 - node_filesystem_avail_bytes{fstype!~"tmpfs|overlay|squashfs"} / node_filesystem_size_bytes)`,
	"latency": `max(histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket{route!~".*wait.*"}[1d]))))`,
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
	case n == 0 || got != got:
		if args[0] == "latency" {
			return from(notLooked{"no request was measured within a day", "ask again when the system has been used"})
		}
		return from(notLooked{"Prometheus knows nothing of " + args[0], "let Prometheus ask node-exporter: docker compose -f compose.yml -f compose.prod.yml -f compose.monitoring.yml up -d"})
	case got > most:
		return failed("%s is at %.3g, above %s", args[0], got, args[1])
	}
	return ok("%s is at %.3g, of at most %s", args[0], got, args[1])
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
	case slices.Contains(rules["recording"], args[0]):
		return from(notLooked{"Prometheus has the rule of " + args[0] + ", and no value yet", "ask again when the system has been used for a day"})
	}
	return failed("Prometheus has no %s", args[0])
}
