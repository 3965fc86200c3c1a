package cli

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/schedgen/schedgen/functions/google-sync/account"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/secret"
)

func googleCommand() command {
	return command{
		name:    "google",
		args:    "new-key ID | rotate-keys --postgres URL",
		summary: "make and change the keys that seal Google's tokens",
		help: `new-key prints a new key for GOOGLE_TOKEN_KEYS. rotate-keys seals by the first of GOOGLE_TOKEN_KEYS every
token in the database that another of them sealed; it is safe at any time, any number of times, while
people sign in. Afterwards the other keys can go.

Examples:
  schedgen google new-key 2027
  GOOGLE_TOKEN_KEYS=2027:...,2026:... schedgen google rotate-keys --postgres postgres://schedgen:PASSWORD@db:5432/schedgen`,
		flags: func(flags *flag.FlagSet) func(context.Context, streams, []string) error {
			address := flags.String("postgres", "", "the database's `URL`; or $SCHEDGEN_POSTGRES")
			return func(ctx context.Context, std streams, args []string) error {
				switch {
				case len(args) == 2 && args[0] == "new-key":
					return newTokenKey(std, args[1])
				case len(args) == 1 && args[0] == "rotate-keys":
					if *address == "" {
						*address = os.Getenv("SCHEDGEN_POSTGRES")
					}
					return rotateTokenKeys(ctx, std, *address, os.Getenv("GOOGLE_TOKEN_KEYS"))
				}
				return usagef("it needs new-key and an id, or rotate-keys")
			}
		},
	}
}

// newTokenKey prints a key, and nothing else: it is to be put where secrets are kept.
func newTokenKey(std streams, id string) error {
	key, err := account.NewKey(id)
	if err != nil {
		return usagef("%v", err)
	}
	_, err = fmt.Fprintln(std.out, key)
	return err
}

func rotateTokenKeys(ctx context.Context, std streams, address, keys string) error {
	if address == "" {
		return usagef("it needs --postgres and the address of the database")
	}
	parsed, err := account.ParseKeys(secret.List(strings.Split(keys, ",")...))
	if err != nil {
		return err
	}
	pool, err := postgres.Open(postgres.Config{URL: secret.New(address)})
	if err != nil {
		return err
	}
	defer pool.Close()
	done, err := account.NewStore(pool, parsed).Rotate(ctx)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(std.out, "%d tokens are sealed by the key %s now\n", done.Sealed, parsed.Current()); err != nil {
		return err
	}
	if done.Lost > 0 {
		return fmt.Errorf("%d tokens were sealed by a key that is not in GOOGLE_TOKEN_KEYS; these people must sign in again", done.Lost)
	}
	return nil
}
