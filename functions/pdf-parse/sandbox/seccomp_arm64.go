package sandbox

import "golang.org/x/sys/unix"

const (
	auditArch = unix.AUDIT_ARCH_AARCH64
	lowHalf   = 0 // little-endian
)

// machineRules allow what Go's runtime needs on this architecture alone: nothing.
func machineRules() []rule { return nil }
