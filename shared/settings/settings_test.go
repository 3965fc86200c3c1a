package settings_test

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/sethvargo/go-envconfig"

	"github.com/schedgen/schedgen/shared/secret"
	"github.com/schedgen/schedgen/shared/settings"
)

type server struct {
	URL     string        `env:"URL, required"`
	Region  string        `env:"REGION, default=us-east-1"`
	Timeout time.Duration `env:"TIMEOUT, default=30s"`
}

type config struct {
	Server    server
	Second    server        `env:", prefix=SECOND_"`
	Batch     int           `env:"BATCH, default=200"`
	Retention time.Duration `env:"RETENTION, default=24h" zero:"allowed"`
	Secure    bool          `env:"SECURE, default=true"`
	Level     slog.Level    `env:"LEVEL, overwrite, default=info"`
	Names     []string      `env:"NAMES"`
	Now       func() time.Time
}

func ExampleWithDefaults() {
	cfg := settings.WithDefaults(config{Batch: 10, Server: server{URL: "http://s3"}})
	fmt.Println(cfg.Batch, cfg.Server.Timeout, cfg.Retention, cfg.Secure)
	// Output: 10 30s 0s false
}

func ExampleReadFrom() {
	var cfg config
	err := settings.ReadFrom(context.Background(), &cfg, envconfig.MapLookuper(map[string]string{
		"URL": "http://s3", "SECOND_URL": "http://offsite", "SECOND_REGION": "af-south-1", "RETENTION": "0"}))
	fmt.Println(cfg.Server.Region, cfg.Second.Region, cfg.Retention, cfg.Secure, err)
	// Output: us-east-1 af-south-1 0s true <nil>
}

func TestWithDefaultsKeepsEveryChoice(t *testing.T) {
	t.Parallel()
	got := settings.WithDefaults(config{Batch: -1, Level: slog.LevelDebug, Names: []string{"a"}, Second: server{Timeout: time.Second, Region: "x"}})
	if got.Batch != 200 || got.Level != slog.LevelDebug || got.Secure || got.Retention != 0 || len(got.Names) != 1 ||
		got.Second != (server{Timeout: time.Second, Region: "x"}) || got.Server != (server{Timeout: 30 * time.Second, Region: "us-east-1"}) {
		t.Errorf("got %+v", got)
	}
}

func TestAVariableSetToNothingCountsAsUnset(t *testing.T) {
	t.Parallel()
	var cfg config
	err := settings.ReadFrom(t.Context(), &cfg, envconfig.MapLookuper(map[string]string{"URL": "a", "SECOND_URL": "b", "RETENTION": "", "SECURE": ""}))
	if err != nil || cfg.Retention != 24*time.Hour || !cfg.Secure {
		t.Errorf("got %+v, %v", cfg, err)
	}
	if err := settings.ReadFrom(t.Context(), &cfg, envconfig.MapLookuper(nil)); err != nil {
		t.Errorf("what has a value already needs none: got %v", err)
	}
	if err := settings.ReadFrom(t.Context(), new(config), envconfig.MapLookuper(map[string]string{"URL": ""})); err == nil || !strings.Contains(err.Error(), "URL") {
		t.Errorf("a required one: got %v", err)
	}
}

func TestASettingMayBeASecret(t *testing.T) {
	t.Parallel()
	type secrets struct {
		URL  secret.String   `env:"URL, required"`
		Key  secret.String   `env:"KEY"`
		Keys []secret.String `env:"KEYS"`
	}
	given := secrets{secret.New("a"), secret.New("b"), secret.List("c", "d")}
	if got := settings.WithDefaults(given); !reflect.DeepEqual(got, given) {
		t.Errorf("WithDefaults: got %q, %q and %q", got.URL.Reveal(), got.Key.Reveal(), got.Keys)
	}
	if got := settings.WithDefaults(secrets{}); got.URL != (secret.String{}) || got.Key != (secret.String{}) || got.Keys != nil {
		t.Errorf("WithDefaults of nothing: got %+v", got)
	}
	var read secrets
	err := settings.ReadFrom(t.Context(), &read, envconfig.MapLookuper(map[string]string{"URL": "a", "KEY": "b", "KEYS": "c,d"}))
	if err != nil || !reflect.DeepEqual(read, given) {
		t.Errorf("ReadFrom: got %q, %q and %q; %v", read.URL.Reveal(), read.Key.Reveal(), read.Keys, err)
	}
	if err := settings.ReadFrom(t.Context(), new(secrets), envconfig.MapLookuper(nil)); err == nil || !strings.Contains(err.Error(), "URL") {
		t.Errorf("without what is required: got %v", err)
	}
}

// pair is a setting of two numbers.
type pair struct{ a, b string }

func (p *pair) UnmarshalText(text []byte) error {
	p.a, p.b, _ = strings.Cut(string(text), "/")
	return nil
}

func TestASettingMayBeAStruct(t *testing.T) {
	t.Parallel()
	type pairs struct {
		One pair `env:"ONE, default=1/2"`
		Two pair `env:"TWO, default=3/4"`
	}
	want := pairs{pair{"8", "9"}, pair{"3", "4"}}
	if got := settings.WithDefaults(pairs{One: pair{"8", "9"}}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	var read pairs
	if err := settings.ReadFrom(t.Context(), &read, envconfig.MapLookuper(map[string]string{"ONE": "8/9", "TWO": ""})); err != nil || read != want {
		t.Errorf("got %v, %v; want %v", read, err, want)
	}
}
