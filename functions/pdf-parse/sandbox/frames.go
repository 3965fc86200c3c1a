package sandbox

import (
	"bufio"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/schedgen/schedgen/functions/pdf-parse/extract"
)

// A parent and its reader speak over two pipes. A document's number is eight bytes, a length four, the highest first.
//
//	to the reader: the document's number, its task (one byte), then parts, each its length and its bytes; an empty part ends it
//	to the parent: the document's number, the outcome (one byte), the length of the answer, the answer
//
// Each side bounds what it takes, whatever a length says. Numbers are random, and an answer with another number than the
// document's is none: what a document leaves behind cannot know the number of the next, so it is never taken for its answer.

// headerSize is that of what comes before the first length: a number and a byte.
const headerSize = 8 + 1

// newNumber is a number that nobody can guess. It is 0, as that of no document, less often than anything happens.
func newNumber() uint64 {
	var number [8]byte
	_, _ = rand.Read(number[:]) // never fails, as it is documented
	return binary.BigEndian.Uint64(number[:])
}

// task is what a reader does with a document.
type task byte

const (
	taskParse task = iota + 1
	taskDraw
)

// outcome is how an answer is meant.
type outcome byte

const (
	ready   outcome = iota + 1 // of no document: the reader is confined and waits
	done                       // the answer is what the task gives
	refused                    // the answer is a parse.Error, as JSON
	ending                     // as refused, but the reader ends: it may be its own fault
)

// maxAnswer bounds what a reader may answer to each task, in bytes. A timetable's entries hold no more than
// parse.MaxText, of which JSON may write each byte as six; the drawing of 100 full pages is some 20 MB.
var maxAnswer = map[task]uint32{taskParse: 10 << 20, taskDraw: 128 << 20}

// maxPart bounds a part of a document, and maxDiagnosis an answer that is an error.
const (
	maxPart      = 64 << 10
	maxDiagnosis = 8 << 10
)

var errFrame = errors.New("a frame that is none")

// sourceError is that a document could not be had from where it comes, which says nothing about it or its reader.
type sourceError struct{ error }

func (e sourceError) Unwrap() error { return e.error }

// sendDocument sends a document as it comes, and no more of it than is read.
func sendDocument(w io.Writer, number uint64, t task, pdf io.Reader) error {
	out := bufio.NewWriterSize(w, maxPart)
	_, _ = out.Write(append(binary.BigEndian.AppendUint64(nil, number), byte(t))) // an error stays until Flush
	pdf = io.LimitReader(pdf, extract.MaxBytes+1)
	part := make([]byte, maxPart)
	for {
		n, err := pdf.Read(part)
		if n > 0 {
			_, _ = out.Write(binary.BigEndian.AppendUint32(nil, uint32(n)))
			if _, err := out.Write(part[:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return sourceError{err}
		}
	}
	_, _ = out.Write(make([]byte, 4))
	return out.Flush()
}

// document is one that a reader was given.
type document struct {
	number uint64
	task   task
	pdf    []byte
}

// receiveDocument waits for the next document. io.EOF says that there is none any more; one that ends early is none.
func receiveDocument(r io.Reader) (document, error) {
	var header [headerSize]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return document{}, err
	}
	d := document{number: binary.BigEndian.Uint64(header[:]), task: task(header[headerSize-1])}
	for {
		size, err := receiveLength(r)
		if err != nil {
			return document{}, err
		}
		if size == 0 {
			return d, nil
		}
		if size > maxPart || len(d.pdf)+int(size) > extract.MaxBytes+1 {
			return document{}, fmt.Errorf("%w: a part of %d bytes after %d", errFrame, size, len(d.pdf))
		}
		before := len(d.pdf)
		d.pdf = append(d.pdf, make([]byte, size)...)
		if _, err := io.ReadFull(r, d.pdf[before:]); err != nil {
			return document{}, fmt.Errorf("read a part: %w", brokenOff(err))
		}
	}
}

// answer is what a reader says.
type answer struct {
	number  uint64
	outcome outcome
	body    []byte
}

func sendAnswer(w io.Writer, a answer) error {
	frame := make([]byte, 0, headerSize+4+len(a.body))
	frame = append(binary.BigEndian.AppendUint64(frame, a.number), byte(a.outcome))
	frame = append(binary.BigEndian.AppendUint32(frame, uint32(len(a.body))), a.body...)
	_, err := w.Write(frame)
	return err
}

// receiveAnswer reads the answer to a document, of which at most so many bytes may be what the task gives.
func receiveAnswer(r io.Reader, number uint64, most uint32) (answer, error) {
	var header [headerSize]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return answer{}, err
	}
	a := answer{number: binary.BigEndian.Uint64(header[:]), outcome: outcome(header[headerSize-1])}
	size, err := receiveLength(r)
	if err != nil {
		return answer{}, err
	}
	switch a.outcome {
	case done:
	case ready, refused, ending:
		most = maxDiagnosis
	default:
		return answer{}, fmt.Errorf("%w: outcome %d", errFrame, a.outcome)
	}
	if a.number != number || size > most {
		return answer{}, fmt.Errorf("%w: %d bytes about document %d instead of %d", errFrame, size, a.number, number)
	}
	a.body, err = io.ReadAll(io.LimitReader(r, int64(size))) // as it comes: a length alone takes no memory
	if err == nil && len(a.body) < int(size) {
		err = io.ErrUnexpectedEOF
	}
	return a, err
}

func receiveLength(r io.Reader) (uint32, error) {
	var length [4]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return 0, fmt.Errorf("read a length: %w", brokenOff(err))
	}
	return binary.BigEndian.Uint32(length[:]), nil
}

// brokenOff is the error of reading what must come: no end is expected there.
func brokenOff(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
