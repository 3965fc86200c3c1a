package cli

import (
	"context"
	"flag"
	"fmt"

	"github.com/schedgen/schedgen/shared/postgres"
)

func migrateCommand() command {
	return command{
		name:    "migrate",
		args:    "--postgres URL",
		summary: "bring a database to the newest schema",
		help: `Applies the migrations that a PostgreSQL database does not have yet. It is safe to run at any time, while
older code runs, and by several at once. Give it the server's own address, not PgBouncer's.
(schedgen up does it at each start.)

Examples:
  schedgen migrate --postgres postgres://schedgen:PASSWORD@db:5432/schedgen
  SCHEDGEN_POSTGRES=postgres://... schedgen migrate     keeps the password out of the command line`,
		flags: func(flags *flag.FlagSet) func(context.Context, streams, []string) error {
			address := flags.String("postgres", "", "the database's `URL`; or $SCHEDGEN_POSTGRES")
			return func(ctx context.Context, std streams, args []string) error {
				if len(args) > 0 {
					return usagef("it takes no arguments but flags, and got %q", args[0])
				}
				if err := fromEnvironment(flags, map[string]string{"postgres": "SCHEDGEN_POSTGRES"}); err != nil {
					return err
				}
				if *address == "" {
					return usagef("it needs --postgres and the address of the database")
				}
				if err := postgres.Migrate(ctx, *address); err != nil {
					return err
				}
				_, err := fmt.Fprintln(std.out, "the database has the newest schema")
				return err
			}
		},
	}
}
