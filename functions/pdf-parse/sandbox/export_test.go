package sandbox

import (
	"slices"

	"golang.org/x/net/bpf"

	"github.com/schedgen/schedgen/shared/settings"
)

// Filter is the seccomp filter as the kernel gets it.
func Filter(pid uint32) []bpf.Instruction { return filter(pid, refuse) }

// AuditArch is the architecture of the filter.
const AuditArch = auditArch

// Confine puts the named controls in force, and no other: this is how a test takes one out.
func Confine(limits Limits, names ...string) error {
	var chosen []control
	for _, c := range controls {
		if slices.Contains(names, c.name) {
			chosen = append(chosen, c)
		}
	}
	return confine(chosen, limits)
}

// AnswerOrDie does what the child does, but a system call that the filter refuses ends the process.
func AnswerOrDie(task string) error {
	limits := settings.WithDefaults(Limits{})
	if err := confine(controls[:len(controls)-1], limits); err != nil { // seccomp is the last
		return err
	}
	if err := load(kill); err != nil {
		return err
	}
	return answer(task)
}

// CloseFilesOnExec and Command are how the parent starts the child.
var (
	CloseFilesOnExec = closeFilesOnExec
	Command          = command
)
