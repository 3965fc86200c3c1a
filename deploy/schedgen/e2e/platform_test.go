package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"
	"go.yaml.in/yaml/v3"

	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/dev/testkit/redistest"
	"github.com/schedgen/schedgen/shared/dev/testkit/s3test"
	"github.com/schedgen/schedgen/shared/timetable"
)

// platform is a way to run a function: with what in front, and what that does.
type platform struct {
	name    string
	waiting int  // requests that wait for each that the function works on
	beyond  int  // the answer to one more
	full    int  // what readiness answers while the function is full and its database hangs
	tasks   bool // are posted to the root, by cron-connector
	run     func(b *backends, function string, timeout time.Duration) *pod
}

// platforms are the stand-ins, and the real proxies where the environment names them.
func platforms() []platform {
	knative := platform{name: "Knative", waiting: 10, beyond: http.StatusServiceUnavailable, full: http.StatusServiceUnavailable, run: behindQueueProxy}
	openfaas := platform{name: "OpenFaaS", beyond: http.StatusTooManyRequests, full: http.StatusTooManyRequests, tasks: true, run: behindWatchdog}
	all := []platform{knative, openfaas}
	if program := os.Getenv("SCHEDGEN_TEST_QUEUE_PROXY"); program != "" {
		knative.name, knative.run = "real queue-proxy", realQueueProxy(program)
		all = append(all, knative)
	}
	if program := os.Getenv("SCHEDGEN_TEST_OF_WATCHDOG"); program != "" {
		openfaas.name, openfaas.run = "real of-watchdog", realWatchdog(program)
		all = append(all, openfaas)
	}
	return all
}

// onEachPlatform runs a test on all of them at once: they wait most of the time, for what platforms wait
// for, and would keep other tests from running if each took its turn.
func onEachPlatform(t *testing.T, test func(*testing.T, platform)) {
	t.Helper()
	var all sync.WaitGroup
	for _, on := range platforms() {
		all.Go(func() { t.Run(on.name, func(t *testing.T) { test(t, on) }) })
	}
	all.Wait()
}

// pod is one instance of a function behind a platform's proxy.
type pod struct {
	url      string                                // of the proxy
	function string                                // of the function itself
	ready    func(context.Context) (answer, error) // as the platform asks
	draining func(context.Context) error           // nil as soon as the proxy tells the platform to go elsewhere
	end      func() error                          // as the platform ends it
	kill     func() error
}

// backends are what functions need, with gates in front that can be shut, and whatever functions a test runs
// on them.
type backends struct {
	*fleet
	database, objects *gate
	calls             sync.WaitGroup // of send
}

func newBackends(t *testing.T, settings ...string) *backends {
	t.Helper()
	at, err := url.Parse(pgtest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	f := &fleet{t: t, redis: redistest.New(t), minio: s3test.New(t)}
	b := &backends{fleet: f, database: newGate(t, at.Host), objects: newGate(t, strings.TrimPrefix(f.minio.URL, "http://"))}
	query := at.Query()
	query.Set("connect_timeout", "3600") // of backup, which connects by itself
	at.Host, at.RawQuery = b.database.address, query.Encode()
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	f.settings = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "TMPDIR=" + t.TempDir(), "SESSION_SECURE=false", "SESSION_KEY=" + sessionKey,
		"DATABASE_URL=" + at.String(), "REDIS_URL=" + f.redis.URL(), "S3_URL=http://" + b.objects.address,
		"S3_ACCESS_KEY=" + s3test.AccessKey, "S3_SECRET_KEY=" + s3test.SecretKey, "S3_BUCKET=" + f.minio.Config().Bucket,
		"EVENT_TOKEN=" + eventToken, "PRIORITY_TOKEN=" + priorityToken, "PARSE_RATE=1000", "PARSE_BURST=1000",
		"BACKUP_RECIPIENTS=" + key.Recipient().String(), "BACKUP_MIN_INTERVAL=1ns", // each event asks for a backup
		"GOOGLE_CLIENT_ID=client", "GOOGLE_CLIENT_SECRET=secret", "GOOGLE_TOKEN_KEYS=1:" + strings.Repeat("A", 43) + "=",
		// Only the platform, or the test, ends a wait.
		"FUNCTION_TIMEOUT=1h", "DATABASE_CONNECT_TIMEOUT=1h", "DATABASE_ACQUIRE_TIMEOUT=1h", "DATABASE_STATEMENT_TIMEOUT=1h",
	}, append(settings, unlimited...)...)
	t.Cleanup(func() { // before a program is stopped that waits for them
		b.database.lift()
		b.objects.lift()
		b.calls.Wait()
	})
	return b
}

const sessionKey = "a key of a test that has 32 bytes"

// function starts one without a platform.
func (b *backends) function(name string, settings ...string) *instance {
	b.t.Helper()
	return b.instance(b.program(name), settings...)
}

func (b *backends) program(name string) string {
	b.t.Helper()
	dir, err := programs()
	if err != nil {
		b.t.Fatal(err)
	}
	return filepath.Join(dir, name)
}

// stop is SIGTERM, and waits for the end.
func (i *instance) stop(patience time.Duration) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.process.Stop(patience)
}

