package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/schedgen/schedgen/functions/pdf-parse/parse"
	"github.com/schedgen/schedgen/functions/pdf-parse/sandbox"
	"github.com/schedgen/schedgen/shared/timetable"
)

// onlyFile is the one PDF that a command works on.
func onlyFile(args []string) (string, error) {
	switch len(args) {
	case 0:
		return "", usagef("it needs a PDF, or - for standard input")
	case 1:
		return args[0], nil
	}
	return "", usagef("it takes one PDF, and got %d arguments", len(args))
}

// openPDF opens a file, or standard input for "-".
func openPDF(name string, std streams) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(std.in), nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, reason(err))
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = errors.New("is a folder, not a PDF")
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", name, reason(err))
	}
	return f, nil
}

// reason is what a file operation failed for, without the path, which the caller tells.
func reason(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// readTimetable parses a PDF in the sandbox. Its errors are for people and name the file.
func readTimetable(ctx context.Context, name string, std streams) (timetable.Document, error) {
	pdf, err := openPDF(name, std)
	if err != nil {
		return timetable.Document{}, err
	}
	defer pdf.Close()
	doc, err := sandbox.Parse(ctx, pdf, sandbox.Limits{})
	return doc, ofFile(name, err)
}

// ofFile says which file an error is about, with its code where it has one.
func ofFile(name string, err error) error {
	var e *parse.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		return fmt.Errorf("%s: %w (%s)", name, err, e.Code)
	}
	return fmt.Errorf("%s: %w", name, err)
}

// writeFile replaces a file as a whole: it is never seen half written. A link stays, and the file that
// it leads to is replaced. "-" is standard output.
func writeFile(name string, std streams, write func(io.Writer) error) (err error) {
	if name == "-" {
		return write(std.out)
	}
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return writeInPlace(name, write) // /dev/stdout, a pipe
	}
	if name, err = followed(name); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, reason(err))
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return fmt.Errorf("write %s: %w", name, reason(err))
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("write %s: %w", name, reason(err))
	}
	if err := os.Rename(f.Name(), name); err != nil {
		return fmt.Errorf("write %s: %w", name, reason(err))
	}
	return nil
}

// maxLinks is how many links after each other Linux follows.
const maxLinks = 40

// followed is the file that a name leads to by symbolic links; it need not be there yet.
func followed(name string) (string, error) {
	at := name
	for range maxLinks {
		link, err := os.Readlink(at)
		if err != nil {
			return at, nil // no link: the file, or nothing yet
		}
		if !filepath.IsAbs(link) {
			// The folder may be reached by a link, too, and ".." means another one then.
			folder, err := filepath.EvalSymlinks(filepath.Dir(at))
			if err != nil {
				return "", fmt.Errorf("write %s: %w", name, reason(err))
			}
			link = filepath.Join(folder, link)
		}
		at = link
	}
	return "", fmt.Errorf("write %s: %w", name, syscall.ELOOP)
}

func writeInPlace(name string, write func(io.Writer) error) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, reason(err))
	}
	if err := write(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
