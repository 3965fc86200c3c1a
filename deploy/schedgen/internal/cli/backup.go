package cli

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/schedgen/schedgen/functions/backup/progress"
	"github.com/schedgen/schedgen/functions/backup/restore"
	"github.com/schedgen/schedgen/functions/backup/store"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/secret"
)

func backupCommand() command {
	return command{
		name:    "backup",
		args:    "now|list|verify|restore [ID] [FLAGS]",
		summary: "make, list, prove and restore backups",
		help: `Works on the backups of a system: makes one now, lists them, proves one by restoring it into a scratch
database, or restores one: the database and the PDFs, compared with the backup at the end. Restoring
refuses a database that is not empty, unless --replace is given; what is there then comes back if the
restore fails.

Which system: that of --postgres and --s3 (or of the functions' environment: DATABASE_URL, S3_URL,
BACKUP_S3_URL and so on); without them, that of the data directory. While schedgen up runs there, it is
asked over HTTP; a restore needs it stopped.

Backups are encrypted to --recipient, an age public key; its secret half, --identity, is needed to
restore, and to prove more than checksums. docs/backup-and-recovery.md has the runbook.

Examples:
  schedgen backup now --recipient age1...          a backup of the system under .schedgen
  schedgen backup list
  schedgen backup verify --identity key.txt        proves the newest; with an ID, that one
  schedgen backup restore --identity key.txt --at 2026-02-09
  schedgen backup restore --identity key.txt --to postgres://schedgen:PASSWORD@db2:5432/schedgen \
              --s3 http://KEY:SECRET@minio2:9000/schedgen-pdfs --backup-s3 http://KEY:SECRET@safe:9000/schedgen-backups`,
		flags: func(flags *flag.FlagSet) func(context.Context, streams, []string) error {
			var o backupOptions
			o.declare(flags)
			return func(ctx context.Context, std streams, args []string) error {
				return o.run(ctx, std, flags, args)
			}
		},
	}
}

// backupOptions are the flags of all its sub-commands.
type backupOptions struct {
	data, server                    string
	postgres, s3, backupS3, offsite string
	recipients                      repeated
	identity, scratch               string
	at, to                          string
	replace, fromOffsite, asJSON    bool
	unsigned, ignoreDeletions       bool
	withoutDamagedPDFs              bool
}

func (o *backupOptions) declare(flags *flag.FlagSet) {
	flags.StringVar(&o.data, "data", ".schedgen", "the data `DIRECTORY` of the system; or $SCHEDGEN_DATA")
	flags.StringVar(&o.server, "server", "", "the `URL` of a running system, to ask it over HTTP with $ADMIN_TOKEN")
	flags.StringVar(&o.postgres, "postgres", "", "the `URL` of the database; or $SCHEDGEN_POSTGRES")
	flags.StringVar(&o.s3, "s3", "", "the `URL` of the bucket of PDFs, with keys; or $SCHEDGEN_S3")
	flags.StringVar(&o.backupS3, "backup-s3", "", "the `URL` of the bucket of backups, with keys; or $SCHEDGEN_BACKUP_S3")
	flags.StringVar(&o.offsite, "offsite-s3", "", "the `URL` of the second bucket of backups, with keys; or $SCHEDGEN_OFFSITE_S3")
	flags.Var(&o.recipients, "recipient", "an age public `KEY` to encrypt to; may be given several times; or $BACKUP_RECIPIENTS")
	flags.StringVar(&o.identity, "identity", "", "the `FILE` with the secret key; or $BACKUP_IDENTITY_FILE")
	flags.StringVar(&o.scratch, "scratch", "", "the `URL` of a database beside which a proof restores; else the system's own server")
	flags.StringVar(&o.at, "at", "", "restore: the newest backup that is not after this `TIME` (2026-02-09, 2026-02-09T02:00:00Z)")
	flags.StringVar(&o.to, "to", "", "restore: the `URL` of the database to restore into; else the system's own")
	flags.BoolVar(&o.replace, "replace", false, "restore: also into a database that is not empty")
	flags.BoolVar(&o.unsigned, "unsigned", false, "restore: also a backup that no known key signed ($BACKUP_VERIFY_KEYS)")
	flags.BoolVar(&o.ignoreDeletions, "ignore-deletions", false, "restore: also where the list of people who deleted everything cannot be used; they may come back")
	flags.BoolVar(&o.withoutDamagedPDFs, "without-damaged-pdfs", false, "restore: also where PDFs are lost because they are damaged in the backup")
	flags.BoolVar(&o.fromOffsite, "offsite", false, "list, verify, restore: the second bucket's backups")
	flags.BoolVar(&o.asJSON, "json", false, "list: as JSON")
}

