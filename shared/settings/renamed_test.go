package settings_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/sethvargo/go-envconfig"

	"github.com/schedgen/schedgen/shared/settings"
)

type window struct {
	Window time.Duration `env:"JOB_METRICS_WINDOW, default=1h"`
}

func TestRenamedSettingsKeepWorking(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		set  map[string]string
		want time.Duration
	}{
		{map[string]string{"JOB_BOOKS": "7m"}, 7 * time.Minute},
		{map[string]string{"JOB_BOOKS": "7m", "JOB_METRICS_WINDOW": "3m"}, 3 * time.Minute},
		{map[string]string{"JOB_BOOKS": "7m", "JOB_METRICS_WINDOW": ""}, 7 * time.Minute},
		{map[string]string{"JOB_BOOKS": ""}, time.Hour},
	} {
		var got window
		if err := settings.ReadFrom(t.Context(), &got, envconfig.MapLookuper(c.set)); err != nil || got.Window != c.want {
			t.Errorf("%v: got %v, %v; want %v", c.set, got.Window, err, c.want)
		}
	}
}

// Not parallel: the settings are the process's environment.
func TestFormerNamesAreWarnedOf(t *testing.T) {
	t.Setenv("JOB_BOOKS", "7m")
	var log bytes.Buffer
	settings.WarnRenamed(slog.New(slog.NewTextHandler(&log, nil)))
	if got := log.String(); strings.Count(got, "WARN") != 1 || !strings.Contains(got, "old=JOB_BOOKS new=JOB_METRICS_WINDOW") {
		t.Errorf("got the log %q, want one warning", got)
	}
}

func TestWebAddresses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"http://a": true, "https://a.example:1/b": true, "": false, "a.example": false, "ftp://a": false, "http:///b": false, "http://a b": false} {
		if got := settings.IsWebAddress(text); got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}
