package manifests

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/schedgen/schedgen/deploy/platform/internal/repo"
)

// mutant is one file with one line broken.
type mutant struct {
	path   string
	line   int
	broken string
	was    string
}

func (m mutant) String() string {
	return fmt.Sprintf("%s:%d: %s", m.path, m.line, strings.TrimSpace(m.was))
}

// word is what is broken in a line: its last name or number.
var word = regexp.MustCompile(`[A-Za-z0-9]+[^A-Za-z0-9]*$`)

// mutants breaks every line of a file that is not empty or a comment.
func mutants(path string, data []byte) []mutant {
	var all []mutant
	lines := strings.Split(string(data), "\n")
	for i, line := range lines {
		code, _, _ := strings.Cut(line, " #")
		at := word.FindStringIndex(code)
		if trimmed := strings.TrimSpace(code); at == nil || strings.HasPrefix(trimmed, "#") || strings.HasPrefix(trimmed, ";") {
			continue
		}
		broken := append([]string(nil), lines...)
		broken[i] = code[:at[0]] + breakWord(code[at[0]:]) + line[len(code):]
		all = append(all, mutant{path, i + 1, strings.Join(broken, "\n"), line})
	}
	return all
}

// breakWord makes another number of a number, and another word of a word.
func breakWord(text string) string {
	end := strings.IndexFunc(text, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", r)
	})
	if end < 0 {
		end = len(text)
	}
	first, rest := text[:end], text[end:]
	switch {
	case first == "true":
		return "false" + rest
	case first == "false":
		return "true" + rest
	case first[0] >= '1' && first[0] <= '9':
		return "9" + first + rest
	case first[0] == '0':
		return "1" + first[1:] + rest
	}
	return first + "x" + rest
}

// matters are the lines that a check is about. Of network policies, events, schedules and routes it is every line.
var matters = regexp.MustCompile("(?m)" + strings.Join([]string{
	// What a function gets.
	`^\s+(- )?[A-Z][A-Z0-9_]+: .*[a-z0-9]"?$`, `- [A-Z][A-Z0-9_]+=.*[a-z0-9]$`, `name: [A-Z][A-Z0-9_]+$`, `(Ref|secretName|Key): `, `^      - schedgen-`,
	// What confines it.
	`runAsNonRoot`, `readOnlyRootFilesystem`, `readonly_root`, `read_only`, `allowPrivilegeEscalation`, `drop:`, `no-new-privileges`, `seccompProfile`, `visibility`, `internal: `,
	// What is generated.
	`containerConcurrency`, `^      timeoutSeconds`, `-scale: "`, `max_inflight`, `(exec|read|write)_timeout`, `scale\.(max|zero|target):`, `limits: \{cpu:`,
	// What leads where.
	`^(apiVersion|kind): `, `image: (ko:|[a-z/]+:)`, `routers\.[a-z-]+\.rule`, `stripPrefix`, `/ready\}`, `/health\}`, `schedule: "`, `configMapRef`, `schedgen.dev/function`,
	// Numbers that only fit together.
	`^(pool_mode|max_prepared_statements|default_pool_size|reserve_pool_size|max_db_connections) =`, `^  replicas: 2`,
}, "|"))

// whole are the files of which every line matters.
var whole = regexp.MustCompile(`network\.yaml$|/triggers\.yaml$|/schedules\.yaml$|/sinks\.yaml$|/routes\.yaml$|/functions\.yaml$`)

// indifferent are lines that may be otherwise without anything being wrong.
var indifferent = regexp.MustCompile("(?m)" + strings.Join([]string{
	`^  name: `,                       // which only people read, but for what refers to it
	`backoff|timeout: PT|contentType`, // how long to wait is a matter of judgement
	`(LOG_LEVEL|TZ|HOST): `, `match: Host\([^)]*\)$`, `SCHEDGEN_POSTGRES`, `HOME: `, `SETUP`, `^kind: (Kustomization|Component)`, `Ref|Key: \{name: minio-setup`,
	`POSTGRES_|PGDATA|MINIO_|_KEY: \$|_SECRET: \$|REDIS_PASSWORD|name: \w+_(KEY|SECRET)$`,
	`^deploy/kubernetes/(base|migrate|restore)/.*\n.*limits:`, // of servers, which say so themselves when they start
	`image: \$\{REGISTRY`, `PUBLIC_URL=http`, `DATABASE_MAX_CONNS`,
}, "|"))

// files are those whose lines are broken.
func files(tree repo.Tree) []string {
	all := []string{"stack.yml", "deploy/compose/compose.yml", "deploy/compose/compose.prod.yml", "deploy/kubernetes/base/pgbouncer.ini", "deploy/monitoring/kubernetes/network.yaml"}
	for _, path := range append(tree.Under("knative/"), tree.Under("deploy/kubernetes/")...) {
		if strings.HasSuffix(path, ".yaml") && !strings.HasSuffix(path, "traefik-values.yaml") && !strings.Contains(path, "/local/") {
			all = append(all, path)
		}
	}
	return all
}

// TestEveryLineMatters breaks the lines that a check is about, one at a time, and wants the checks to report each: a
// sample of them, or all with SCHEDGEN_TEST_ALL.
func TestEveryLineMatters(t *testing.T) {
	t.Parallel()
	tree, c := world(t)
	every := 5
	if os.Getenv("SCHEDGEN_TEST_ALL") != "" {
		every = 1
	}
	var broken []mutant
	for _, path := range files(tree) {
		for _, m := range mutants(path, tree[path]) {
			if (whole.MatchString(path) || matters.MatchString(m.was)) && !indifferent.MatchString(m.path+"\n"+m.was) {
				broken = append(broken, m)
			}
		}
	}
	queue := make(chan mutant)
	var workers sync.WaitGroup
	for range runtime.NumCPU() {
		workers.Go(func() {
			for m := range queue {
				if len(c.CheckFor(tree.With(m.path, []byte(m.broken)), m.path)) == 0 {
					t.Errorf("no check reports that it is broken: %s", m)
				}
			}
		})
	}
	for i := 0; i < len(broken); i += every {
		queue <- broken[i]
	}
	close(queue)
	workers.Wait()
	t.Logf("%d of %d lines were broken", (len(broken)+every-1)/every, len(broken))
}
