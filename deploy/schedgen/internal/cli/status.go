package cli

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/schedgen/schedgen/deploy/schedgen/internal/status"
	"github.com/schedgen/schedgen/shared/secret"
)

func statusCommand() command {
	return command{
		name:    "status",
		args:    "[FLAGS]",
		summary: "show how a running system is",
		help: `Shows on one screen what works, what waits, what is used and which alerts fire. It asks /health, /metrics and
/api/jobs/metrics, and Prometheus where there is one. For a system on this machine, the
operators' token and the address of Prometheus come from the data directory of schedgen up.

Examples:
  schedgen status
  schedgen status --watch
  schedgen status --url http://upload-ingest:8080 --prometheus http://prometheus:9090`,
		flags: func(flags *flag.FlagSet) func(context.Context, streams, []string) error {
			var source status.Source
			flags.StringVar(&source.URL, "url", localAddress(), "the system's `ADDRESS`; that of this machine is at $PORT, or 8080")
			flags.StringVar(&source.Prometheus, "prometheus", "", "the `ADDRESS` of its Prometheus")
			data := flags.String("data", ".schedgen", "the data `DIRECTORY` of schedgen up; or $SCHEDGEN_DATA")
			token := flags.String("token-file", "", "the `FILE` with the operators' token (ADMIN_TOKEN)")
			watch := flags.Bool("watch", false, "refresh it until it is interrupted")
			return func(ctx context.Context, std streams, args []string) error {
				if len(args) > 0 {
					return usagef("it takes no arguments but flags, and got %q", args[0])
				}
				if err := fromEnvironment(flags, map[string]string{"data": "SCHEDGEN_DATA"}); err != nil {
					return err
				}
				if err := complete(&source, *data, *token); err != nil {
					return err
				}
				if *watch {
					return watchStatus(ctx, std, source)
				}
				state, err := source.Read(ctx)
				if err != nil {
					return err
				}
				return status.Render(std.out, state, nil)
			}
		},
	}
}

// complete adds what is not given: from files, where they are.
func complete(source *status.Source, data, tokenFile string) error {
	source.URL = strings.TrimSuffix(source.URL, "/")
	source.Client = &http.Client{Timeout: 15 * time.Second}
	var err error
	if source.Token, err = operatorsToken(source.URL, data, tokenFile); err != nil {
		return err
	}
	if source.Prometheus == "" && ofThisMachine(source.URL) {
		source.Prometheus, err = prometheusOf(data)
	}
	return err
}

// operatorsToken is the token of the operators of the system at address: from a file, or, for a system on this machine,
// from its data directory. Empty where there is none. What is in the data directory is never sent to another machine.
func operatorsToken(address, data, tokenFile string) (secret.String, error) {
	if tokenFile != "" {
		token, err := os.ReadFile(tokenFile)
		if err != nil {
			return secret.String{}, fmt.Errorf("read the token: %w", err)
		}
		return secret.New(strings.TrimSpace(string(token))), nil
	}
	if !ofThisMachine(address) {
		return secret.String{}, nil
	}
	text, err := os.ReadFile(filepath.Join(data, "secrets.json"))
	if errors.Is(err, os.ErrNotExist) {
		return secret.String{}, nil
	}
	var known struct{ AdminToken secret.String }
	if err == nil {
		err = json.Unmarshal(text, &known)
	}
	if err != nil {
		return secret.String{}, fmt.Errorf("read the token: %w", err)
	}
	return known.AdminToken, nil
}

// ofThisMachine says whether an address leads to this machine.
func ofThisMachine(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// refresh is how often a screen is written again.
const refresh = 2 * time.Second

// watchStatus writes the screen again and again. A system that does not answer is told, and asked again.
func watchStatus(ctx context.Context, std streams, source status.Source) error {
	tick := time.NewTicker(refresh)
	defer tick.Stop()
	var before *status.State
	for {
		state, err := source.Read(ctx)
		var screen strings.Builder
		if err != nil {
			fmt.Fprintf(&screen, "%s\n", oneLine(err))
		} else if err := status.Render(&screen, state, before); err != nil {
			return err
		} else {
			before = &state
		}
		const clear = "\x1b[H\x1b[2J" // to the first line, and nothing left of the screen before
		if ctx.Err() == nil {
			fmt.Fprintf(std.out, "%s%s\n%s", clear, time.Now().Format("15:04:05"), screen.String())
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