// uploaded gives n jobs of high priority that nobody has been told of.
func (b *backends) uploaded(client *http.Client, n int) []string {
	b.t.Helper()
	if b.ingest == nil {
		b.ingest = b.function("upload-ingest")
	}
	pdf := generated(b.t, fixture.Options{Kind: timetable.Test, Seed: 1, Modules: 1}).pdf
	jobs := make([]string, n)
	for i := range jobs {
		got, err := upload(b.t.Context(), client, b.ingest.url, pdf)
		if err != nil || got.StatusCode != http.StatusAccepted {
			b.t.Fatalf("upload: %v, %v %.300s", err, got.Response, got.body)
		}
		var told struct{ JobID string }
		got.into(b.t, &told)
		jobs[i] = told.JobID
	}
	return jobs
}

// upload waits for nothing.
func upload(ctx context.Context, client *http.Client, address string, pdf []byte) (answer, error) {
	contentType, body := form(pdf, "priority", "high")
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address+"/api/upload", body)
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("Prefer", "wait=0")
	request.Header.Set("Priority-Token", priorityToken)
	return send(client, request)
}

// deliver tells of a job, as the object store does, and gives the status of the answer.
func deliver(ctx context.Context, to, job string) (int, error) {
	note, err := json.Marshal(notification(job))
	if err != nil {
		return 0, err
	}
	note = bytes.ReplaceAll(note, []byte("%2Fnormal%2F"), []byte("%2Fhigh%2F"))
	note = bytes.ReplaceAll(note, []byte(`"sequencer":`), []byte(`"userMetadata":{"X-Amz-Meta-Priority":"high"},"sequencer":`))
	return ask(ctx, http.MethodPost, to, string(note), "Authorization", "Bearer "+eventToken, "Content-Type", "application/json")
}

// ask sends a request, its headers as names and values, and gives the status of the answer.
func ask(ctx context.Context, method, address, body string, headers ...string) (int, error) {
	request, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	got, err := send(http.DefaultClient, request)
	if err != nil {
		return 0, err
	}
	return got.StatusCode, nil
}

// ownClient is a caller with a session of its own.
func ownClient(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, Timeout: 30 * time.Second}
}

// service is what a manifest of Knative says of a function.
type service struct {
	Spec struct {
		Template struct {
			Spec struct {
				ContainerConcurrency int `yaml:"containerConcurrency"`
				Containers           []struct {
					ReadinessProbe probe `yaml:"readinessProbe"`
				}
			}
		}
	}
}

// probe is one of Kubernetes, with what Knative adds to it.
type probe struct {
	HTTPGet struct {
		Path   string `json:"path"`
		Host   string `json:"host"`
		Port   int    `json:"port"`
		Scheme string `json:"scheme"`
	} `yaml:"httpGet" json:"httpGet"`
	PeriodSeconds    int `yaml:"periodSeconds" json:"periodSeconds"`
	TimeoutSeconds   int `yaml:"timeoutSeconds" json:"timeoutSeconds"`
	FailureThreshold int `yaml:"failureThreshold" json:"failureThreshold"`
	SuccessThreshold int `yaml:"successThreshold" json:"successThreshold"`
}

// onKnative reads what is deployed there: the requests at once, readiness, and the function's settings.
func onKnative(t *testing.T, function string) (concurrency int, ready probe, settings []string) {
	t.Helper()
	var s service
	parseYAML(t, "knative/base/"+function+".yaml", &s)
	delay := regexp.MustCompile(`FUNCTION_DRAIN_DELAY=\S+`).Find(readFile(t, "knative/base/kustomization.yaml"))
	return s.Spec.Template.Spec.ContainerConcurrency, s.Spec.Template.Spec.Containers[0].ReadinessProbe, []string{string(delay)}
}

// onOpenFaaS reads what is deployed there, stack.yml over the image's own, as far as it is of-watchdog's or
// shared/faas': the rest of a cluster is not here.
func onOpenFaaS(t *testing.T, function string) map[string]string {
	t.Helper()
	_, image, found := strings.Cut(string(readFile(t, "deploy/images/openfaas/Dockerfile")), "\nENV ")
	var stack struct {
		Functions map[string]struct{ Environment map[string]string }
	}
	parseYAML(t, "stack.yml", &stack)
	if !found || stack.Functions[function].Environment == nil {
		t.Fatalf("%s is not deployed to OpenFaaS", function)
	}
	image, _, _ = strings.Cut(image, "\nUSER")
	settings := map[string]string{}
	for _, setting := range regexp.MustCompile(`(\w+)=(\S+)`).FindAllStringSubmatch(image, -1) {
		settings[setting[1]] = setting[2]
	}
	for name, value := range stack.Functions[function].Environment {
		if strings.ToLower(name) == name || strings.HasPrefix(name, "FUNCTION_") || name == "OPEN_PATHS" {
			settings[name] = value
		}
	}
	return settings
}

// parseYAML reads the first document of a file of the project.
func parseYAML(t *testing.T, file string, into any) {
	t.Helper()
	if err := yaml.Unmarshal(readFile(t, file), into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// readFile reads a file by its path from the project's folder.
func readFile(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// pairs are settings as a process gets them.
func pairs(settings map[string]string) (all []string) {
	for name, value := range settings {
		all = append(all, fmt.Sprint(name, "=", value))
	}
	return all
}
