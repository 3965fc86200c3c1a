package cli

import (
	"context"
	"encoding/json"
	"flag"
	"io"
	"strings"

	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/timetable"
)

func generateCommand() command {
	return command{
		name:    "generate-pdf",
		args:    "--kind lecture|test|exam -o out.pdf [FLAGS]",
		summary: "make up a timetable PDF, for tests and demonstrations",
		help: `Writes a made-up timetable as the university prints it, and with --truth what it says. The same
flags always give the same file. Other programs may write it anew (Ghostscript, Poppler, MuPDF, qpdf)
and it still says the same, but with --odd-fonts.

Examples:
  schedgen generate-pdf --kind lecture -o lectures.pdf
  schedgen generate-pdf --kind exam --seed 7 --modules 40 -o exams.pdf --truth exams.json
  schedgen generate-pdf --kind test --style borderless --encrypt -o tests.pdf
  schedgen generate-pdf --kind test --style sparse --odd-fonts -o odd.pdf
  schedgen generate-pdf --kind lecture --pages 100 -o long.pdf`,
		flags: func(flags *flag.FlagSet) func(context.Context, streams, []string) error {
			kind := flags.String("kind", "", "`lecture`, test or exam")
			out := flags.String("o", "", "the PDF `FILE` to write; - is standard output")
			truth := flags.String("truth", "", "also write the timetable's entries to this JSON `FILE`")
			seed := flags.Uint64("seed", 1, "another `NUMBER`, another timetable")
			modules := flags.Int("modules", 0, "how `MANY` modules (default: 6, or with --pages as many as they take)")
			pages := flags.Int("pages", 0, "exactly this `MANY` pages (default: what the modules take)")
			style := flags.String("style", "oracle", "how borders are drawn: `oracle` (thin rectangles), stroked (lines), sparse (some lines) or borderless")
			odd := flags.Bool("odd-fonts", false, "sometimes with fonts that other programs lose when they write the file anew (codes of their own, drawn glyphs) and invisible text; not with --style oracle")
			encrypt := flags.Bool("encrypt", false, "encrypt with an empty user password")
			return func(_ context.Context, std streams, args []string) error {
				if len(args) > 0 {
					return usagef("it takes no arguments but flags, and got %q", args[0])
				}
				if *out == "" {
					return usagef("it needs -o and the file to write")
				}
				opts := fixture.Options{
					Seed: *seed, Modules: *modules, Pages: *pages, Encrypt: *encrypt, Plain: !*odd,
				}
				err := checkSize(&opts)
				if err != nil {
					return err
				}
				if opts.Kind, err = kindNamed(*kind); err != nil {
					return err
				}
				if opts.Style, err = styleNamed(*style); err != nil {
					return err
				}
				return generate(std, opts, *out, *truth)
			}
		},
	}
}

func generate(std streams, opts fixture.Options, out, truthFile string) error {
	pdf, truth, err := fixture.Generate(opts)
	if err != nil {
		return err // it says what was being done
	}
	err = writeFile(out, std, func(w io.Writer) error {
		_, err := w.Write(pdf)
		return err
	})
	if err != nil || truthFile == "" {
		return err
	}
	return writeFile(truthFile, std, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(truth)
	})
}

// defaultModules are those of a student.
const defaultModules = 6

// checkSize refuses what no timetable has, and sets how many modules there are where nothing does.
func checkSize(opts *fixture.Options) error {
	switch {
	case opts.Modules < 0:
		return usagef("--modules: %d is not a number of modules", opts.Modules)
	case opts.Pages < 0 || opts.Pages > fixture.MaxPages:
		return usagef("--pages: %d is not a number of pages up to %d", opts.Pages, fixture.MaxPages)
	}
	if opts.Modules == 0 && opts.Pages == 0 {
		opts.Modules = defaultModules
	}
	return nil
}

func kindNamed(name string) (timetable.Kind, error) {
	switch kind := timetable.Kind(strings.ToLower(name)); kind {
	case timetable.Lecture, timetable.Test, timetable.Exam:
		return kind, nil
	case "":
		return "", usagef("it needs --kind lecture, test or exam")
	}
	return "", usagef("--kind: %q is none of lecture, test, exam", name)
}

func styleNamed(name string) (fixture.Style, error) {
	for _, s := range []struct {
		name  string
		style fixture.Style
	}{{"oracle", fixture.Oracle}, {"stroked", fixture.Stroked}, {"borderless", fixture.Borderless}, {"sparse", fixture.Sparse}} {
		if strings.EqualFold(name, s.name) {
			return s.style, nil
		}
	}
	return fixture.Oracle, usagef("--style: %q is none of oracle, stroked, borderless, sparse", name)
}
