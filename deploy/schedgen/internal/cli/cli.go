// Package cli is the schedgen command: its sub-commands, their flags and their help.
//
// A sub-command is a value of type command, one file each. All of them keep to this: results go to
// standard output or to the file named by -o; progress, warnings and errors go to standard error, an
// error as one line; the exit code is 0, 1 for what failed and 2 for a command line that makes no
// sense.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// streams are what a command reads from and writes to, so that tests need no process.
type streams struct {
	in       io.Reader
	out, err io.Writer
	// alone is whether the process ends with the command: then it may confine itself for good.
	alone bool
}

// command is one sub-command.
type command struct {
	name    string
	args    string // what follows the name: "FILE.pdf [--debug out.svg]"
	summary string // one line for the list of commands
	help    string // what it does and examples
	// flags declares the command's flags and gives what runs with them and the other arguments.
	flags func(*flag.FlagSet) func(ctx context.Context, std streams, args []string) error
}

// commands is the list in the order of the help.
func commands() []command {
	return []command{
		upCommand(), statusCommand(), readinessCommand(), limitsCommand(), parseCommand(), convertCommand(), migrateCommand(), backupCommand(), googleCommand(), yearsCommand(), generateCommand(), versionCommand(),
	}
}

// Main runs the process's command line until it is done or a signal ends it, and gives the exit code.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(ctx, streams{in: os.Stdin, out: os.Stdout, err: os.Stderr, alone: true}, os.Args[1:])
}

// run is Main with everything given.
func run(ctx context.Context, std streams, args []string) int {
	all := commands()
	if len(args) == 0 {
		overview(std.err, all)
		return exitUsage
	}
	name, rest := args[0], args[1:]
	switch name {
	case "help":
		if len(rest) == 0 {
			overview(std.out, all)
			return exitOK
		}
		name, rest = rest[0], []string{"--help"}
	case "-h", "-help", "--help":
		overview(std.out, all)
		return exitOK
	case "-v", "-version", "--version":
		name = "version"
	}
	for _, c := range all {
		if c.name == name {
			return c.run(ctx, std, rest)
		}
	}
	fmt.Fprintf(std.err, "schedgen: there is no command %q%s. Run schedgen --help to see them all.\n", name, suggestion(name, all))
	return exitUsage
}

// errUsage marks errors of the command line itself.
type errUsage struct{ message string }

func (e errUsage) Error() string { return e.message }

func usagef(format string, args ...any) error { return errUsage{fmt.Sprintf(format, args...)} }

func (c command) run(ctx context.Context, std streams, args []string) int {
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard) // errors are told below, in one form
	act := c.flags(flags)
	others, err := parseFlags(flags, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		c.usage(std.out, flags)
		return exitOK
	case err == nil:
		err = act(ctx, std, others)
	}
	var usage errUsage
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage):
		fmt.Fprintf(std.err, "schedgen %s: %s. Run schedgen %s --help to see how it is used.\n", c.name, strings.TrimSuffix(oneLine(err), "."), c.name)
		return exitUsage
	}
	fmt.Fprintf(std.err, "schedgen %s: %s\n", c.name, oneLine(err))
	return exitFailed
}

// parseFlags reads flags before, between and after the other arguments, as people type them.
// Everything after "--" is no flag.
func parseFlags(flags *flag.FlagSet, args []string) (others []string, err error) {
	for {
		if err := flags.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, err
			}
			return nil, errUsage{err.Error()}
		}
		rest := flags.Args()
		if len(rest) == 0 {
			return others, nil
		}
		if consumed := len(args) - len(rest); consumed > 0 && args[consumed-1] == "--" {
			return append(others, rest...), nil
		}
		others, args = append(others, rest[0]), rest[1:]
	}
}

// oneLine is an error on one line, whatever it wraps. Of lines that are the same it has one: pgx tells
// of each way in which it tried to connect.
func oneLine(err error) string {
	var lines []string
	for line := range strings.Lines(err.Error()) {
		line = strings.Join(strings.Fields(line), " ")
		if line != "" && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, " ")
}

// repeated is a flag that may be given several times.
type repeated []string

func (r *repeated) String() string     { return strings.Join(*r, ", ") }
func (r *repeated) Set(s string) error { *r = append(*r, s); return nil }
