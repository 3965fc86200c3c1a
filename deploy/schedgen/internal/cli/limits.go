package cli

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/schedgen/schedgen/shared/ratelimit"
)

func limitsCommand() command {
	return command{
		name:    "limits",
		args:    "list | lift ID|ADDRESS",
		summary: "show who is blocked after failed sign-ins, and lift blocks",
		help: `list shows who failed to sign in too often (LIMIT_SIGNIN) and when each block ends by itself. lift ends a
block at once, by its id or by the address of the person who called you. Addresses are not kept, so the
list shows none: a person tells you theirs, or you find it by the name that log lines have for it.

For a system on this machine, the operators' token comes from the data directory of schedgen up.

Examples:
  schedgen limits list
  schedgen limits lift 203.0.113.7
  schedgen limits list --url https://schedgen.example.org --token-file admin-token`,
		flags: func(flags *flag.FlagSet) func(context.Context, streams, []string) error {
			address := flags.String("url", localAddress(), "the system's `ADDRESS`; that of this machine is at $PORT, or 8080")
			data := flags.String("data", ".schedgen", "the data `DIRECTORY` of schedgen up; or $SCHEDGEN_DATA")
			tokenFile := flags.String("token-file", "", "the `FILE` with the operators' token (ADMIN_TOKEN)")
			return func(ctx context.Context, std streams, args []string) error {
				if err := fromEnvironment(flags, map[string]string{"data": "SCHEDGEN_DATA"}); err != nil {
					return err
				}
				token, err := operatorsToken(*address, *data, *tokenFile)
				if err != nil {
					return err
				}
				o := operator{strings.TrimSuffix(*address, "/"), token, callTime}
				switch {
				case len(args) == 1 && args[0] == "list":
					return o.listBlocks(ctx, std)
				case len(args) == 2 && args[0] == "lift":
					return o.liftBlock(ctx, std, args[1])
				}
				return usagef("it needs list, or lift and an id or address")
			}
		},
	}
}

// callTime bounds one call: what it asks for is small.
const callTime = 15 * time.Second

func (o operator) listBlocks(ctx context.Context, std streams) error {
	var list struct{ Blocks []ratelimit.Block }
	if err := o.call(ctx, http.MethodGet, "/api/admin/limits", &list); err != nil {
		return err
	}
	if len(list.Blocks) == 0 {
		_, err := fmt.Fprintln(std.out, "Nobody is blocked.")
		return err
	}
	w := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tBLOCKED\tIN THE LOG\tUNTIL")
	for _, b := range list.Blocks {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", b.ID, b.Of, b.Log, b.Until.Local().Format("2006-01-02 15:04:05"))
	}
	return w.Flush()
}

func (o operator) liftBlock(ctx context.Context, std streams, of string) error {
	if err := o.call(ctx, http.MethodDelete, "/api/admin/limits/"+url.PathEscape(of), nil); err != nil {
		return err
	}
	_, err := fmt.Fprintf(std.out, "The block of %s is lifted.\n", of)
	return err
}
