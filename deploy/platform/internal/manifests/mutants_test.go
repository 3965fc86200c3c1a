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

// indifferent are lines that may be otherwise without anything being wrong.
var indifferent = regexp.MustCompile(strings.Join([]string{
	// Sizes and times that are a matter of judgement.
	`requests: \{`, `requests/storage`, `value: (2Gi|1|\{cpu: 50m)`, `requests\.`, `storage:`, `sizeLimit:`, `periodSeconds`, `failureThreshold`, `initialDelaySeconds`,
	`backoffLimit`, `activeDeadlineSeconds`, `ttlSecondsAfterFinished`, `terminationGracePeriodSeconds`, `timeoutSeconds: \d`, `stop_grace_period`, `shm_size`,
	`interval: \ds`, `timeout: \ds`, `retries:`, `_timeout = `, `limits: \{cpu`, `sleep 5; kill`,
	// Names that nothing refers to, and what is only told to people.
	`^  name: (default-deny|dns|functions|google-sync|backup|migrate|postgres|pgbouncer|redis|minio|minio-setup|openfaas.*|schedgen)$`,
	`pod-security.kubernetes.io/warn`, `LOG_LEVEL`, `logging`, `driver:`, `max-size`, `^name: schedgen`, `EXPOSE`, `HEALTHCHECK`, `WORKDIR /src$`, `prefix_logs`, `VERSION=development`, `admin_users`,
	// The caches of a build.
	`RUN --mount=type=cache`,
	// Users that are not root, whatever their number; mounts that nothing writes to; what overlays say again.
	`runAs(User|Group): (1000|70)`, `fsGroup: 1000`, `readOnly: true\}`, `^namespace: schedgen`, `clusterIP: None`, `max_client_conn`,
	// What a merge key or an anchor spells is checked where it is used.
	`<<:`, `!override`,
	// The site's own address, which is an example.
	`PUBLIC_URL=http`, `match: Host\(.schedgen.example.org.\)$`, `email: operator@`, `^  size: `, `DASHBOARD_HOST`, `HOST: schedgen`,
	// Overlays for a developer's machine change amounts alone, and where they do not, the base is what is applied.
	`target: \{kind: (StatefulSet|Deployment)`, `path: /spec/`, `op: replace`, `DATABASE_MAX_CONNS`,
}, "|"))

// files are those whose lines are broken.
func files(tree repo.Tree) []string {
	all := []string{"stack.yml", templateFile, ".ko.yaml", "deploy/images/openfaas/Dockerfile", "deploy/compose/compose.yml", "deploy/compose/compose.prod.yml", "deploy/kubernetes/base/pgbouncer.ini"}
	for _, path := range append(tree.Under("knative/"), tree.Under("deploy/kubernetes/")...) {
		if strings.HasSuffix(path, ".yaml") {
			all = append(all, path)
		}
	}
	return all
}

// TestEveryLineMatters breaks the files line by line, one at a time, and wants the checks to tell.
func TestEveryLineMatters(t *testing.T) {
	t.Parallel()
	tree, c := world(t)
	if c.crds == nil {
		t.Skip("set SCHEDGEN_CRDS to a folder with the definitions of Knative and Traefik, without which many a broken line is not seen")
	}
	every := 8 // a sample, another one of each file
	if os.Getenv("SCHEDGEN_TEST_ALL") != "" {
		every = 1
	}
	queue := make(chan mutant)
	var workers sync.WaitGroup
	for range runtime.NumCPU() {
		workers.Go(func() {
			for m := range queue {
				if len(c.CheckFor(tree.With(m.path, []byte(m.broken)), m.path)) == 0 && !indifferent.MatchString(m.was) {
					t.Errorf("nobody sees that it is broken: %s", m)
				}
			}
		})
	}
	count := 0
	for i, path := range files(tree) {
		for n, m := range mutants(path, tree[path]) {
			if (n+i)%every == 0 {
				count++
				queue <- m
			}
		}
	}
	close(queue)
	workers.Wait()
	t.Logf("%d lines were broken", count)
}
