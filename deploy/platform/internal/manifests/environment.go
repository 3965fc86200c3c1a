package manifests

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// given is one variable as a manifest sets it.
type given struct {
	value string
	known bool // false: it is the operator's, and only its name counts
}

// environment wants what a container of a function is told to be what the function reads: no variable that
// it does not have, none missing that it needs, and values of the right type. Platform names variables
// that the platform itself sets.
func (c *cluster) environment(o object, name string, container map[string]any, platform []string) map[string]given {
	set := map[string]given{}
	for _, from := range list(container, "envFrom") {
		if ref := text(at(from, "configMapRef", "name")); ref != "" {
			config, _ := c.find("ConfigMap", ref)
			for key, value := range labels(config.data["data"]) {
				set[key] = given{value, true}
			}
		}
		if ref := text(at(from, "secretRef", "name")); ref != "" {
			for key, value := range c.secrets.kubernetes[ref] {
				set[key] = given{value, value != ""}
			}
		}
	}
	for _, variable := range list(container, "env") {
		if _, twice := set[text(variable["name"])]; twice {
			c.addf("%s sets %s twice", o, variable["name"])
		}
		set[text(variable["name"])] = given{text(variable["value"]), true}
	}
	c.problems = append(c.problems, c.told(o.String(), name, set, platform)...)
	return set
}

// musts are what a function needs on a platform though it runs without.
var musts = []string{"FUNCTION_DRAIN_DELAY", "LOG_LEVEL"}

// told compares what is set with what the function reads.
func (c *Checker) told(where, name string, set map[string]given, platform []string) []string {
	var p problems
	f, ok := c.functions[name]
	if !ok {
		return nil // its folder is not there
	}
	for _, variable := range slices.Sorted(maps.Keys(set)) {
		s, ok := f.has(variable)
		switch {
		case !ok:
			p.addf("%s sets %s, which %s does not read", where, variable, name)
		case set[variable].known && !fits(s.Type, set[variable].value):
			p.addf("%s: %s=%q is no %s", where, variable, set[variable].value, s.Type)
		}
	}
	for _, s := range f.settings {
		_, there := set[s.Name]
		if s.Required && !there && !slices.Contains(platform, s.Name) {
			p.addf("%s does not set %s, which %s needs", where, s.Name, name)
		}
	}
	for _, variable := range musts {
		if set[variable].value == "" {
			p.addf("%s does not set %s", where, variable)
		}
	}
	if delay, err := time.ParseDuration(set["FUNCTION_DRAIN_DELAY"].value); err != nil || delay < 5*time.Second || delay > 30*time.Second {
		p.addf("%s: FUNCTION_DRAIN_DELAY is %q, want 5s to 30s", where, set["FUNCTION_DRAIN_DELAY"].value)
	}
	return append(p, c.sense(where, name, set)...)
}

// namesake is a variable that gets what the operator says, or a default.
var namesake = regexp.MustCompile(`(?m)^\s+([A-Z][A-Z0-9_]*): "?\$\{(\w+):-`)

// passedOn wants each variable that a file passes on with a default to be the operator's of that very name: under
// another one, nobody's choice would arrive.
func passedOn(file string, data []byte) []string {
	var p problems
	for _, found := range namesake.FindAllSubmatch(data, -1) {
		if name, from := string(found[1]), string(found[2]); name != from {
			p.addf("%s: %s is made of %s, which nobody sets", file, name, from)
		}
	}
	return p
}

// sense checks values that only fit together.
func (c *Checker) sense(where, name string, set map[string]given) []string {
	var p problems
	pooled := set["DATABASE_POOLED"].value == "true"
	if url := set["DATABASE_URL"].value; url != "" && strings.Contains(url, ":6432/") != pooled {
		p.addf("%s: DATABASE_POOLED is %q for %s", where, set["DATABASE_POOLED"].value, "a database at "+url[strings.LastIndex(url, "@")+1:])
	}
	if url, set := set["S3_URL"]; set && strings.HasPrefix(url.value, "http://minio:") && url.value != "http://minio:9000" {
		p.addf("%s: S3_URL is %s, where no server is", where, url.value)
	}
	watches := set["FUNCTION_TASK_PATH"].value == "/tasks/watch" // and reads no backup
	if file := set["BACKUP_IDENTITY_FILE"].value; name == "backup" && !watches {
		if dir, ok := strings.CutSuffix(file, "/identity.txt"); !ok && !strings.Contains(file, "secrets/") || ok && dir != "/keys" {
			p.addf("%s: BACKUP_IDENTITY_FILE is %q, where no secret is mounted", where, file)
		}
	}
	if name == "backup" && pooled {
		p.addf("%s: pg_dump does not go through PgBouncer", where)
	}
	if name == "backup" {
		p = append(p, c.chosen(where, set, watches)...)
	}
	if name == "pdf-parse" {
		row := c.scaling[name]
		memory, _ := strconv.ParseInt(set["PARSE_MEMORY"].value, 10, 64)
		if need := int64(row.Concurrency)*memory + 256<<20; memory == 0 || need > row.Limits.Memory.Value() {
			p.addf("%s: %d parsers of PARSE_MEMORY=%d and 256 MiB do not fit into %s", where, row.Concurrency, memory, row.Limits.Memory.String())
		}
	}
	if secure, public := set["SESSION_SECURE"], set["PUBLIC_URL"]; public.known && secure.known &&
		strings.HasPrefix(public.value, "https://") != (secure.value == "true") {
		p.addf("%s: SESSION_SECURE is %s for a site at %s", where, secure.value, public.value)
	}
	if site, told := set["COOKIE_SAMESITE"]; told && site.value != "lax" && site.value != "none" {
		p.addf("%s: COOKIE_SAMESITE is %q, want lax or none", where, site.value)
	}
	if bucket := set["S3_BUCKET"].value; bucket != "" && bucket != "schedgen-pdfs" {
		p.addf("%s: S3_BUCKET is %s, which nobody makes", where, bucket)
	}
	if path := set["FUNCTION_TASK_PATH"].value; path != "" && !c.functions[name].routes[path] {
		p.addf("%s: FUNCTION_TASK_PATH is %s, which is no path of %s", where, path, name)
	}
	return p
}

// choices are the operator's, about backups and alerts; makers are those that a mere watch needs not.
var (
	choices = regexp.MustCompile(`^(BACKUP_(OFFSITE_)?S3_(URL|BUCKET|REGION|ACCESS_KEY|SECRET_KEY)|BACKUP_KEEP_.*|ALERT_(WEBHOOK_URL|SMTP_.*|FROM|TO))$`)
	makers  = regexp.MustCompile(`^BACKUP_(OFFSITE|KEEP)_`)
)

// chosen wants each choice to reach the function, and one that is not made to be its default, on every
// platform: an empty variable would be none.
func (c *Checker) chosen(where string, set map[string]given, watches bool) []string {
	var p problems
	for _, s := range c.functions["backup"].settings {
		if !choices.MatchString(s.Name) || watches && makers.MatchString(s.Name) {
			continue
		}
		want, made := c.secrets.file[s.Name]
		if !made {
			want = s.Default
		}
		got, told := set[s.Name]
		if !told {
			got.value = s.Default
		}
		if got.value != want {
			p.addf("%s: %s is not what the operator chose", where, s.Name) // it may be secret
		}
	}
	return p
}

// fits says whether go-envconfig takes a value for a type.
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
