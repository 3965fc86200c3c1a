package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/schedgen/schedgen/deploy/schedgen/internal/readiness"
	"github.com/schedgen/schedgen/deploy/schedgen/internal/stack"
	"github.com/schedgen/schedgen/functions/backup/alert"
	"github.com/schedgen/schedgen/shared/secret"
	"github.com/schedgen/schedgen/shared/settings"
)

func readinessCommand() command {
	return command{
		name:    "readiness",
		args:    "[server | watch | sign ID] [FLAGS]",
		summary: "say what stands between a system and production",
		help: `Goes through the list of production readiness (docs/production-readiness.md): looks at the running system, its
deployment, its database and stores, the documents and tests of a checkout; shows what people decided; and says
how to make what is red green. What it cannot look at is "not looked at", with how to look, and never green.
It changes nothing.

server looks at the machine that it runs on (or at a copy of its files, with --root): system, packages,
firewall, SSH, updates. sign notes a person's decision in the file --record. watch, called daily by a schedule,
looks at what is due of the first day, week and month after --launched, and sends what it found where alerts go
(ALERT_WEBHOOK_URL, ALERT_SMTP_SERVER and so on).

For a system on this machine, the operators' token and Prometheus come from the data directory of schedgen up.
A run ends after --timeout; what it did not reach is not looked at. A decision counts for the system of its --target,
for a year.
The exit code is 0 if nothing is red, 1 if something is red or the command failed, 2 for a wrong command line.

Examples:
  schedgen readiness
  schedgen readiness --target https://schedgen.example.org --token-file admin-token --prometheus http://localhost:9090
  schedgen readiness --compose deploy/compose/compose.yml,deploy/compose/compose.prod.yml --settings deploy/compose/.env
  schedgen readiness --kube --phase services --json
  schedgen readiness server --settings deploy/compose/.env
  schedgen readiness watch --launched 2026-02-01 --prometheus http://localhost:9090
  schedgen readiness sign approve-budget --who "Thandi M." --seen "the estimate of March" --record decisions.json`,
		flags: func(flags *flag.FlagSet) func(context.Context, streams, []string) error {
			var o readinessOptions
			o.declare(flags)
			return func(ctx context.Context, std streams, args []string) error {
				if err := fromEnvironment(flags, map[string]string{"data": "SCHEDGEN_DATA", "postgres": "SCHEDGEN_POSTGRES",
					"redis": "SCHEDGEN_REDIS", "s3": "SCHEDGEN_S3"}); err != nil {
					return err
				}
				return o.run(ctx, std, args)
			}
		},
	}
}

// readinessOptions are its flags.
type readinessOptions struct {
	where              readiness.Options
	only               readiness.Selection
	data, tokenFile    string
	compose, launched  string
	asJSON, everything bool
	who, seen          string
}

func (o *readinessOptions) declare(flags *flag.FlagSet) {
	flags.StringVar(&o.where.Target, "target", "", "the system's `ADDRESS` (default http://localhost:8080 where a data directory is)")
	flags.StringVar(&o.tokenFile, "token-file", "", "the `FILE` with the operators' token (ADMIN_TOKEN)")
	flags.StringVar(&o.where.Prometheus, "prometheus", "", "the `ADDRESS` of its Prometheus")
	flags.StringVar(&o.data, "data", ".schedgen", "the data `DIRECTORY` of schedgen up; or $SCHEDGEN_DATA")
	flags.StringVar(&o.compose, "compose", "", "the `FILES` of Docker Compose, separated by commas, in their order")
	flags.BoolVar(&o.where.Kube, "kube", false, "look at the cluster of kubectl's current context")
	flags.StringVar(&o.where.Manifests, "manifests", "", "a `FILE` that kubectl kustomize wrote, in place of a cluster")
	flags.StringVar(&o.where.Settings, "settings", "", "the `FILE` of settings and secrets (secrets.env, .env)")
	flags.TextVar(&o.where.Postgres, "postgres", secret.String{}, "the `URL` of the database; or $SCHEDGEN_POSTGRES")
	flags.TextVar(&o.where.Redis, "redis", secret.String{}, "the `URL` of Redis; or $SCHEDGEN_REDIS")
	flags.TextVar(&o.where.S3, "s3", secret.String{}, "the `URL` of the bucket of PDFs, with keys; or $SCHEDGEN_S3")
	flags.StringVar(&o.where.Checkout, "checkout", "", "the `FOLDER` of the project's source (default the one around this folder)")
	flags.StringVar(&o.where.Results, "results", "", "the `FILE` that go test -json wrote")
	flags.StringVar(&o.where.Record, "record", "readiness.json", "the `FILE` of people's decisions")
	flags.DurationVar(&o.where.Timeout, "timeout", readiness.DefaultTimeout, "the `TIME` after which the run ends")
	flags.StringVar(&o.where.Root, "root", "/", "server: the `FOLDER` that is the root of its file system")
	flags.StringVar(&o.launched, "launched", "", "the `DAY` of the launch, 2026-02-01: since then each day needs a backup")
	flags.StringVar(&o.only.Phase, "phase", "", "only the items of this `PHASE`")
	flags.StringVar(&o.only.Section, "section", "", "only the items of this `SECTION`")
	flags.BoolVar(&o.asJSON, "json", false, "write JSON")
	flags.BoolVar(&o.everything, "all", false, "also list what was seen of each item")
	flags.StringVar(&o.who, "who", "", "sign: `WHO` decided")
	flags.StringVar(&o.seen, "seen", "", "sign: `WHAT` was seen")
}