// run does one sub-command.
func (o *backupOptions) run(ctx context.Context, std streams, flags *flag.FlagSet, args []string) error {
	what, id, err := o.check(args)
	if err != nil {
		return err
	}
	if err := fromEnvironment(flags, map[string]string{
		"data": "SCHEDGEN_DATA", "postgres": "SCHEDGEN_POSTGRES", "s3": "SCHEDGEN_S3",
		"backup-s3": "SCHEDGEN_BACKUP_S3", "offsite-s3": "SCHEDGEN_OFFSITE_S3",
	}); err != nil {
		return err
	}
	until, err := parseMoment(o.at)
	if err != nil {
		return err
	}
	// What a server would log is told by the progress and the error.
	ctx = api.WithLogger(progress.With(ctx, progress.Lines(std.err)), slog.New(slog.DiscardHandler))
	on, err := o.open(ctx, std, what)
	if err != nil {
		return err
	}
	defer on.close()
	switch what {
	case "now":
		made, err := on.now(ctx)
		if made.ID != "" {
			fmt.Fprintln(std.out, describe(made))
		}
		return err
	case "list":
		return o.printList(ctx, std, on)
	case "verify":
		return o.verify(ctx, std, on, id)
	}
	return restoreBackup(ctx, std, on, restore.Options{ID: id, At: until, To: secret.New(o.to), Replace: o.replace, Offsite: o.fromOffsite, Unsigned: o.unsigned,
		IgnoreDeletions: o.ignoreDeletions, WithoutDamagedPDFs: o.withoutDamagedPDFs})
}

// check reads the sub-command and the backup that it names.
func (o *backupOptions) check(args []string) (what, id string, err error) {
	if len(args) == 0 {
		return "", "", usagef("it needs one of now, list, verify, restore")
	}
	what = args[0]
	takesID := what == "verify" || what == "restore"
	switch {
	case !slices.Contains([]string{"now", "list", "verify", "restore"}, what):
		return "", "", usagef("%q is none of now, list, verify, restore", what)
	case len(args) > 2 || len(args) == 2 && !takesID:
		return "", "", usagef("%s got an argument too many: %q", what, args[len(args)-1])
	case what != "restore" && (o.at != "" || o.to != "" || o.replace || o.unsigned || o.ignoreDeletions || o.withoutDamagedPDFs):
		return "", "", usagef("--at, --to, --replace, --unsigned, --ignore-deletions and --without-damaged-pdfs are for restore")
	case len(args) == 2 && o.at != "":
		return "", "", usagef("a backup is named by its ID or by --at, not by both")
	}
	if len(args) == 2 {
		id = args[1]
	}
	return what, id, nil
}

// parseMoment reads a time; a day alone means its end, so that the day's backup is meant.
func parseMoment(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if day, err := time.ParseInLocation(time.DateOnly, text, time.Local); err == nil {
		return day.AddDate(0, 0, 1).Add(-time.Nanosecond), nil
	}
	for _, form := range []string{time.RFC3339, "2006-01-02T15:04", "2006-01-02 15:04"} {
		if at, err := time.ParseInLocation(form, text, time.Local); err == nil {
			return at, nil
		}
	}
	return time.Time{}, usagef("--at: %q is not a time such as 2026-02-09 or 2026-02-09T02:00:00Z", text)
}

// verify proves one backup, or the newest.
func (o *backupOptions) verify(ctx context.Context, std streams, on *backups, id string) error {
	if id == "" {
		list, err := on.list(ctx, o.fromOffsite)
		if err != nil {
			return err
		}
		if len(list.Backups) == 0 {
			return fmt.Errorf("there is no backup to verify")
		}
		id = list.Backups[0].ID
	}
	looked, err := on.verify(ctx, id, o.fromOffsite)
	if looked.ID != "" {
		fmt.Fprintln(std.out, describe(looked))
	}
	if err == nil && !looked.Good() {
		err = fmt.Errorf("the backup is bad: %s", looked.Verification.Error)
	}
	return err
}

// printList tells all backups, the newest first.
func (o *backupOptions) printList(ctx context.Context, std streams, on *backups) error {
	list, err := on.list(ctx, o.fromOffsite)
	if err != nil {
		return err
	}
	if o.asJSON {
		out := json.NewEncoder(std.out)
		out.SetIndent("", "  ")
		return out.Encode(list)
	}
	for _, b := range list.Backups {
		fmt.Fprintln(std.out, describe(b))
	}
	if list.Reason != "" {
		fmt.Fprintln(std.err, "warning:", list.Reason)
	}
	return nil
}

// describe is a backup on a line.
func describe(b store.Summary) string {
	line := fmt.Sprintf("%s  %s  %-10s  %9d rows  %6d PDFs  %8.1f MB stored", b.ID, b.CreatedAt.Local().Format("2006-01-02 15:04:05"),
		b.Status, b.Rows, b.Objects, float64(b.StoredBytes)/1e6)
	if b.Offsite != nil && b.Offsite.OK {
		line += "  off site"
	}
	return line
}

// restoreBackup restores, and tells what was looked at in the end.
func restoreBackup(ctx context.Context, std streams, on *backups, what restore.Options) error {
	restored, err := on.restore(ctx, what)
	for _, check := range restored.Checks {
		state, says := "ok  ", check.Detail
		if check.Err != "" {
			state, says = "FAIL", check.Err
		}
		fmt.Fprintf(std.out, "%s %-10s %s\n", state, check.Name, says)
	}
	for _, key := range restored.Lost {
		fmt.Fprintf(std.out, "LOST %s: it is damaged in the backup\n", key)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "restored %s, the state of %s, in %.1f s\n", restored.Backup.ID,
		restored.Backup.CreatedAt.Local().Format("2006-01-02 15:04:05"), restored.Seconds)
	return nil
}
