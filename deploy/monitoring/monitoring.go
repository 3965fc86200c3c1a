// Package monitoring is how schedgen is watched: what Prometheus asks, the rules by which it raises alerts, and where
// Alertmanager sends them. The same rules hold on every platform; `schedgen up --monitoring` carries them inside.
//
//	rules/        recording rules, and alerts: of error budgets, of the service, of what it stands on
//	tests/        each alert, firing and silent, for promtool
//	prometheus/   what is asked, on one server and in a cluster
//	alertmanager/ who is told
//	dashboards/   Grafana's pages and their generator, a module of its own
//	kubernetes/   what runs all of it in a cluster; kustomization.yaml makes ConfigMaps of the files above
//
// Each alert has a page in docs/runbooks that says what to do. The tests of this package hold the files to that and
// to what promtool and amtool say.
package monitoring

import (
	"embed"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"time"
)

//go:embed rules/*.yml
var files embed.FS

// Rules returns the rule files by their names.
func Rules() (map[string][]byte, error) {
	paths, err := fs.Glob(files, "rules/*.yml")
	if err != nil {
		return nil, err
	}
	all := map[string][]byte{}
	for _, path := range paths {
		if all[path[len("rules/"):]], err = files.ReadFile(path); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// duration is one of the places where a rule names a time: a range, an offset, how long a condition must hold.
var duration = regexp.MustCompile(`(\[|offset |for: )(\d+)([smhd])`)

// Faster returns rules whose times are shorter by a factor, so that a test sees in seconds what takes minutes
// otherwise. No time becomes shorter than least, which must span some scrapes.
func Faster(rules []byte, factor int, least time.Duration) []byte {
	units := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}
	return duration.ReplaceAllFunc(rules, func(match []byte) []byte {
		part := duration.FindSubmatch(match)
		n, err := strconv.Atoi(string(part[2]))
		if err != nil {
			return match // more digits than an int has: no rule has such a time
		}
		shorter := max(time.Duration(n)*units[string(part[3])]/time.Duration(factor), least)
		return fmt.Appendf(nil, "%s%dms", part[1], shorter.Milliseconds())
	})
}
