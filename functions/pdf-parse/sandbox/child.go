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
	"time"

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
	limits, err := childLimits()
	if err != nil {
		fail(err)
	}
	if err := confine(controls, limits); err != nil {
		fail(err)
	}
	debug.SetMemoryLimit(limits.Memory / 4 * 3)
	debug.SetMaxStack(int(limits.Memory / 8))
	go endWithCPU()
	if err := answer(task); err != nil {
		var e *parse.Error
		if !errors.As(err, &e) {
			fail(err)
		}
		report(e)
	}
	os.Exit(0)
}

// childLimits are the limits that the parent gave.
func childLimits() (Limits, error) {
	memory, err := strconv.ParseInt(os.Getenv(memoryEnv), 10, 64)
	if err != nil {
		return Limits{}, fmt.Errorf("sandbox memory limit: %w", err)
	}
	cpu, err := strconv.Atoi(os.Getenv(cpuEnv))
	if err != nil {
		return Limits{}, fmt.Errorf("sandbox CPU limit: %w", err)
	}
	return Limits{Memory: memory, CPU: time.Duration(cpu) * time.Second}, nil
}

// fail ends the child for a reason that is not the file's.
func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// refused is the exit status that says: the error is the file's, and is told on standard error.
const refused = 3

// report tells the parent an error of the file, as JSON on standard error, and ends the child.
func report(e *parse.Error) {
	_ = json.NewEncoder(os.Stderr).Encode(e) // a parent that is gone needs no answer
	os.Exit(refused)
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
	time.Local = time.UTC // the zone of the machine is in a file, and says nothing about a timetable
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
