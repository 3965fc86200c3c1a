package faas

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"
)

// Not parallel: the settings are the process's environment.
func TestRenamedSettingsKeepWorking(t *testing.T) {
	for _, name := range []string{"TOY_NEW", "TOY_SET"} {
		t.Setenv(name, "") // Setenv restores it after the test
		os.Unsetenv(name)
	}
	t.Setenv("TOY_OLD", "1h")
	t.Setenv("TOY_OTHER_OLD", "2h")
	t.Setenv("TOY_SET", "3h")
	t.Setenv("TOY_EMPTY", "") // as unset
	t.Setenv("TOY_EMPTY_OLD", "4h")
	t.Setenv("TOY_NOTHING_OLD", "")
	var log bytes.Buffer
	warn := adopt(map[string]string{"TOY_OLD": "TOY_NEW", "TOY_OTHER_OLD": "TOY_SET", "TOY_EMPTY_OLD": "TOY_EMPTY",
		"TOY_NOTHING_OLD": "TOY_ALSO_ABSENT", "TOY_ABSENT": "TOY_ALSO_ABSENT"})
	warn(Logger(&log, slog.LevelInfo))
	for name, want := range map[string]string{"TOY_NEW": "1h", "TOY_SET": "3h", "TOY_EMPTY": "4h"} {
		if got := os.Getenv(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if _, given := os.LookupEnv("TOY_ALSO_ABSENT"); given {
		t.Error("a setting that nobody gave was set")
	}
	if got := log.String(); strings.Count(got, `"level":"WARN"`) != 3 || !strings.Contains(got, `"old":"TOY_OLD","new":"TOY_NEW"`) {
		t.Errorf("got the log %s, want a warning for each of the three former names", got)
	}
}

// Not parallel: the settings are the process's environment.
func TestAFunctionReadsRenamedSettings(t *testing.T) {
	t.Setenv("JOB_METRICS_WINDOW", "")
	os.Unsetenv("JOB_METRICS_WINDOW")
	t.Setenv("JOB_BOOKS", "7m")
	var log bytes.Buffer
	stop := errors.New("stop")
	err := run(t.Context(), "toy", func(context.Context) (Function, error) { return nil, stop }, &log)
	if got := os.Getenv("JOB_METRICS_WINDOW"); !errors.Is(err, stop) || got != "7m" || !strings.Contains(log.String(), "JOB_BOOKS") {
		t.Errorf("got %v, %q and the log %s; want 7m and a warning", err, got, log.String())
	}
}
