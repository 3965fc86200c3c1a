// Package readiness looks at a system and says what stands between it and production.
//
// items.yml is the list: 240 items in sections, each of one kind. A check looks at the real thing: the running system
// over HTTP, its Prometheus, its deployment (Docker Compose or Kubernetes), its settings file, its database, its stores,
// the server. A document or a test is looked for in a checkout. A person's item is decided by a person, whose
// decision is kept in a file; no program ticks it.
//
// Each item ends in one State. What could not be looked at is NotLooked and says how to look; it is never OK. The files
// are in the order of a run: items, system (where to look), then the checks by subject, record, and the reports.
package readiness

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// State is how an item stands.
type State string

// States of an item.
const (
	OK        State = "ok"
	Failed    State = "failed"     // it was looked at and is not as it should be
	NotLooked State = "not looked" // nothing is known: it says how to look
	ToDecide  State = "to decide"  // a person has not decided it yet
	Signed    State = "signed"     // a person decided it, see Record
)

// Finding is what a check saw.
type Finding struct {
	State    State  `json:"state"`
	Evidence string `json:"evidence,omitempty"` // what was seen, or why nothing was
	How      string `json:"how,omitempty"`      // how to look, of NotLooked and ToDecide
	Fix      string `json:"fix,omitempty"`      // what to do, of Failed
	Command  string `json:"command,omitempty"`  // the command that does it, or begins it
}

func ok(format string, args ...any) Finding {
	return Finding{State: OK, Evidence: fmt.Sprintf(format, args...)}
}

func failed(format string, args ...any) Finding {
	return Finding{State: Failed, Evidence: fmt.Sprintf(format, args...)}
}

// notLooked is the error of a place that cannot be looked at.
type notLooked struct{ why, how string }

func (e notLooked) Error() string { return e.why }

// from is the finding of an error: what was not there to look at is no fault.
func from(err error) Finding {
	var absent notLooked
	if errors.As(err, &absent) {
		return Finding{State: NotLooked, Evidence: absent.why, How: absent.how}
	}
	if errors.Is(err, fs.ErrPermission) {
		return Finding{State: NotLooked, Evidence: err.Error(), How: "run it as a user who may read the file, or with sudo"}
	}
	return failed("%s", err)
}

// Result is an item with what was found.
type Result struct {
	Item
	Kind Kind `json:"kind"`
	Finding
}

// Selection is which items are looked at; an empty field selects all.
type Selection struct {
	Phase, Section string
	IDs            []string
}

func (s Selection) has(i Item) bool {
	return (s.Phase == "" || s.Phase == i.Phase) && (s.Section == "" || s.Section == i.Section) &&
		(len(s.IDs) == 0 || slices.Contains(s.IDs, i.ID))
}

// ErrSelection is the error of a selection that names what the list does not have.
var ErrSelection = errors.New("no such items")

// valid refuses a name that no item has, and names that no item has together.
func (s Selection) valid(items []Item) error {
	phases, sections, ids := Phases(items), names(items, func(i Item) string { return i.Section }), names(items, func(i Item) string { return i.ID })
	switch {
	case s.Phase != "" && !slices.Contains(phases, s.Phase):
		return fmt.Errorf("%w: there is no phase %q; the phases are %s", ErrSelection, s.Phase, strings.Join(phases, ", "))
	case s.Section != "" && !slices.Contains(sections, s.Section):
		return fmt.Errorf("%w: there is no section %q; the sections are %s", ErrSelection, s.Section, strings.Join(sections, ", "))
	}
	for _, id := range s.IDs {
		if !slices.Contains(ids, id) {
			return fmt.Errorf("%w: there is no item %q; docs/production-readiness.md lists all", ErrSelection, id)
		}
	}
	if !slices.ContainsFunc(items, s.has) {
		return fmt.Errorf("%w: the phase %q has no section %q and no such item", ErrSelection, s.Phase, s.Section)
	}
	return nil
}

// Run looks at the selected items, in their order.
func Run(ctx context.Context, o Options, only Selection) ([]Result, error) {
	items, err := Items()
	if err != nil {
		return nil, err
	}
	decisions, err := decisionsOf(o.Record)
	if err != nil {
		return nil, err
	}
	if err := only.valid(items); err != nil {
		return nil, err
	}
	s := newSystem(o)
	defer s.close()
	bounded, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	var all []Result
	for _, item := range items {
		if !only.has(item) {
			continue
		}
		finding := s.inTime(bounded, item, decisions)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		all = append(all, Result{Item: item, Kind: item.Kind(), Finding: finding})
	}
	return all, nil
}

// inTime looks at an item. What fails because the run's time is over was not looked at.
func (s *system) inTime(ctx context.Context, item Item, decisions []Decision) Finding {
	if item.Kind() == Person {
		return s.look(ctx, item, decisions)
	}
	var f Finding
	if ctx.Err() == nil {
		f = s.look(ctx, item, decisions)
	}
	if ctx.Err() != nil && f.State != OK {
		return from(notLooked{fmt.Sprintf("the run reached its time limit of %s", s.Timeout), "schedgen readiness --section " + item.Section + " --timeout 15m"})
	}
	return f
}

// look finds out how one item stands, in words that a report may have.
func (s *system) look(ctx context.Context, item Item, decisions []Decision) Finding {
	f := s.found(ctx, item, decisions)
	f.Evidence, f.How, f.Fix, f.Command = s.printable(f.Evidence), s.printable(f.How), s.printable(f.Fix), s.printable(f.Command)
	return f
}

func (s *system) found(ctx context.Context, item Item, decisions []Decision) Finding {
	switch item.Kind() {
	case Person:
		return s.decided(item, decisions)
	case Document:
		return s.document(ctx, item).advise("Write or update the page.", "${EDITOR:-vi} "+item.file(), item)
	case Test:
		return s.test(ctx, item.Test).advise("Bring the tests back, and make them pass.", "make test", item)
	}
	name, args := item.check()
	c := registry()[name]
	f := c.run(ctx, s, args).advise(expand(c.fix, args), expand(c.command, args), item)
	if f.State == Failed && (s.Kube || s.Manifests != "") && strings.Contains(f.Command, "docker compose") {
		f.Command = clusterCommand
	}
	return f
}

// clusterCommand is what docker compose up is on a cluster.
const clusterCommand = "make generate && make deploy-knative # or make deploy-openfaas"

// advise adds to a failure what to do: what the check itself said, what the item says, or what its kind of check says.
func (f Finding) advise(fix, command string, item Item) Finding {
	if f.State == Failed && f.Fix == "" {
		f.Fix, f.Command = fix, command
		if item.Remedy != "" {
			f.Fix = item.Remedy
		}
		if item.RemedyCommand != "" {
			f.Command = item.RemedyCommand
		}
	}
	if f.State == NotLooked && item.Look != "" {
		f.How = item.Look
	}
	return f
}

// Red counts what a machine looked at and found wrong.
func Red(all []Result) (n int) {
	for _, r := range all {
		if r.State == Failed {
			n++
		}
	}
	return n
}
