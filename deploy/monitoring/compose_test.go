package monitoring_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const composeDir = "../compose"

// service is what this package looks at in a service of compose.
type service struct {
	Image, User string
	ReadOnly    bool           `yaml:"read_only"`
	CapDrop     []string       `yaml:"cap_drop"`
	SecurityOpt []string       `yaml:"security_opt"`
	Volumes     []any          `yaml:"volumes"`
	Ports       []string       `yaml:"ports"`
	Healthcheck map[string]any `yaml:"healthcheck"`
	Deploy      struct {
		Resources struct{ Limits map[string]string }
	}
}

func services(t *testing.T, file string) map[string]service {
	t.Helper()
	var all struct{ Services map[string]service }
	// The tags of Docker's own are for values that this test does not read.
	text := strings.NewReplacer("!override", "", "!reset", "").Replace(read(t, filepath.Join(composeDir, file)))
	if err := yaml.Unmarshal([]byte(text), &all); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return all.Services
}

// TestMonitoringOfOneServerIsConfined wants of each service what the other files give theirs, and each file that it
// mounts to be there.
func TestMonitoringOfOneServerIsConfined(t *testing.T) {
	t.Parallel()
	for name, s := range services(t, "compose.monitoring.yml") {
		if s.Image == "" { // a change to a service of the other files
			continue
		}
		if _, tag, ok := strings.Cut(s.Image, ":"); !ok || tag == "latest" {
			t.Errorf("%s: image %s has no version", name, s.Image)
		}
		if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Equal(s.SecurityOpt, []string{"no-new-privileges:true"}) ||
			s.User == "" || strings.HasPrefix(s.User, "0") {
			t.Errorf("%s is not confined: %+v", name, s)
		}
		if len(s.Healthcheck) == 0 || s.Deploy.Resources.Limits["cpus"] == "" || s.Deploy.Resources.Limits["memory"] == "" {
			t.Errorf("%s lacks a health check or limits", name)
		}
		for _, port := range s.Ports {
			if !strings.HasPrefix(port, "127.0.0.1:") {
				t.Errorf("%s publishes %s to other machines", name, port)
			}
		}
		for _, volume := range s.Volumes {
			source, _, _ := strings.Cut(fmt.Sprint(volume), ":")
			if _, err := os.Stat(filepath.Join(composeDir, source)); strings.HasPrefix(source, ".") && err != nil {
				t.Errorf("%s mounts what is not there: %v", name, err)
			}
		}
	}
}

// TestWhatPrometheusAsksIsThere wants each address in its configuration to be a service of compose, and Grafana to ask it.
func TestWhatPrometheusAsksIsThere(t *testing.T) {
	t.Parallel()
	all := services(t, "compose.yml")
	for name, s := range services(t, "compose.monitoring.yml") {
		all[name] = s
	}
	var config struct {
		ScrapeConfigs []struct {
			JobName       string                       `yaml:"job_name"`
			StaticConfigs []struct{ Targets []string } `yaml:"static_configs"`
			DNS           []struct{ Names []string }   `yaml:"dns_sd_configs"`
		} `yaml:"scrape_configs"`
	}
	if err := yaml.Unmarshal([]byte(read(t, "prometheus/compose.yml")), &config); err != nil {
		t.Fatal(err)
	}
	asked := 0
	for _, job := range config.ScrapeConfigs {
		var hosts []string
		for _, c := range job.StaticConfigs {
			for _, target := range c.Targets {
				host, _, err := net.SplitHostPort(target)
				if err != nil {
					t.Errorf("%s: %v", job.JobName, err)
				}
				hosts = append(hosts, host)
			}
		}
		for _, c := range job.DNS {
			hosts = append(hosts, c.Names...)
		}
		for _, host := range hosts {
			asked++
			if _, ok := all[host]; !ok && host != "localhost" {
				t.Errorf("%s asks %s, which is no service", job.JobName, host)
			}
		}
	}
	if asked < 10 {
		t.Errorf("%d addresses are asked, want those of all services", asked)
	}
	if !strings.Contains(read(t, "grafana/provisioning/datasources/prometheus.yml"), "url: http://prometheus:9090") {
		t.Error("Grafana does not ask Prometheus")
	}
}