func (o *readinessOptions) run(ctx context.Context, std streams, args []string) error {
	if err := o.checked(); err != nil {
		return err
	}
	switch {
	case len(args) == 2 && args[0] == "sign":
		return o.sign(std, args[1])
	case len(args) == 1 && args[0] == "watch":
		return o.watch(ctx, std)
	case len(args) == 1 && args[0] == "server":
		if info, err := os.Stat(o.where.Root); err != nil || !info.IsDir() {
			return usagef("--root: %s is no folder", o.where.Root)
		}
		if o.only.Phase == "" && o.only.Section == "" {
			o.only.Phase = "infrastructure"
		}
	case len(args) > 0:
		return usagef("it takes nothing, server, watch, or sign and an id, and got %q", strings.Join(args, " "))
	default:
		o.where.Root = ""
	}
	results, err := o.look(ctx)
	if err != nil {
		return err
	}
	return o.show(std, results)
}

// look goes through the list.
func (o *readinessOptions) look(ctx context.Context) ([]readiness.Result, error) {
	if err := o.find(); err != nil {
		return nil, err
	}
	results, err := readiness.Run(ctx, o.where, o.only)
	if errors.Is(err, readiness.ErrSelection) {
		return nil, usagef("%v", err)
	}
	return results, err
}

// watch looks at what is due today and sends the report, or why there is none, where alerts go.
func (o *readinessOptions) watch(ctx context.Context, std streams) error {
	switch {
	case o.launched == "":
		return usagef("watch needs --launched")
	case o.only.Phase != "" || o.only.Section != "":
		return usagef("watch looks at what is due: it takes neither --phase nor --section")
	}
	o.where.Root = ""
	if o.only.Section = readiness.Due(o.where.Launched, time.Now()); o.only.Section == "" {
		_, err := fmt.Fprintln(std.out, "Nothing is due today.")
		return err
	}
	results, err := o.look(ctx)
	if err != nil {
		return errors.Join(err, sendReport(ctx, readiness.Failure(o.only.Section, err)))
	}
	return errors.Join(sendReport(ctx, readiness.Message(o.only.Section, results)), o.show(std, results))
}

// show writes the report, and fails if something is red.
func (o *readinessOptions) show(std streams, results []readiness.Result) error {
	var err error
	if o.asJSON {
		err = readiness.RenderJSON(std.out, results)
	} else {
		err = readiness.Render(std.out, results, o.everything)
	}
	if red := readiness.Red(results); err == nil && red > 0 {
		err = fmt.Errorf("%d of %d items are red", red, len(results))
	}
	return err
}

