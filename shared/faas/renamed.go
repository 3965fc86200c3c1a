package faas

import (
	"log/slog"
	"maps"
	"os"
	"slices"
)

// renamed maps the former name of a setting to its name now. Former names work for one version: delete a
// line in the version after the one that added it.
var renamed = map[string]string{
	"CACHE_ENDED":      "JOB_CACHE_TTL",
	"JOB_BOOKS":        "JOB_METRICS_WINDOW",
	"JOB_BOOKS_FAILED": "JOB_METRICS_WINDOW_FAILED",
}

// AdoptRenamedSettings sets each setting that the environment gives only under its former name. Call it before
// the configuration is read, then call warn, which logs a line for each former name that is still set.
func AdoptRenamedSettings() (warn func(*slog.Logger)) { return adopt(renamed) }

func adopt(renamed map[string]string) (warn func(*slog.Logger)) {
	var former []string
	for _, name := range slices.Sorted(maps.Keys(renamed)) {
		value := os.Getenv(name)
		if value == "" {
			continue // set to nothing counts as unset
		}
		former = append(former, name)
		if os.Getenv(renamed[name]) == "" {
			_ = os.Setenv(renamed[name], value) // fails only for names and values that no environment can hold
		}
	}
	return func(log *slog.Logger) {
		for _, name := range former {
			log.Warn("setting renamed: use the new name, the next version does not read the old one", "old", name, "new", renamed[name])
		}
	}
}
