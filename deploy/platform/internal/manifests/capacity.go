package manifests

import (
	"regexp"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/schedgen/schedgen/deploy/platform/internal/repo"
)

// connections wants PgBouncer's to be 50 to 100 and to leave room at the server, and all instances to find one.
func (c *cluster) connections(tree repo.Tree) {
	const file = "deploy/kubernetes/base/pgbouncer.ini"
	setting := func(name string) int {
		match := regexp.MustCompile(`(?m)^` + name + ` = (\d+)$`).FindSubmatch(tree[file])
		if match == nil {
			c.addf("%s does not set %s", file, name)
			return 0
		}
		n, _ := strconv.Atoi(string(match[1])) // the expression takes digits alone
		return n
	}
	if !strings.Contains(string(tree[file]), "\npool_mode = transaction\n") || setting("max_prepared_statements") != 0 {
		c.addf("%s: what one client prepares must not reach another", file)
	}
	bouncer, _ := c.find("Deployment", "pgbouncer")
	instances, _ := strconv.Atoi(text(bouncer.at("spec", "replicas"))) // 0 is too few
	each := setting("max_db_connections")
	if total := instances * each; total < 50 || total > 100 || setting("default_pool_size")+setting("reserve_pool_size") != each {
		c.addf("PgBouncer makes %d x %d connections, want 50 to 100, of default_pool_size and reserve_pool_size", instances, each)
	}
	database, _ := c.find("StatefulSet", "postgres")
	match := regexp.MustCompile(`max_connections=(\d+)`).FindStringSubmatch(text(database.at("spec", "template", "spec", "containers")))
	if match == nil {
		c.addf("PostgreSQL's max_connections is not set")
	} else if limit, _ := strconv.Atoi(match[1]); limit < instances*each+20 {
		c.addf("PostgreSQL takes %d connections, PgBouncer makes %d, and 20 are for others", limit, instances*each)
	}
	wanted := 0
	for name, row := range c.scaling {
		if name != "backup" { // which does not come this way
			wanted += row.MaxScale * 4
		}
	}
	if clients := setting("max_client_conn") * instances; clients < wanted {
		c.addf("%s: %d max_client_conn are fewer than the %d connections of all instances", file, clients, wanted)
	}
}

// quota wants room for every function at its max-scale, and no more than twice of what functions and servers need.
func (c *cluster) quota() {
	hard, _ := c.find("ResourceQuota", "schedgen")
	limits, _ := c.find("LimitRange", "schedgen")
	proxy := list(limits.data, "spec", "limits") // of Knative's queue-proxy
	need := map[string]*resource.Quantity{"pods": {}, "limits.cpu": {}, "limits.memory": {}, "requests.cpu": {}, "requests.memory": {}}
	add := func(name string, amount any, times int64) {
		q, err := resource.ParseQuantity(text(amount))
		if err != nil {
			c.addf("quota: %v is no quantity", amount)
		}
		q.Mul(times)
		need[name].Add(q)
	}
	addAll := func(limits, requests any, times int64) {
		for _, what := range []string{"cpu", "memory"} {
			add("limits."+what, at(limits, what), times)
			add("requests."+what, at(requests, what), times)
		}
	}
	for _, row := range c.scaling {
		n := int64(row.MaxScale)
		add("pods", "1", n)
		addAll(row.Limits.Quantities(), row.Requests.Quantities(), n)
		for _, p := range proxy {
			addAll(p["default"], p["defaultRequest"], n)
		}
	}
	for _, o := range c.objects {
		template, _ := o.podTemplate()
		n := int64(1)
		if replicas, err := strconv.Atoi(text(o.at("spec", "replicas"))); err == nil {
			n = int64(replicas)
		}
		for _, container := range list(template, "spec", "containers") {
			add("pods", "1", n)
			addAll(at(container, "resources", "limits"), at(container, "resources", "requests"), n)
		}
	}
	for name, want := range need {
		limit, err := resource.ParseQuantity(text(hard.at("spec", "hard", name)))
		twice := want.DeepCopy()
		twice.Mul(2)
		if err != nil || limit.Cmp(*want) < 0 || limit.Cmp(twice) > 0 {
			c.addf("the quota's %s is %v, and %s are needed at full scale", name, hard.at("spec", "hard", name), want.String())
		}
	}
}
