package manifests

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// variable is an environment variable as a manifest sets it.
type variable struct {
	value string
	known bool // false if only the operator knows the value
}

// deployed is a function as one platform runs it.
type deployed struct {
	where, function string
	set             map[string]variable
	platform        []string // variables that the platform itself sets
	gateway         string   // prefix of the addresses of other functions
	files           []string // mounted directories and files
	tokenless       []string // paths whose callers cannot send EVENT_TOKEN
	called          bool     // some callers send EVENT_TOKEN
	job             bool     // it runs once and serves no requests
}

// servers are the ports of the servers beside the functions.
var servers = map[string]string{"pgbouncer": "6432", "postgres": "5432", "redis": "6379", "minio": "9000"}

// An operator turns traces on for all functions at once, so each function that serves requests must get the collector's
// address, and what gets the address must also get the headers that sign it in.
const (
	tracesTo      = "OTEL_EXPORTER_OTLP_ENDPOINT"
	tracesHeaders = "OTEL_EXPORTER_OTLP_HEADERS"
)

// deployed checks that the variables are those that the function reads, with values that it can use.
func (c *Checker) deployed(d deployed) []string {
	var p problems
	f := c.functions[d.function]
	for name, v := range d.set {
		s, ok := f.setting(name)
		switch {
		case !ok:
			p.addf("%s sets %s, which %s does not read", d.where, name, d.function)
		case v.known && !fits(s.Type, v.value):
			p.addf("%s: %s=%q is no %s", d.where, name, v.value, s.Type)
		case strings.HasSuffix(name, "_FILE") && !slices.ContainsFunc(d.files, func(file string) bool { return v.value == file || strings.HasPrefix(v.value, file+"/") }):
			p.addf("%s: %s is %s, which is mounted nowhere", d.where, name, v.value)
		}
	}
	_, traced := d.set[tracesTo]
	for _, s := range f.settings {
		_, set := d.set[s.Name]
		needed := s.Required && !slices.Contains(d.platform, s.Name) || s.Name == "LOG_LEVEL" || s.Name == "EVENT_TOKEN" && d.called ||
			s.Name == tracesTo && !d.job || s.Name == tracesHeaders && traced
		if needed && !set {
			p.addf("%s does not set %s", d.where, s.Name)
		}
	}
	// Only callers that cannot carry the token may come without it.
	p.compare(d.where+": OPEN_PATHS", d.set["OPEN_PATHS"].value, strings.Join(d.tokenless, ","))
	p = append(append(p, c.addresses(d)...), c.agreement(d)...)
	if d.function == "backup" {
		p = append(p, c.chosen(d)...)
	}
	return p
}

// addresses checks that servers and functions are at the addresses that a function gets.
func (c *Checker) addresses(d deployed) []string {
	var p problems
	for _, name := range []string{"DATABASE_URL", "REDIS_URL", "S3_URL"} {
		address, err := url.Parse(d.set[name].value)
		if err != nil || address.Host == "" {
			continue
		}
		server, rest, _ := strings.Cut(address.Hostname(), ".")
		if port, ok := servers[server]; !ok || port != address.Port() || rest != "" && rest != "schedgen.svc.cluster.local" {
			p.addf("%s: %s is at %s, where no server is", d.where, name, address.Host)
		}
	}
	for _, name := range []string{"EVENT_TARGETS", "PARSED_TARGETS"} {
		for target := range strings.SplitSeq(d.set[name].value, ",") {
			path, ok := strings.CutPrefix(target, d.gateway)
			function, path, _ := strings.Cut(path, "/")
			if target != "" && (!ok || !c.functions[function].routes["/"+cmp.Or(path, "{$}")]) {
				p.addf("%s: %s is %s, where no function receives events", d.where, name, target)
			}
		}
	}
	if path := d.set["FUNCTION_TASK_PATH"].value; path != "" && !c.functions[d.function].routes[path] {
		p.addf("%s: FUNCTION_TASK_PATH is %s, which %s does not serve", d.where, path, d.function)
	}
	return p
}