// sendReport sends a message where the alerts of backups go.
func sendReport(ctx context.Context, message alert.Alert) error {
	var cfg alert.Config
	if err := settings.Read(ctx, &cfg); err != nil {
		return err
	}
	sender, err := alert.New(cfg)
	if err != nil {
		return err
	}
	if !sender.Enabled() {
		return errors.New("nobody is told: set ALERT_WEBHOOK_URL, or ALERT_SMTP_SERVER with ALERT_FROM and ALERT_TO")
	}
	outcomes := sender.Send(ctx, message)
	for _, channel := range slices.Sorted(maps.Keys(outcomes)) {
		if failed := outcomes[channel]; failed != nil {
			err = errors.Join(err, fmt.Errorf("send the report by %s: %w", channel, failed))
		}
	}
	return err
}

// checked refuses flags that make no sense. It repeats no address: there may be a password in it.
func (o *readinessOptions) checked() error {
	if o.compose != "" {
		o.where.Compose = strings.Split(o.compose, ",")
	}
	if o.launched != "" {
		day, err := time.ParseInLocation(time.DateOnly, o.launched, time.Local)
		if err != nil {
			return usagef("--launched: %q is not a day such as 2026-02-01", o.launched)
		}
		o.where.Launched = day
	}
	if o.where.Target != "" {
		u, err := httpAddress(o.where.Target)
		switch {
		case err != nil:
			return usagef("--target is not an address such as https://schedgen.example.org")
		case u.User != nil:
			return usagef("--target has a user or a password: give the token of the operators with --token-file")
		case strings.Trim(u.Path, "/") != "":
			return usagef("--target has the path %s: give the address of the site alone, such as %s://%s", u.Path, u.Scheme, u.Host)
		}
		o.where.Target = u.Scheme + "://" + strings.ToLower(u.Host)
	}
	if o.where.Prometheus != "" {
		if _, err := httpAddress(o.where.Prometheus); err != nil {
			return usagef("--prometheus is not an address such as http://localhost:9090")
		}
	}
	deployments := 0
	for _, given := range []bool{o.compose != "", o.where.Manifests != "", o.where.Kube} {
		if given {
			deployments++
		}
	}
	switch {
	case deployments > 1:
		return usagef("--compose, --kube and --manifests are three deployments: look at one at a time")
	case slices.Contains(o.where.Compose, ""):
		return usagef("--compose: %q names a file without a name", o.compose)
	case o.where.Timeout <= 0:
		return usagef("--timeout must be more than 0")
	}
	return nil
}

// httpAddress reads an address of a server, without query and fragment.
func httpAddress(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err == nil && (u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "") {
		err = errors.New("it is no address of a server")
	}
	return u, err
}

// ownTarget is the system of this machine, where a data directory is.
func (o *readinessOptions) ownTarget() {
	if _, err := os.Stat(filepath.Join(o.data, "secrets.json")); o.where.Target == "" && err == nil {
		o.where.Target = "http://localhost:8080"
	}
}

// find completes where to look: with what is on this machine.
func (o *readinessOptions) find() error {
	if o.where.Checkout == "" {
		o.where.Checkout = readiness.FindCheckout(".")
	}
	if o.where.Root == "" {
		o.ownTarget()
	}
	if o.where.Target == "" {
		return nil
	}
	var err error
	if o.where.Token, err = operatorsToken(o.where.Target, o.data, o.tokenFile); err != nil {
		return err
	}
	if !o.where.Token.IsZero() && strings.HasPrefix(o.where.Target, "http:") && !ofThisMachine(o.where.Target) {
		return usagef("the token would go to %s without encryption: give --target its https address, or leave --token-file out", o.where.Target)
	}
	if o.where.Prometheus == "" && ofThisMachine(o.where.Target) {
		o.where.Prometheus, err = prometheusOf(o.data)
	}
	return err
}

// prometheusOf is the address of the Prometheus that watches the system of a data directory; "" without one.
func prometheusOf(data string) (string, error) {
	address, err := os.ReadFile(filepath.Join(data, "monitoring", stack.PrometheusFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("read the address of Prometheus: %w", err)
	}
	return strings.TrimSpace(string(address)), nil
}

func (o *readinessOptions) sign(std streams, id string) error {
	if o.who == "" || o.seen == "" {
		return usagef("sign needs --who and --seen")
	}
	o.ownTarget()
	err := readiness.Sign(o.where.Record, readiness.Decision{ID: id, Who: o.who, When: time.Now().UTC().Truncate(time.Second), Seen: o.seen, Target: o.where.Target})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.out, "%s noted in %s\n", id, o.where.Record)
	return err
}
