package uploadingest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/jobs"
)

// received is an upload in a temporary file, so that memory does not grow with it. The file has no
// name any more: a process that is killed leaves nothing behind.
type received struct {
	file     *os.File
	size     int64
	sum      hash.Hash
	name     string
	priority jobs.Priority
}

func (u *received) discard() {
	if u.file != nil {
		_ = u.file.Close() // it has no name and goes with its last handle
	}
}

// body reads the whole upload from its start; it can be read again, for a retry.
func (u *received) body() *io.SectionReader { return io.NewSectionReader(u.file, 0, u.size) }

// receive reads the form to its end, unless there is no room for it. Fields may come before or after the file.
func (f *Function) receive(r *http.Request) (*received, error) {
	if err := f.room.Err(); err != nil {
		return nil, err
	}
	sent := r.Body
	form, err := openForm(r)
	if err != nil {
		return nil, err
	}
	u := &received{priority: jobs.Normal}
	err = f.fields(u, form)
	if err == nil && u.file == nil {
		err = api.New(api.MissingFile)
	}
	if err != nil {
		u.discard()
		// A caller that still sends does not read the answer: take the rest, up to the limit of a request.
		_, _ = io.Copy(io.Discard, sent)
		return nil, err
	}
	return u, nil
}

// fields reads a form to its end.
func (f *Function) fields(u *received, form *formReader) error {
	for {
		part, err := form.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return f.brokenOff(err, api.New(api.InvalidRequest).WithMessage("We could not read all of the form. Reload the page and try again."))
		}
		if err := f.field(u, part); err != nil {
			return err
		}
	}
}

func (f *Function) field(u *received, part *multipart.Part) error {
	switch part.FormName() {
	case "priority":
		const most = 64 // far more than any priority has
		value, err := io.ReadAll(io.LimitReader(part, most+1))
		if err != nil {
			return f.brokenOff(err, api.New(api.InvalidRequest))
		}
		priority, ok := jobs.ParsePriority(strings.ToLower(strings.TrimSpace(string(value))))
		if !ok || len(value) > most {
			return api.New(api.InvalidPriority)
		}
		u.priority = priority
	case "file":
		if u.file != nil {
			return api.New(api.InvalidRequest).WithMessage("The form holds several files. Upload one file at a time.")
		}
		return f.spool(u, part)
	}
	return nil
}

// headerWithin is where a PDF's header begins at the latest (ISO 32000, annex H.3, note 13).
const headerWithin = 1024

// spool writes the file to disk. What is no PDF is refused by its first bytes.
func (f *Function) spool(u *received, part *multipart.Part) error {
	head := make([]byte, headerWithin)
	n, err := io.ReadFull(part, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return f.brokenOff(err, api.New(api.InvalidRequest).WithMessage("The upload was interrupted. Try again."))
	}
	switch {
	case n == 0:
		return api.New(api.NotPDF).WithMessage("This file is empty. Choose the PDF of your timetable.")
	case !bytes.Contains(head[:n], []byte("%PDF-")):
		return api.New(api.NotPDF)
	}
	file, err := f.tempFile()
	if err != nil {
		return &diskError{err}
	}
	u.file, u.sum, u.name = file, sha256.New(), cleanName(part.FileName())
	rest := io.MultiReader(bytes.NewReader(head[:n]), part)
	u.size, err = io.Copy(io.MultiWriter(disk{file}, u.sum), io.LimitReader(rest, f.cfg.MaxFile+1))
	if err != nil {
		return f.brokenOff(err, api.New(api.InvalidRequest).WithMessage("The upload was interrupted. Try again."))
	}
	if u.size > f.cfg.MaxFile {
		return f.tooLarge()
	}
	return nil
}

// newTempFile makes a file in dir (empty: the system's directory) that has no name any more.
func newTempFile(dir string) (*os.File, error) {
	file, err := os.CreateTemp(dir, "schedgen-upload-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(file.Name()); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// diskError is that an upload cannot be kept on this machine, which is no fault of the caller's:
// another instance, or this one a little later, may have room.
type diskError struct{ err error }

func (e *diskError) Error() string       { return "keep the upload on disk: " + e.err.Error() }
func (e *diskError) Unwrap() error       { return e.err }
func (e *diskError) Unavailable() string { return api.StorageUnavailable }

// disk marks what goes wrong in writing, which io.Copy does not tell from what goes wrong in reading.
type disk struct{ io.Writer }

func (d disk) Write(data []byte) (int, error) {
	n, err := d.Writer.Write(data)
	if err != nil {
		err = &diskError{err}
	}
	return n, err
}

func (f *Function) tooLarge() *api.Error {
	return api.New(api.FileTooLarge, map[string]int64{"limit": f.cfg.MaxFile}).WithMessage(fmt.Sprintf(
		"This file is larger than %d MB. A timetable is far smaller: check that you chose the right file.", f.cfg.MaxFile>>20))
}

// brokenOff is the error of a body that ended early: not kept, too large, too slow, or the given one.
func (f *Function) brokenOff(err error, other *api.Error) error {
	var limit *http.MaxBytesError
	var full *diskError
	var known *api.Error
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &full):
		return full
	case errors.As(err, &limit):
		return f.tooLarge()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return api.New(api.Timeout).Wrap(err).WithMessage("The upload took too long. Check your connection and try again.")
	}
	return other.Wrap(err)
}

// cleanName keeps a name for people: no path, not long, and nothing that is not seen, for a name that
// turns the direction of writing shows another ending than it has. What is left of none is empty.
func cleanName(s string) string {
	s = strings.ToValidUTF8(s, "")
	s = s[strings.LastIndexAny(s, `/\`)+1:]
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s))
	const most = 200
	for len(s) > most {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return strings.TrimSpace(s)
}
