package cli

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/secret"
	"github.com/schedgen/schedgen/shared/years"
)

func yearsCommand() command {
	return command{
		name:    "years",
		args:    "check FILE | show [YEAR] | export [YEAR] | import FILE | remove YEAR [FLAGS]",
		summary: "check, show and correct the academic years that calendars go by",
		help: `check reads a file of academic years and tells everything that is wrong in it, by line. show tells what is known
of the years, or of one; export writes it as a file, to be corrected and imported. import puts a file's years into
the database: all of them, or none where the file has an error. Running instances see them within a minute, and feeds
and Google calendars that follow are brought up to date by themselves. remove takes a year out of the database again.

A year of the database comes before that of the --years file, and that before the one the program ships. Without
--postgres, show and export tell only of the other two.

Examples:
  schedgen years show
  schedgen years show 2018
  schedgen years export 2026
  schedgen years check 2027.json
  SCHEDGEN_POSTGRES=postgres://... schedgen years import 2027.json
  SCHEDGEN_POSTGRES=postgres://... schedgen years remove 2027`,
		flags: func(flags *flag.FlagSet) func(context.Context, streams, []string) error {
			var c yearsLine
			flags.StringVar(&c.postgres, "postgres", "", "the database's `URL`; or $SCHEDGEN_POSTGRES")
			flags.StringVar(&c.file, "years", "", "the `FILE` that the functions are given as YEARS_FILE, for show and export")
			return func(ctx context.Context, std streams, args []string) error {
				if err := fromEnvironment(flags, map[string]string{"postgres": "SCHEDGEN_POSTGRES"}); err != nil {
					return err
				}
				return c.run(ctx, std, args)
			}
		},
	}
}

// yearsLine is the command line of years.
type yearsLine struct{ postgres, file string }

func (c yearsLine) run(ctx context.Context, std streams, args []string) error {
	if len(args) == 0 {
		return usagef("it needs check, show, export, import or remove")
	}
	verb, rest := args[0], args[1:]
	switch {
	case verb == "check" && len(rest) == 1:
		all, err := readYears(rest[0], std)
		if err == nil {
			_, err = fmt.Fprintf(std.out, "%s is right: it has %s\n", rest[0], numbers(all.Numbers()))
		}
		return err
	case verb == "import" && len(rest) == 1:
		return c.load(ctx, std, rest[0])
	case (verb == "show" || verb == "export") && len(rest) <= 1:
		return c.tell(ctx, std, verb, rest)
	case verb == "remove" && len(rest) == 1:
		return c.remove(ctx, std, rest[0])
	case slices.Contains([]string{"check", "import", "show", "export", "remove"}, verb):
		return usagef("%s does not take %d arguments", verb, len(rest))
	}
	return usagef("%q is none of check, show, export, import and remove", verb)
}

// readYears reads a file and tells what is wrong in it, each on a line of its own that names the file's.
func readYears(name string, std streams) (calendar.Years, error) {
	data, err := os.ReadFile(name)
	if name == "-" {
		data, err = io.ReadAll(io.LimitReader(std.in, 2<<20)) // a longer one is refused by its length
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, reason(err))
	}
	all, err := calendar.ParseYears(data)
	var wrong *calendar.YearsError
	if !errors.As(err, &wrong) {
		return all, err
	}
	for _, p := range wrong.Problems {
		fmt.Fprintf(std.err, "%s:%d: %s\n", name, p.Line, p.Message)
	}
	if len(wrong.Problems) == 1 {
		return nil, fmt.Errorf("%s has a mistake, so none of it is used", name)
	}
	return nil, fmt.Errorf("%s has %d mistakes, so none of it is used", name, len(wrong.Problems))
}

// store opens the database.
func (c yearsLine) store() (*postgres.Pool, error) {
	if c.postgres == "" {
		return nil, usagef("it needs --postgres and the address of the database")
	}
	return postgres.Open(postgres.Config{URL: secret.New(c.postgres)})
}

func (c yearsLine) load(ctx context.Context, std streams, name string) error {
	pool, err := c.store()
	if err != nil {
		return err
	}
	defer pool.Close()
	all, err := readYears(name, std)
	if err != nil {
		return err
	}
	changed, err := years.NewStore(pool).Import(ctx, all)
	switch {
	case err != nil:
		return err
	case len(changed) == 0:
		_, err = fmt.Fprintln(std.out, "the database has these years already; nothing changed")
	default:
		_, err = fmt.Fprintf(std.out, "imported %s; calendars follow within minutes\n", numbers(changed))
	}
	return err
}

