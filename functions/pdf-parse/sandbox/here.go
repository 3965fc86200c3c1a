package sandbox

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"runtime/metrics"
	"syscall"
	"time"

	"github.com/schedgen/schedgen/functions/pdf-parse/parse"
	"github.com/schedgen/schedgen/shared/settings"
	"github.com/schedgen/schedgen/shared/timetable"
)

// ParseHere gives the timetable that a PDF prints, read in this process, which it confines first and for good: afterwards
// the process can do little but write to what it has open, and end. It is for a program that reads one file and prints
// it, where starting a second process takes longer than reading. Its errors are those of Parse.
//
// A reading that takes more than the limits allow gives an error and goes on until the program ends, which is to be at
// once. Only if it took half a gigabyte more between two looks at its memory would the kernel refuse it, and Go's runtime end
// the process with words of its own.
func ParseHere(ctx context.Context, pdf []byte, limits Limits) (timetable.Document, error) {
	limits = settings.WithDefaults(limits)
	spent := make(chan os.Signal, 1)
	signal.Notify(spent, syscall.SIGXCPU)
	if err := confine(controlsHere, limits); err != nil {
		return timetable.Document{}, err
	}
	debug.SetGCPercent(400) // a timetable is read before the first collection is due
	debug.SetMemoryLimit(limits.Memory / 4 * 3)
	ctx, cancel := context.WithTimeoutCause(ctx, limits.Wall, parse.New(parse.TooComplex))
	defer cancel()
	read := make(chan result, 1)
	go func() { read <- parseHere(pdf) }()
	look := time.NewTicker(betweenLooks)
	defer look.Stop()
	for {
		select {
		case r := <-read:
			return r.doc, r.err
		case <-spent:
			return timetable.Document{}, parse.New(parse.TooComplex)
		case <-ctx.Done():
			return timetable.Document{}, context.Cause(ctx)
		case <-look.C:
			if memoryHere() > limits.Memory {
				return timetable.Document{}, parse.New(parse.TooComplex)
			}
		}
	}
}

// betweenLooks is how often the memory of a reading is looked at.
const betweenLooks = 2 * time.Millisecond

// result is what a reading gave.
type result struct {
	doc timetable.Document
	err error
}

// parseHere turns a panic, which is the file's fault, into its error.
func parseHere(pdf []byte) (r result) {
	defer func() {
		if recover() != nil {
			r = result{err: parse.New(parse.Damaged)}
		}
	}()
	doc, err := parse.Parse(pdf)
	return result{doc, err}
}

// memoryHere is what Go's runtime has of the kernel, in bytes, stacks included.
func memoryHere() int64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return int64(samples[0].Value.Uint64() - samples[1].Value.Uint64())
}

// controlsHere are those of a process that confines itself after its start: its limits leave room for a clear end, and for
// what it prints into a file.
var controlsHere = append([]control{{"limits", nil, limitResourcesHere}}, controls[1:]...)

func limitResourcesHere(limits Limits) error {
	const room = 512 << 20 // taking so much takes far longer than the time between two looks
	return limitUse(uint64(limits.Memory)+room, limits)
}
