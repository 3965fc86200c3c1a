package e2e_test

import (
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
	stat, err := statOf(pid)
	if err != nil {
		t.Fatal(err)
	}
	return stat.seconds
}

// processStat is what a process uses (proc_pid_stat(5)).
type processStat struct {
	seconds   float64 // of the processors
	ended     float64 // the same, of its children that have ended
	mebibytes float64 // resident
}

// userHZ is how many ticks are a second, on every machine that Linux runs on today (sysconf(3), _SC_CLK_TCK).
const userHZ = 100

func statOf(pid string) (processStat, error) {
	text, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	if err != nil {
		return processStat{}, err
	}
	_, after, _ := strings.Cut(string(text), ") ") // what is before is the program's name
	fields := strings.Fields(after)
	if len(fields) < 22 {
		return processStat{}, fmt.Errorf("the process %s: %q", pid, text)
	}
	numbers := make([]float64, 5)
	for i, field := range []string{fields[11], fields[12], fields[13], fields[14], fields[21]} {
		if numbers[i], err = strconv.ParseFloat(field, 64); err != nil {
			return processStat{}, fmt.Errorf("the process %s: %w", pid, err)
		}
	}
	return processStat{
		seconds: (numbers[0] + numbers[1]) / userHZ, ended: (numbers[2] + numbers[3]) / userHZ,
		mebibytes: numbers[4] * float64(os.Getpagesize()) / (1 << 20),
	}, nil
}

// usedBy is what a process and its children use together, and what those used that have ended: a PDF is read in a child.
// It is nothing of a process that has gone.
func usedBy(pid string) (seconds, mebibytes float64) {
	stat, err := statOf(pid)
	if err != nil {
		return 0, 0
	}
	seconds, mebibytes = stat.seconds+stat.ended, stat.mebibytes
	for _, child := range childrenOf(pid) {
		s, m := usedBy(child)
		seconds, mebibytes = seconds+s, mebibytes+m
	}
	return seconds, mebibytes
}

// childrenOf are the children of a process's threads that are alive.
func childrenOf(pid string) []string {
	var children []string
	threads, _ := filepath.Glob(filepath.Join("/proc", pid, "task", "*", "children")) // the pattern is none of a caller's
	for _, thread := range threads {
		if list, err := os.ReadFile(thread); err == nil { // a thread may have ended
			children = append(children, strings.Fields(string(list))...)
		}
	}
	return children
}
