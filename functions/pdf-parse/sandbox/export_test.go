package sandbox

import (
	"bytes"
	"os"
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

// ServeOrDie does what the child does, but a system call that the filter refuses ends the process.
func ServeOrDie() error {
	limits := settings.WithDefaults(Limits{})
	if err := confine(controls[:len(controls)-1], limits); err != nil { // seccomp is the last
		return err
	}
	if err := load(kill); err != nil {
		return err
	}
	return serve(os.Stdin, os.Stdout)
}

// Frames are documents as a reader gets them, to be parsed.
func Frames(pdfs ...[]byte) ([]byte, error) {
	var all bytes.Buffer
	for i, pdf := range pdfs {
		if err := sendDocument(&all, uint64(i+1), taskParse, bytes.NewReader(pdf)); err != nil {
			return nil, err
		}
	}
	return all.Bytes(), nil
}

// CloseFilesOnExec and Command are how the parent starts the child.
var (
	CloseFilesOnExec = closeFilesOnExec
	Command          = command
)

// Pids are the readers that wait.
func (rs *Readers) Pids() (pids []int) { return rs.pids(func(*reader) bool { return true }) }

// Used are those of them that have read something.
func (rs *Readers) Used() []int { return rs.pids(func(r *reader) bool { return r.documents > 0 }) }

func (rs *Readers) pids(of func(*reader) bool) (pids []int) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for _, r := range rs.idle {
		if of(r) {
			pids = append(pids, r.cmd.Process.Pid)
		}
	}
	return pids
}

// SetGrowth sets what no setting can: less than nothing.
func (rs *Readers) SetGrowth(growth int64) { rs.stay.Growth = growth }
