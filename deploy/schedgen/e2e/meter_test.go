package e2e_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// What no single request or file may cost in the function that takes it.
const (
	costMemory  = 64 << 20 // bytes above the idle process
	costSeconds = 10.0     // of processor time
	costStored  = 1 << 20  // bytes of text in the database
)

// cost is what a request took.
type cost struct {
	memory, stored int64
	seconds        float64
}

// over says which bounds it exceeds.
func (c cost) over() string {
	var all []string
	if c.memory > costMemory {
		all = append(all, mebibytes(c.memory)+" above idle")
	}
	if c.seconds > costSeconds {
		all = append(all, fmt.Sprintf("%.1f s of the processor", c.seconds))
	}
	if c.stored > costStored {
		all = append(all, fmt.Sprintf("%d bytes stored", c.stored))
	}
	return strings.Join(all, ", ")
}

// pid is the function's own process, in a container or not.
func (i *instance) pid() string {
	if containersWanted() {
		return task(i.t, i.id())
	}
	i.mu.Lock() // it is another process after each start
	defer i.mu.Unlock()
	return strconv.Itoa(i.process.Pid())
}

// meter measures a function's own process, without its children.
type meter struct {
	t    *testing.T
	pid  string
	idle int64
	cpu  float64
}

// newMeter measures from now on.
func newMeter(t *testing.T, pid string) *meter {
	t.Helper()
	m := &meter{t: t, pid: pid}
	m.reset()
	m.idle = highest(t, pid)
	return m
}

// reset begins the next measurement; what is idle stays.
func (m *meter) reset() {
	m.t.Helper()
	// 5 sets the peak back to what there is now (proc_pid_clear_refs(5)).
	if err := os.WriteFile(filepath.Join("/proc", m.pid, "clear_refs"), []byte("5"), 0); err != nil {
		m.t.Fatal(err)
	}
	m.cpu = processorTime(m.t, m.pid)
}

// left is how much memory the process still has, above idle.
func (m *meter) left() int64 {
	m.t.Helper()
	m.reset()
	return highest(m.t, m.pid) - m.idle
}

// spent is what the process took since.
func (m *meter) spent() cost {
	m.t.Helper()
	return cost{memory: highest(m.t, m.pid) - m.idle, seconds: processorTime(m.t, m.pid) - m.cpu}
}

// processorTime is how long a process has worked, in seconds.
func processorTime(t *testing.T, pid string) float64 {
	t.Helper()
	stat, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(after)
	const ticks = 100 // a second, on every machine that Linux runs on today (sysconf(3), _SC_CLK_TCK)
	user, err1 := strconv.ParseFloat(fields[11], 64)
	system, err2 := strconv.ParseFloat(fields[12], 64)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return (user + system) / ticks
}
