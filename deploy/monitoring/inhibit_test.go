package monitoring_test

import (
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// inhibition is one of Alertmanager's rules by which an alert that fires keeps another from being told.
type inhibition struct {
	Source []string `yaml:"source_matchers"`
	Target []string `yaml:"target_matchers"`
	Equal  []string
}

func (r inhibition) applies(t *testing.T, source, target map[string]string) bool {
	t.Helper()
	for _, name := range r.Equal {
		if source[name] != target[name] {
			return false
		}
	}
	return matches(t, r.Source, source) && matches(t, r.Target, target)
}

// matcher is one of Alertmanager's, such as `severity = critical` or `alertname =~ "A|B"`.
var matcher = regexp.MustCompile(`^(\w+) *(=~?) *"?([^"]*)"?$`)

func matches(t *testing.T, matchers []string, labels map[string]string) bool {
	t.Helper()
	for _, m := range matchers {
		part := matcher.FindStringSubmatch(m)
		if part == nil {
			t.Fatalf("a matcher of a form that this test does not know: %s", m)
		}
		want := regexp.QuoteMeta(part[3])
		if part[2] == "=~" {
			want = part[3]
		}
		if !regexp.MustCompile("^(?:" + want + ")$").MatchString(labels[part[1]]) {
			return false
		}
	}
	return true
}

func TestAnAlertHidesOnlyWhatItExplains(t *testing.T) {
	t.Parallel()
	var config struct {
		Rules []inhibition `yaml:"inhibit_rules"`
	}
	if err := yaml.Unmarshal([]byte(read(t, "alertmanager/alertmanager.yml")), &config); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		source, target string
		hidden         bool
	}{
		{"QueueLong critical", "QueueLong warning", true},
		{"QueueLong critical", "JobsWaitLong warning", false},
		{"HostDiskFull critical instance=a mountpoint=/", "HostDiskFull warning instance=a mountpoint=/", true},
		{"HostDiskFull critical instance=a mountpoint=/", "HostDiskFull warning instance=a mountpoint=/data", false},
		{"HostDiskFull critical instance=a mountpoint=/", "HostDiskFull warning instance=b mountpoint=/", false},
		{"CertificateExpires critical sans=a.example.org", "CertificateExpires warning sans=b.example.org", false},
		{"DatabaseConnectionsHigh critical instance=postgres:9187", "DatabaseConnectionsHigh warning function=pdf-parse instance=a", false},
		{"DatabaseUnavailable critical", "RequestsFail critical function=google-sync", true},
		{"DatabaseUnavailable critical", "RequestsFail critical function=google-sync system=other", false},
		{"DatabaseUnavailable critical", "UploadErrorBudgetBurns critical", true},
		{"DatabaseUnavailable critical", "BackupMissing critical", false},
		{"StorageUnavailable critical", "RequestsFail critical function=upload-ingest", true},
		{"StorageUnavailable critical", "RequestsFail critical function=google-sync", false},
		{"StorageUnavailable critical", "UploadErrorBudgetBurns warning", true},
	} {
		hidden := false
		for _, r := range config.Rules {
			hidden = hidden || r.applies(t, alert(c.source), alert(c.target))
		}
		if hidden != c.hidden {
			t.Errorf("%s hides %s: got %v, want %v", c.source, c.target, hidden, c.hidden)
		}
	}
}

// alert is the labels of an alert: its name, its severity and others.
func alert(text string) map[string]string {
	fields := strings.Fields(text)
	labels := map[string]string{"system": "schedgen", "alertname": fields[0], "severity": fields[1]}
	for _, f := range fields[2:] {
		name, value, _ := strings.Cut(f, "=")
		labels[name] = value
	}
	return labels
}
