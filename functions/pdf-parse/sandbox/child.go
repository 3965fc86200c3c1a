package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"syscall"

	"github.com/schedgen/schedgen/functions/pdf-parse/extract"
	"github.com/schedgen/schedgen/functions/pdf-parse/parse"
)

// How the parent tells the child what it is.
const (
	childEnv  = "SCHEDGEN_SANDBOX"
	memoryEnv = "SCHEDGEN_SANDBOX_MEMORY"
	cpuEnv    = "SCHEDGEN_SANDBOX_CPU"

	taskParse = "parse"
	taskDraw  = "draw"
)

// MaybeChild returns at once in every process but the child, where it reads the PDF from standard
// input, answers on standard output and never returns.
func MaybeChild() {
	task := os.Getenv(childEnv)
	if task == "" {
		return
	}
	if err := confine(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := answer(task); err != nil {
		var e *parse.Error
		if !errors.As(err, &e) {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		report(e)
	}
	os.Exit(0)
}

// refused is the exit status that says: the error is the file's, and is told on standard error.
const refused = 3

// report tells the parent an error of the file, as JSON on standard error, and ends the child.
func report(e *parse.Error) {
	_ = json.NewEncoder(os.Stderr).Encode(e) // a parent that is gone needs no answer
	os.Exit(refused)
}

// confine sets the limits that the kernel enforces. RLIMIT_DATA counts private writable memory
// (getrlimit(2), Linux 4.7 and later); the address space that Go reserves ahead does not count.
func confine() error {
	memory, err := strconv.ParseUint(os.Getenv(memoryEnv), 10, 64)
	if err != nil {
		return fmt.Errorf("sandbox memory limit: %w", err)
	}
	cpu, err := strconv.ParseUint(os.Getenv(cpuEnv), 10, 64)
	if err != nil {
		return fmt.Errorf("sandbox CPU limit: %w", err)
	}
	for _, limit := range []struct {
		resource int
		value    uint64
		grace    uint64
	}{{syscall.RLIMIT_DATA, memory, 0}, {syscall.RLIMIT_CPU, cpu, 1}, {syscall.RLIMIT_CORE, 0, 0}, {syscall.RLIMIT_FSIZE, 0, 0}} {
		if err := syscall.Setrlimit(limit.resource, &syscall.Rlimit{Cur: limit.value, Max: limit.value + limit.grace}); err != nil {
			return fmt.Errorf("set resource limit %d: %w", limit.resource, err)
		}
	}
	go endWithCPU()
	debug.SetMemoryLimit(int64(memory) / 4 * 3)
	debug.SetMaxStack(int(memory / 8))
	return nil
}

// endWithCPU ends the child when its CPU time is spent. If it cannot, the kernel kills it a second later.
func endWithCPU() {
	spent := make(chan os.Signal, 1)
	signal.Notify(spent, syscall.SIGXCPU)
	<-spent
	report(parse.New(parse.TooComplex))
}

// answer does the task. A panic of the reader is the file's fault, not ours to crash on.
func answer(task string) (err error) {
	defer func() {
		if recover() != nil {
			err = parse.New(parse.Damaged)
		}
	}()
	pdf, err := io.ReadAll(io.LimitReader(os.Stdin, extract.MaxBytes+1))
	if err != nil {
		return fmt.Errorf("read the PDF: %w", err)
	}
	if task == taskDraw {
		return parse.Draw(os.Stdout, pdf)
	}
	doc, err := parse.Parse(pdf)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(doc)
}
