package faas

import (
	"runtime/debug"
	"strings"
	"sync"
)

// What an image build sets with -ldflags -X. Without it, what the Go tool stamped is told: images are
// built without it, for the state of a checkout must not change a binary.
var version, commit string

// BuildInfo says which build a program is.
type BuildInfo struct {
	Version string
	Commit  string // empty where nobody knows
}

// String is both in a line.
func (b BuildInfo) String() string { return strings.TrimSpace(b.Version + " " + b.Commit) }

// Build is this program's.
var Build = sync.OnceValue(func() BuildInfo {
	b := BuildInfo{Version: version, Commit: commit}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b.orDevelopment()
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" && b.Commit == "" {
			b.Commit = setting.Value
		}
	}
	if b.Version == "" && info.Main.Version != "(devel)" {
		b.Version = info.Main.Version
	}
	return b.orDevelopment()
})

func (b BuildInfo) orDevelopment() BuildInfo {
	if b.Version == "" {
		b.Version = "development"
	}
	return b
}
