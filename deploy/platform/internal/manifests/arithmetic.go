package manifests

import (
	"regexp"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/schedgen/schedgen/deploy/platform/internal/repo"
)

// arithmetic checks numbers that only fit together: connections to PostgreSQL, memory of Redis, and the
// quota, which must let every function grow to its max-scale.
func (c *Checker) arithmetic(tree repo.Tree, servers []object) []string {
	var p problems
	c.connections(&p, tree, servers)
	c.quota(&p, servers)
	redis, _ := find(servers, "StatefulSet", "redis")
	if command := text(redis.at("spec", "template", "spec", "containers")); !strings.Contains(command, "--maxmemory 2gb --maxmemory-policy allkeys-lru --appendonly yes") {
		p.addf("Redis is not as it must be: %.300s", command)
	}
	return p
}

// connections wants PgBouncer's to be 50 to 100, and to leave room at the server.
func (c *Checker) connections(p *problems, tree repo.Tree, servers []object) {
	const file = "deploy/kubernetes/base/pgbouncer.ini"
	ini := map[string]string{}
	for line := range strings.Lines(string(tree[file])) {
		if section := strings.TrimSpace(line); strings.HasPrefix(section, "[") && section != "[databases]" && section != "[pgbouncer]" {
			p.addf("%s has the section %s", file, section)
		}
		if name, value, ok := strings.Cut(line, "="); ok {
			ini[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	for name, want := range map[string]string{
		"pool_mode": "transaction", "listen_port": "6432", "listen_addr": "0.0.0.0", "auth_type": "scram-sha-256",
		"auth_file": "/etc/pgbouncer-users/userlist.txt", "schedgen": "host=postgres port=5432 dbname=schedgen",
		// The functions prepare nothing; a statement kept for one client would be another's surprise.
		"max_prepared_statements": "0", "ignore_startup_parameters": "extra_float_digits",
	} {
		p.compare(file+": "+name, ini[name], want)
	}
	bouncer, _ := find(servers, "Deployment", "pgbouncer")
	instances, _ := strconv.Atoi(text(bouncer.at("spec", "replicas")))
	each, _ := strconv.Atoi(ini["max_db_connections"])
	pool, _ := strconv.Atoi(ini["default_pool_size"])
	reserve, _ := strconv.Atoi(ini["reserve_pool_size"])
	if total := instances * each; total < 50 || total > 100 {
		p.addf("PgBouncer makes %d x %d connections, want 50 to 100", instances, each)
	}
	if pool+reserve != each {
		p.addf("%s: default_pool_size %d and reserve_pool_size %d are not max_db_connections %d", file, pool, reserve, each)
	}
	database, _ := find(servers, "StatefulSet", "postgres")
	match := regexp.MustCompile(`max_connections=(\d+)`).FindStringSubmatch(text(database.at("spec", "template", "spec", "containers")))
	if len(match) != 2 {
		p.addf("PostgreSQL's max_connections is not set")
		return
	}
	if most, _ := strconv.Atoi(match[1]); most < instances*each+20 {
		p.addf("PostgreSQL takes %d connections, PgBouncer makes %d, and 20 are for others", most, instances*each)
	}
	clients, _ := strconv.Atoi(ini["max_client_conn"])
	wanted := 0
	for name, row := range c.scaling {
		if name != "backup" { // which does not come this way
			wanted += row.MaxScale * 4
		}
	}
	if clients*instances < wanted {
		p.addf("%s: %d x max_client_conn %d are fewer than the %d connections of all instances", file, instances, clients, wanted)
	}
}

// quota sums what everything takes at most.
func (c *Checker) quota(p *problems, servers []object) {
	hard, _ := find(servers, "ResourceQuota", "schedgen")
	limits, _ := find(servers, "LimitRange", "schedgen")
	ranges := list(limits.data, "spec", "limits")
	if len(ranges) != 1 {
		p.addf("the LimitRange is not as it must be")
		return
	}
	pods := int64(0)
	sum := map[string]*resource.Quantity{}
	add := func(kind, what string, amount string, times int64) {
		q, err := resource.ParseQuantity(amount)
		if err != nil {
			p.addf("quota: %q is no quantity", amount)
			return
		}
		q.Mul(times)
		if sum[kind+"."+what] == nil {
			sum[kind+"."+what] = new(resource.Quantity)
		}
		sum[kind+"."+what].Add(q)
	}
	for _, row := range c.scaling {
		n := int64(row.MaxScale)
		pods += n
		add("limits", "cpu", row.Limits.CPU.String(), n)
		add("limits", "memory", row.Limits.Memory.String(), n)
		add("requests", "cpu", row.Requests.CPU.String(), n)
		add("requests", "memory", row.Requests.Memory.String(), n)
		for _, what := range []string{"cpu", "memory"} { // queue-proxy's, from the LimitRange
			add("limits", what, text(at(ranges[0], "default", what)), n)
			add("requests", what, text(at(ranges[0], "defaultRequest", what)), n)
		}
	}
	for _, o := range servers {
		template, ok := o.podTemplate()
		if !ok {
			continue
		}
		n := int64(1)
		if replicas, err := strconv.Atoi(text(o.at("spec", "replicas"))); err == nil {
			n = int64(replicas)
		}
		pods += n
		for _, container := range list(template, "spec", "containers") {
			for _, kind := range []string{"limits", "requests"} {
				for _, what := range []string{"cpu", "memory"} {
					add(kind, what, text(at(container, "resources", kind, what)), n)
				}
			}
		}
	}
	for name, need := range sum {
		p.room(hard, name, need)
	}
	p.compare("the quota's load balancers", hard.at("spec", "hard", "services.loadbalancers"), "0")
	p.compare("the quota's volumes", hard.at("spec", "hard", "persistentvolumeclaims"), "6")
	p.compare("the LimitRange is for", ranges[0]["type"], "Container")
	p.room(hard, "pods", resource.NewQuantity(pods, resource.DecimalSI))
}

// room wants the quota to hold what is needed, and not to be beyond all need.
func (p *problems) room(hard object, name string, need *resource.Quantity) {
	limit, err := resource.ParseQuantity(text(hard.at("spec", "hard", name)))
	twice := need.DeepCopy()
	twice.Mul(2)
	if err != nil || limit.Cmp(*need) < 0 || limit.Cmp(twice) > 0 {
		p.addf("the quota's %s is %v, and %s are needed at full scale", name, hard.at("spec", "hard", name), need.String())
	}
}