func (c yearsLine) remove(ctx context.Context, std streams, text string) error {
	year, err := yearOf(text)
	if err != nil {
		return err
	}
	pool, err := c.store()
	if err != nil {
		return err
	}
	defer pool.Close()
	err = years.NewStore(pool).Remove(ctx, year)
	if errors.Is(err, years.ErrNotImported) {
		return fmt.Errorf("the database has no year %d", year)
	}
	if err == nil {
		_, err = fmt.Fprintf(std.out, "removed %d; the file's or the shipped one is used again, where there is one\n", year)
	}
	return err
}

// loadYears are the years that there are.
func (c yearsLine) loadYears(ctx context.Context) (years.Snapshot, error) {
	if c.postgres == "" {
		return years.Local(c.file)
	}
	if _, err := years.Local(c.file); err != nil {
		return years.Snapshot{}, err
	}
	pool, err := c.store()
	if err != nil {
		return years.Snapshot{}, err
	}
	defer pool.Close()
	return years.NewSource(years.Config{File: c.file}, pool).Reload(ctx)
}

func (c yearsLine) tell(ctx context.Context, std streams, verb string, args []string) error {
	known, err := c.loadYears(ctx)
	if err != nil {
		return err
	}
	wanted := known.Years
	if len(args) == 1 {
		year, err := yearOf(args[0])
		if err != nil {
			return err
		}
		y, ok := known.Years[year]
		if !ok {
			return fmt.Errorf("nobody has entered %d; the known years are %s", year, numbers(known.Numbers()))
		}
		wanted = calendar.Years{year: y}
	}
	if verb == "export" {
		encoder := json.NewEncoder(std.out)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		return encoder.Encode(wanted)
	}
	for i, year := range wanted.Numbers() {
		if i > 0 {
			fmt.Fprintln(std.out)
		}
		if err := showYear(std.out, wanted[year], known.Origins[year]); err != nil {
			return err
		}
	}
	return nil
}

func yearOf(text string) (int, error) {
	year, err := strconv.Atoi(text)
	if err != nil || len(text) != 4 {
		return 0, usagef("%q is no year", text)
	}
	return year, nil
}

// numbers writes years for people.
func numbers(all []int) string {
	texts := make([]string, len(all))
	for i, year := range all {
		texts[i] = strconv.Itoa(year)
	}
	return strings.Join(texts, ", ")
}

// showYear writes a year for people: what is known, from where, and what is not.
func showYear(w io.Writer, y calendar.AcademicYear, from years.Origin) error {
	var b strings.Builder
	line := func(name, text string) { fmt.Fprintf(&b, "  %-14s %s\n", name, text) }
	fmt.Fprintf(&b, "%d (%s)\n", y.Year, from)
	line("source", y.Source+" "+checked(y.Origin))
	if y.Note != "" {
		line("note", y.Note)
	}
	line("covers", y.Covers.String())
	for _, name := range calendar.TermNames() {
		if term, ok := y.Terms[name]; ok {
			line("term "+name, dates(y, term))
		}
	}
	for _, list := range []struct {
		name    string
		periods []calendar.Period
	}{
		{"recess", y.Recess}, {"noLectures", y.NoLectures}, {"tests", y.Tests},
		{"examinations", y.Examinations}, {"supplementary", y.Supplementary},
	} {
		for _, p := range list.periods {
			line(list.name, dates(y, p))
		}
	}
	for _, s := range y.Follows {
		day := calendar.Period{Start: s.Date, End: s.Date, Name: s.Name, Origin: s.Origin}
		line("follows", fmt.Sprintf("%s has the lectures of %s", dates(y, day), s.Weekday))
	}
	if unknown := y.Unknown(); len(unknown) > 0 {
		line("not known", strings.Join(unknown, ", "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// dates writes days, and their own source where it is not the year's.
func dates(y calendar.AcademicYear, p calendar.Period) string {
	text := p.Range().String()
	if p.Name != "" {
		text += " " + p.Name
	}
	if p.Origin != y.Origin {
		text += " [" + p.Source + " " + checked(p.Origin) + "]"
	}
	return text
}

func checked(o calendar.Origin) string {
	text := "(not checked"
	if o.Checked {
		text = "(checked"
	}
	if o.CheckedBy != "" {
		text += " by " + o.CheckedBy
	}
	if !o.CheckedOn.IsZero() {
		text += " on " + o.CheckedOn.String()
	}
	return text + ")"
}
