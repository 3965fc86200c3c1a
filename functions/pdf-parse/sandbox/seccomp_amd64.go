package sandbox

import "golang.org/x/sys/unix"

const (
	auditArch = unix.AUDIT_ARCH_X86_64
	lowHalf   = 0 // little-endian
)

// archSetFS is arch_prctl(2)'s code to set the FS register, where a thread keeps what is its own.
const archSetFS = 0x1002

// machineRules allow what Go's runtime needs on this architecture alone.
func machineRules() []rule {
	return []rule{{unix.SYS_ARCH_PRCTL, equal(0, archSetFS)}}
}
