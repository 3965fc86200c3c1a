package stack

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"testing"

	"github.com/sethvargo/go-envconfig"

	"github.com/schedgen/schedgen/functions/backup"
	calendargenerate "github.com/schedgen/schedgen/functions/calendar-generate"
	googlesync "github.com/schedgen/schedgen/functions/google-sync"
	pdfparse "github.com/schedgen/schedgen/functions/pdf-parse"
	uploadingest "github.com/schedgen/schedgen/functions/upload-ingest"
	"github.com/schedgen/schedgen/shared/faas"
	"github.com/schedgen/schedgen/shared/secret"
	"github.com/schedgen/schedgen/shared/settings"
)

// canary is part of each secret of this test.
const canary = "hunter2hunter2hunter2hunter2hunt" // 32 bytes, as keys want

// environment sets every secret that a function reads.
func environment() map[string]string {
	key := base64.StdEncoding.EncodeToString([]byte(canary))
	return map[string]string{
		"DATABASE_URL": "postgres://u:" + canary + "@127.0.0.1:1/x", "BACKUP_SCRATCH_URL": "postgres://u:" + canary + "@127.0.0.1:1/y",
		"REDIS_URL": "redis://:" + canary + "@127.0.0.1:1/0", "S3_URL": "http://127.0.0.1:1", "S3_ACCESS_KEY": "user", "S3_SECRET_KEY": canary,
		"BACKUP_S3_URL": "http://127.0.0.1:2", "BACKUP_S3_ACCESS_KEY": "user", "BACKUP_S3_SECRET_KEY": canary,
		"SESSION_KEY": canary, "EVENT_TOKEN": canary, "ADMIN_TOKEN": canary, "PRIORITY_TOKEN": canary, "BACKUP_SIGNING_KEY": key,
		"GOOGLE_CLIENT_ID": "id", "GOOGLE_CLIENT_SECRET": canary, "GOOGLE_TOKEN_KEYS": "k:" + key,
		"ALERT_WEBHOOK_URL": "https://hooks.example.org/" + canary, "ALERT_SMTP_PASSWORD": canary, "OTEL_EXPORTER_OTLP_HEADERS": "authorization=" + canary,
	}
}

// shows is the place where a text shows the canary, as it is or encoded; empty if it does not.
func shows(text string) string {
	for _, form := range []string{canary, "hunter2", base64.StdEncoding.EncodeToString([]byte(canary)), fmt.Sprintf("%x", canary), strings.Trim(fmt.Sprint([]byte(canary)), "[]")} {
		if at := strings.Index(text, form); at >= 0 {
			return text[max(0, at-60):min(len(text), at+len(form)+20)]
		}
	}
	return ""
}

// printed is x as fmt, encoding/json and slog print it.
func printed(x any) string {
	var all bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		fmt.Fprintf(&all, verb+"\n", x)
	}
	encoded, err := json.Marshal(x)
	fmt.Fprintln(&all, string(encoded), err)
	slog.New(slog.NewTextHandler(&all, nil)).Info("configured", "cfg", x)
	slog.New(slog.NewJSONHandler(&all, nil)).Info("configured", "cfg", x)
	return all.String()
}

// readConfig reads a Config, prints it, and returns what New says to it.
func readConfig[C any, F faas.Function](t *testing.T, from map[string]string, build func(context.Context, C) (F, error)) error {
	t.Helper()
	var cfg C
	if err := settings.ReadFrom(t.Context(), &cfg, envconfig.MapLookuper(from)); err != nil {
		return err
	}
	text := printed(cfg)
	if place := shows(text); place != "" || !strings.Contains(text, secret.Stars) {
		t.Errorf("%T: got %q, want stars for secrets", cfg, place)
	}
	fn, err := build(t.Context(), cfg)
	if err != nil {
		return err
	}
	defer fn.Close()
	if place := shows(printed(fn)); place != "" {
		t.Errorf("%T shows a secret: %q", fn, place)
	}
	return nil
}

// builders are the functions that have secrets.
var builders = map[string]func(*testing.T, map[string]string) error{
	"upload-ingest": func(t *testing.T, from map[string]string) error { return readConfig(t, from, uploadingest.New) },
	"pdf-parse":     func(t *testing.T, from map[string]string) error { return readConfig(t, from, pdfparse.New) },
	"calendar":      func(t *testing.T, from map[string]string) error { return readConfig(t, from, calendargenerate.New) },
	"google-sync":   func(t *testing.T, from map[string]string) error { return readConfig(t, from, googlesync.New) },
	"backup":        func(t *testing.T, from map[string]string) error { return readConfig(t, from, backup.New) },
}

func TestNoConfigPrintsASecret(t *testing.T) {
	t.Parallel()
	for name, build := range builders {
		if err := build(t, environment()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	own := Config{Postgres: secret.New("postgres://u:" + canary + "@db/x"), Redis: secret.New(canary), S3: secret.New(canary), Monitoring: &Monitoring{Webhook: secret.New(canary)}}
	known := secrets{SessionKey: secret.New(canary), EventToken: secret.New(canary), AdminToken: secret.New(canary), TokenKey: secret.New(canary), S3Secret: secret.New(canary)}
	for _, x := range []any{own, known, addresses{database: secret.New(canary), redis: secret.New(canary)}} {
		if place := shows(printed(x)); place != "" {
			t.Errorf("%T shows a secret: %q", x, place)
		}
	}
}

// TestNoErrorShowsASecret: what is wrong with a setting is said without the setting.
func TestNoErrorShowsASecret(t *testing.T) {
	t.Parallel()
	wrong := map[string]string{
		"DATABASE_URL": "postgres://u:" + canary + "@host:port/x", "BACKUP_SCRATCH_URL": "mysql://u:" + canary + "@host/x", "REDIS_URL": "redis://:" + canary + "%zz@host",
		"SESSION_KEY": "base64:" + canary + "!", "BACKUP_SIGNING_KEY": canary, "GOOGLE_TOKEN_KEYS": canary, "ALERT_WEBHOOK_URL": "ftp://" + canary,
	}
	for variable, value := range wrong {
		refused := 0
		for name, build := range builders {
			from := maps.Clone(environment())
			from[variable] = value
			err := build(t, from)
			if err == nil {
				continue
			}
			refused++
			if place := shows(printed(err)); place != "" {
				t.Errorf("%s with a wrong %s: %q", name, variable, place)
			}
		}
		if refused == 0 {
			t.Errorf("no function refuses a wrong %s", variable)
		}
	}
}
