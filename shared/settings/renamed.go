package settings

import (
	"log/slog"
	"maps"
	"os"
	"slices"
)

// renamed maps a setting's name to its former one. Former names work for one version: delete a line in the version
// after the one that added it.
var renamed = map[string]string{
	"JOB_CACHE_TTL":             "CACHE_ENDED",
	"JOB_METRICS_WINDOW":        "JOB_BOOKS",
	"JOB_METRICS_WINDOW_FAILED": "JOB_BOOKS_FAILED",
}

// WarnRenamed logs a line for each former name that the environment still sets. [ReadFrom] reads them.
func WarnRenamed(log *slog.Logger) {
	for _, name := range slices.Sorted(maps.Keys(renamed)) {
		if former := renamed[name]; os.Getenv(former) != "" {
			log.Warn("setting renamed: use the new name, the next version does not read the old one", "old", former, "new", name)
		}
	}
}
