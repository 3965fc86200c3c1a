package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"

	"github.com/schedgen/schedgen/functions/pdf-parse/extract"
	"github.com/schedgen/schedgen/functions/pdf-parse/sandbox"
	"github.com/schedgen/schedgen/shared/timetable"
)

func parseCommand() command {
	return command{
		name:    "parse",
		args:    "FILE.pdf [--debug out.svg]",
		summary: "print a timetable PDF's entries as JSON",
		help: `Reads a timetable PDF and prints {"type":"lecture|test|exam","entries":[...]}, one entry for each
printed row. What looks doubtful in a row is told in its "warnings", with page and row. The PDF is
read by a process that has limits on time and memory and can open nothing else, so a hostile file does no harm.

Examples:
  schedgen parse timetable.pdf
  schedgen parse - < timetable.pdf
  schedgen parse timetable.pdf --debug seen.svg   draws the words, lines, cells and rows that were
                                                  seen, to find out why a row came out wrong`,
		flags: func(flags *flag.FlagSet) func(context.Context, streams, []string) error {
			drawing := flags.String("debug", "", "also draw what was seen on each page, as an SVG `FILE`")
			return func(ctx context.Context, std streams, args []string) error {
				name, err := onlyFile(args)
				if err != nil {
					return err
				}
				var doc timetable.Document
				switch {
				case *drawing != "":
					doc, err = drawAndRead(ctx, std, name, *drawing)
				case std.alone:
					doc, err = readHere(ctx, name, std)
				default:
					doc, err = readTimetable(ctx, name, std)
				}
				if err != nil {
					return err
				}
				return printEntries(std, doc)
			}
		},
	}
}

func printEntries(std streams, doc timetable.Document) error {
	out := json.NewEncoder(std.out)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	if err := out.Encode(doc); err != nil {
		return fmt.Errorf("print the entries: %w", err)
	}
	return nil
}

// readHere parses a PDF in this process, which can only print afterwards.
func readHere(ctx context.Context, name string, std streams) (timetable.Document, error) {
	file, err := openPDF(name, std)
	if err != nil {
		return timetable.Document{}, err
	}
	defer file.Close()
	pdf, err := readAll(ctx, file)
	if err != nil {
		return timetable.Document{}, ofFile(name, reason(err))
	}
	doc, err := sandbox.ParseHere(ctx, pdf, sandbox.Limits{})
	return doc, ofFile(name, err)
}

// readAll reads as much as a PDF may have, unless the context ends first: then what is being read ends with the process.
func readAll(ctx context.Context, file io.Reader) ([]byte, error) {
	type content struct {
		pdf []byte
		err error
	}
	read := make(chan content, 1)
	go func() {
		pdf, err := io.ReadAll(io.LimitReader(file, extract.MaxBytes+1))
		read <- content{pdf, err}
	}()
	select {
	case c := <-read:
		return c.pdf, c.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// drawAndRead draws first: of a PDF that is no timetable the drawing is what one wants.
func drawAndRead(ctx context.Context, std streams, name, drawing string) (timetable.Document, error) {
	file, err := openPDF(name, std)
	if err != nil {
		return timetable.Document{}, err
	}
	defer file.Close()
	pdf, err := io.ReadAll(io.LimitReader(file, extract.MaxBytes+1))
	if err != nil {
		return timetable.Document{}, ofFile(name, reason(err))
	}
	err = writeFile(drawing, std, func(w io.Writer) error {
		return sandbox.Draw(ctx, w, bytes.NewReader(pdf), sandbox.Limits{})
	})
	if err != nil {
		return timetable.Document{}, ofFile(name, err)
	}
	doc, err := sandbox.Parse(ctx, bytes.NewReader(pdf), sandbox.Limits{})
	return doc, ofFile(name, err)
}
