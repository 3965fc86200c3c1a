package readiness

import (
	"fmt"
	"strings"
)

// intro begins docs/production-readiness.md.
const intro = `# Production readiness

` + "`schedgen readiness`" + ` goes through this list and says how each item stands, and what to do about each that is red. This
page is made from the same list (` + "`deploy/schedgen/internal/readiness/items.yml`" + `); a test fails where it is not current.

<!-- not run: a cluster, a domain -->
` + "```sh" + `
schedgen readiness                                        # the system of this machine, and this checkout
schedgen readiness --target https://schedgen.example.org --token-file admin-token --prometheus http://localhost:9090 \
  --compose deploy/compose/compose.yml,deploy/compose/compose.prod.yml --settings deploy/compose/.env
schedgen readiness --kube --section workers               # one section, of what runs in the cluster of kubectl
sudo schedgen readiness server --settings deploy/compose/.env   # on the server: its own items, read-only
schedgen readiness sign approve-budget --who 'Thandi M.' --seen 'the estimate of March' --record decisions.json \
  --target https://schedgen.example.org
` + "```" + `

## After the launch

A schedule calls ` + "`schedgen readiness watch`" + ` once a day, as it does for the backups of a single server
([schedules](backup-and-recovery.md#schedules)). It looks at the sections first day (on the day of the launch and the next),
first week (daily) and first month (weekly), and sends what it found, or why nothing could be looked at, where the alerts
of backups go (` + "`ALERT_...`" + `). The exit code tells the schedule too. On the first day, look every two hours with
` + "`--section first-day`" + `. From cron:

` + "```" + `
0 7 * * * . /etc/schedgen/alerts.env && schedgen readiness watch --launched 2026-02-01 --target https://schedgen.example.org --token-file /etc/schedgen/admin-token --prometheus http://localhost:9090
` + "```" + `

## The list

An item is one of four kinds.

- **check**: a program looks at the real thing.
- **document**: a file of the checkout is there, has its section, says in it what it must say, and was changed within a year.
- **test**: named tests are in the tree, and passed in a run since the last commit, whose results are read
  (` + "`go test -json`" + `, ` + "`--results`" + `).
- **person**: a person decides, and ` + "`--record`" + ` keeps who, when, what was seen and of which system (` + "`--target`" + `). No program
  ticks it. A decision counts for that system, for a year, and of the days after the launch only if it was made since
  ` + "`--launched`" + `. A file that others may write is refused.

An item is **ok**, **failed** (red), **not looked** (nothing is known; the report says how to look), **to decide**, or
**signed**. Nothing is ok that was not looked at. A run ends after ` + "`--timeout`" + ` (5 minutes); what it did not reach is not
looked at. The exit code is 0 if nothing is red, 1 if something is or the command failed, and 2 for a wrong command line.

`

// Page is docs/production-readiness.md.
func Page(items []Item) string {
	var b strings.Builder
	b.WriteString(intro)
	phase, section := "", ""
	for _, i := range items {
		if i.Phase != phase {
			phase = i.Phase
			fmt.Fprintf(&b, "## Phase: %s\n\n", phase)
		}
		if i.Section != section {
			section = i.Section
			fmt.Fprintf(&b, "### %s\n\n", heading(section))
		}
		fmt.Fprintf(&b, "- `%s` (%s): **%s.**%s\n  %s\n", i.ID, i.Kind(), strings.TrimSuffix(i.Text, "."), instead(i), i.evidence())
		if last(items, i) {
			b.WriteString("\n")
		}
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// last says whether an item is the last of its section.
func last(items []Item, item Item) bool {
	for at, i := range items {
		if i.ID == item.ID {
			return at+1 == len(items) || items[at+1].Section != i.Section
		}
	}
	return false
}

func heading(section string) string {
	words := strings.ReplaceAll(section, "-", " ")
	return strings.ToUpper(words[:1]) + words[1:]
}

func instead(i Item) string {
	if i.Instead == "" {
		return ""
	}
	return " Here: " + i.Instead + "."
}

// evidence is what makes the item green.
func (i Item) evidence() string {
	switch i.Kind() {
	case Document:
		words := strings.Fields(i.Document)
		more := ""
		if len(words) > 1 {
			more = mentions(words[1:])
		}
		return "Evidence: `" + words[0] + "`" + more + "."
	case Test:
		return "Evidence: these tests are in their folders, and passed: `" + i.Test + "`."
	case Person:
		return "A person decides: " + i.Person
	}
	name, args := i.check()
	if name == "hand" {
		return "No program looks: " + i.Look + "."
	}
	c := registry()[name]
	fix, command := expand(c.fix, args), expand(c.command, args)
	if i.Remedy != "" {
		fix = i.Remedy
	}
	if i.RemedyCommand != "" {
		command = i.RemedyCommand
	}
	return fmt.Sprintf("Evidence: %s. If it is red: %s `%s`", expand(c.says, args), fix, command)
}

// mentions says which words a document must have, and which not.
func mentions(words []string) (all string) {
	for _, word := range words {
		word = strings.ReplaceAll(word, "~", " ")
		if not, isNot := strings.CutPrefix(word, "!"); isNot {
			all += " without `" + not + "`"
		} else {
			all += " with `" + word + "`"
		}
	}
	return all
}