// agreement checks values that only fit together.
func (c *Checker) agreement(d deployed) []string {
	var p problems
	value := func(name string) string { return d.set[name].value }
	pooled := strings.Contains(value("DATABASE_URL"), ":6432/")
	if database := value("DATABASE_URL"); database != "" && (pooled != (value("DATABASE_POOLED") == "true") || pooled == (d.function == "backup")) {
		p.addf("%s: PgBouncer is for all but pg_dump, and DATABASE_POOLED says where it is used", d.where)
	}
	if delay, err := time.ParseDuration(value("FUNCTION_DRAIN_DELAY")); err != nil || delay < 5*time.Second || delay > 30*time.Second {
		p.addf("%s: FUNCTION_DRAIN_DELAY is %q, want 5s to 30s", d.where, value("FUNCTION_DRAIN_DELAY"))
	}
	if d.function == "pdf-parse" {
		row := c.scaling[d.function]
		memory, _ := strconv.ParseInt(value("PARSE_MEMORY"), 10, 64)
		if memory == 0 || int64(row.Concurrency)*memory+256<<20 > row.Limits.Memory.Value() {
			p.addf("%s: %d parsers of PARSE_MEMORY=%d and 256 MiB do not fit into %s", d.where, row.Concurrency, memory, row.Limits.Memory.String())
		}
	}
	if secure, site := d.set["SESSION_SECURE"], d.set["PUBLIC_URL"]; site.known && secure.known && strings.HasPrefix(site.value, "https://") != (secure.value == "true") {
		p.addf("%s: SESSION_SECURE is %s for a site at %s", d.where, secure.value, site.value)
	}
	if site, ok := d.set["COOKIE_SAMESITE"]; ok && site.value != "lax" && site.value != "none" {
		p.addf("%s: COOKIE_SAMESITE is %q, want lax or none", d.where, site.value)
	}
	if _, visitors := d.set["SESSION_KEY"]; visitors {
		p.compare(d.where+": TRUSTED_PROXIES", value("TRUSTED_PROXIES"), trustedProxies)
	}
	if bucket, ok := d.set["S3_BUCKET"]; ok && bucket.value != "schedgen-pdfs" {
		p.addf("%s: S3_BUCKET is %s, which minio-setup does not make", d.where, bucket.value)
	}
	return p
}

// trustedProxies are the networks of what stands before a function: without them all callers share the limits of one.
const trustedProxies = "127.0.0.0/8,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,::1/128,fc00::/7"

// choices are the operator's settings of backups and alerts. makers are those that a function that only watches does not
// need; it needs both buckets, to which it writes who deleted everything.
var (
	choices = regexp.MustCompile(`^(BACKUP_(OFFSITE_)?S3_(URL|BUCKET|REGION|ACCESS_KEY|SECRET_KEY)|BACKUP_KEEP_.*|ALERT_(WEBHOOK_URL|SMTP_.*|FROM|TO))$`)
	makers  = regexp.MustCompile(`^BACKUP_KEEP_`)
)

// chosen checks that each choice reaches the function, and that one which is not made is the default.
func (c *Checker) chosen(d deployed) []string {
	var p problems
	for _, s := range c.functions["backup"].settings {
		if !choices.MatchString(s.Name) || d.set["FUNCTION_TASK_PATH"].value == "/tasks/watch" && makers.MatchString(s.Name) {
			continue
		}
		want, got := s.Default, s.Default
		if choice, made := c.secrets.file[s.Name]; made {
			want = choice
		}
		if v, set := d.set[s.Name]; set {
			got = v.value
		}
		if got != want {
			p.addf("%s: %s is not what the operator chose", d.where, s.Name) // the value may be secret
		}
	}
	return p
}

// fits reports whether go-envconfig takes a value for a type.
func fits(kind, value string) bool {
	var err error
	switch kind {
	case "bool":
		_, err = strconv.ParseBool(value)
	case "int", "int32", "int64":
		_, err = strconv.ParseInt(value, 10, 64)
	case "time.Duration":
		_, err = time.ParseDuration(value)
	case "slog.Level":
		return slices.Contains([]string{"debug", "info", "warn", "error"}, value)
	}
	return err == nil
}
