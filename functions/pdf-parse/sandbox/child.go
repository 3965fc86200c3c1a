package sandbox

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/schedgen/schedgen/functions/pdf-parse/parse"
)

// How the parent tells the child what it is.
const (
	childEnv  = "SCHEDGEN_SANDBOX"
	memoryEnv = "SCHEDGEN_SANDBOX_MEMORY"
	cpuEnv    = "SCHEDGEN_SANDBOX_CPU"
)

// mayHaveChildren is set by MaybeChild: a program that does not call it would run as itself where a reader is wanted.
var mayHaveChildren atomic.Bool

// MaybeChild returns at once in every process but the child, where it reads PDFs from standard
// input, answers on standard output and never returns.
func MaybeChild() {
	mayHaveChildren.Store(true)
	if os.Getenv(childEnv) == "" {
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
	if err := serve(os.Stdin, os.Stdout); err != nil {
		fail(err)
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

// desk is where a reader answers: one document after the other, each once.
type desk struct {
	mu     sync.Mutex
	out    io.Writer
	number uint64 // of the document that is read
}

// next notes which document is read from now on.
func (d *desk) next(number uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.number = number
}

func (d *desk) send(o outcome, body []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return sendAnswer(d.out, answer{d.number, o, body})
}

// end answers that the document in hand cannot be read, and ends the reader. Nothing is answered after it.
func (d *desk) end(e *parse.Error) {
	d.mu.Lock()
	_ = sendAnswer(d.out, answer{d.number, ending, encodeError(e)}) // a parent that is gone needs no answer
	os.Exit(1)
}

func encodeError(e *parse.Error) []byte {
	body, _ := json.Marshal(e) // two texts
	return body
}

// serve reads documents until there are no more.
func serve(in io.Reader, out io.Writer) error {
	time.Local = time.UTC // the zone of the machine is in a file, and says nothing about a timetable
	d := &desk{out: out}
	go d.endWithCPU()
	if err := d.send(ready, nil); err != nil {
		return fmt.Errorf("say that the reader is ready: %w", err)
	}
	documents := bufio.NewReaderSize(in, maxPart)
	for {
		doc, err := receiveDocument(documents)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the PDF: %w", err)
		}
		d.next(doc.number)
		if err := d.answer(doc); err != nil {
			return err
		}
	}
}

// answer does a document's task. A panic is the file's fault, not ours to crash on, but what it leaves behind cannot be
// trusted with another document.
func (d *desk) answer(doc document) error {
	defer func() {
		if recover() != nil {
			d.end(parse.New(parse.Damaged))
		}
	}()
	body, err := perform(doc)
	var e *parse.Error
	switch {
	case err == nil:
		return d.send(done, body)
	case errors.As(err, &e):
		return d.send(refused, encodeError(e))
	}
	return err
}

func perform(doc document) ([]byte, error) {
	if doc.task == taskDraw {
		var svg bytes.Buffer
		err := parse.Draw(&svg, doc.pdf)
		return svg.Bytes(), err
	}
	read, err := parse.Parse(doc.pdf)
	if err != nil {
		return nil, err
	}
	return json.Marshal(read)
}

// endWithCPU ends the child when the document's CPU time is spent. If it cannot, the kernel kills it later, and its parent
// when the document's time is over.
func (d *desk) endWithCPU() {
	spent := make(chan os.Signal, 1)
	signal.Notify(spent, syscall.SIGXCPU)
	<-spent
	d.end(parse.New(parse.TooComplex))
}
