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
read in a child process with limits on time and memory, so a hostile file does no harm.

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
				if *drawing == "" {
					doc, err = readTimetable(ctx, name, std)
				} else {
					doc, err = drawAndRead(ctx, std, name, *drawing)
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
