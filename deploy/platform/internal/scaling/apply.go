package scaling

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/schedgen/schedgen/deploy/platform/internal/repo"
)

// line is a number that a manifest repeats: the text that stands before it, and its value for a row.
type line struct {
	before string // a regular expression
	value  func(Row) string
}

func quoted(n int) string  { return fmt.Sprintf("%q", fmt.Sprint(n)) }
func seconds(n int) string { return fmt.Sprintf("%ds", n) }
func (r Resources) flow() string {
	return fmt.Sprintf("{cpu: %s, memory: %s}", r.cpu(), r.Memory.String())
}

// cpu is the quantity as YAML: a whole number needs quotes to be a string.
func (r Resources) cpu() string {
	if text := r.CPU.String(); strings.HasSuffix(text, "m") {
		return text
	}
	return fmt.Sprintf("%q", r.CPU.String())
}

var amounts = []line{
	{`requests: `, func(r Row) string { return r.Requests.flow() }},
	{`limits: `, func(r Row) string { return r.Limits.flow() }},
}

var knative = append([]line{
	{`containerConcurrency: `, func(r Row) string { return fmt.Sprint(r.Concurrency) }},
	{`\n      timeoutSeconds: `, func(r Row) string { return fmt.Sprint(r.TimeoutSeconds) }},
	{`min-scale: `, func(r Row) string { return quoted(r.MinScale) }},
	{`max-scale: `, func(r Row) string { return quoted(r.MaxScale) }},
}, amounts...)

var openfaas = append([]line{
	{`max_inflight: `, func(r Row) string { return quoted(r.Concurrency) }},
	{`exec_timeout: `, func(r Row) string { return seconds(r.TimeoutSeconds) }},
	{`read_timeout: `, func(r Row) string { return seconds(r.TimeoutSeconds) }},
	{`write_timeout: `, func(r Row) string { return seconds(r.TimeoutSeconds + 5) }},
	{`scale\.max: `, func(r Row) string { return quoted(r.MaxScale) }},
	{`scale\.zero: `, func(r Row) string { return fmt.Sprintf("%q", fmt.Sprint(r.MinScale == 0)) }},
	{`scale\.target: `, func(r Row) string { return quoted(r.Concurrency) }},
}, amounts...)

var compose = []line{{`resources: `, func(r Row) string {
	memory := strings.TrimSuffix(r.Limits.Memory.String(), "i") // Compose's G is 1024³
	return fmt.Sprintf("{limits: {cpus: %q, memory: %s}}", fmt.Sprint(r.Limits.CPU.AsApproximateFloat64()), memory)
}}}

var program = []line{{`RequestTimeout: `, func(r Row) string { return fmt.Sprintf("%d * time.Second", r.TimeoutSeconds) }}}

// concurrency is where a function's source has its default: one that counts its work itself has it in its Config.
func concurrency(name string) (file string, l line) {
	value := func(r Row) string { return fmt.Sprint(r.Concurrency) }
	if name == "pdf-parse" {
		return "functions/pdf-parse/function.go", line{`PARSE_CONCURRENCY, default=`, func(r Row) string { return value(r) + "\"`" }}
	}
	return "functions/" + name + "/cmd/" + name + "/main.go", line{`Concurrency: `, value}
}

// Sources are the paths that the numbers stand in, from the project's root.
var Sources = []string{Path, "knative", "deploy/compose", "deploy/kubernetes", "stack.yml", "functions"}

// place is a file, or a section of one, that repeats numbers of a row.
type place struct {
	file, section, row string
	lines              []line
}

// Apply writes the table's numbers into the manifests that repeat them, and returns those files as they should be. A
// number that has no place in a manifest is an error.
func Apply(tree repo.Tree, table Table) (repo.Tree, error) {
	files := repo.Tree{}
	places := []place{
		{"stack.yml", "backup-watch", "backup", openfaas},
		{"deploy/kubernetes/backup/job.yaml", "", "backup", amounts},
		{"knative/components/backup-job/jobsink.yaml", "", "backup", amounts},
	}
	for _, name := range table.Functions() {
		source, one := concurrency(name)
		places = append(places,
			place{source, "", name, []line{one}},
			place{"functions/" + name + "/cmd/" + name + "/main.go", "", name, program},
			place{"knative/base/" + name + ".yaml", "", name, knative},
			place{"deploy/compose/compose.yml", name, name, compose},
			place{"stack.yml", name, name, openfaas})
	}
	for _, p := range places {
		data, ok := files[p.file]
		if !ok {
			data = tree[p.file]
		}
		changed, err := replace(data, p.section, table[p.row], p.lines)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", p.file, p.row, err)
		}
		files[p.file] = changed
	}
	return files, nil
}

// replace writes the lines of a row into a file, or into its section `  name:`.
func replace(data []byte, section string, row Row, lines []line) ([]byte, error) {
	text, from, to := string(data), 0, len(data)
	if section != "" {
		at := regexp.MustCompile(`(?m)^  ` + regexp.QuoteMeta(section) + `:\n(?:(?:    .*)?\n)*`).FindStringIndex(text)
		if at == nil {
			return nil, fmt.Errorf("no section %s", section)
		}
		from, to = at[0], at[1]
	}
	part := text[from:to]
	for _, l := range lines {
		number := regexp.MustCompile(`(` + l.before + `)(?:\{.*\}|[^\s,]+(?: \* time\.\w+)?)`)
		if !number.MatchString(part) {
			return nil, fmt.Errorf("no line %q", strings.TrimSpace(l.before))
		}
		part = number.ReplaceAllString(part, "${1}"+l.value(row))
	}
	return []byte(text[:from] + part + text[to:]), nil
}
