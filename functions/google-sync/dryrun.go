package googlesync

import (
	"net/http"

	"github.com/schedgen/schedgen/functions/google-sync/account"
	"github.com/schedgen/schedgen/functions/google-sync/plan"
	"github.com/schedgen/schedgen/functions/google-sync/syncs"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/calendar"
)

// planAnswer is a plan as callers see it, with the counts that a sync would have.
type planAnswer struct {
	DryRun  bool   `json:"dryRun"`
	Message string `json:"message"`
	Count   int    `json:"count"`
	syncs.Progress
	Actions  []planAction       `json:"actions"`
	KeptList []planKept         `json:"keptEdits"`
	Warnings []calendar.Warning `json:"warnings,omitempty"`
	Notes    []string           `json:"notes,omitempty"` // about the calendar as a whole
}

type planAction struct {
	Operation  plan.Op      `json:"operation"`
	Summary    string       `json:"summary"`
	Start      string       `json:"start,omitempty"`
	Location   string       `json:"location,omitempty"`
	Fields     []plan.Field `json:"fields,omitempty"`     // of a patch
	Overwrites []plan.Field `json:"overwrites,omitempty"` // edited by a person, and changed by the timetable
}

// planKept is an event whose edits by a person a sync keeps.
type planKept struct {
	Summary string       `json:"summary"`
	Fields  []plan.Field `json:"fields,omitempty"`
	Deleted bool         `json:"deleted,omitempty"` // the person deleted the event; it stays deleted
}

// dryRun answers what a sync would do, and changes nothing.
func (f *Function) dryRun(r *http.Request, person account.Account, id string, request syncs.Request, cal calendar.Calendar) (any, error) {
	client, err := f.worker.Client(r.Context(), person)
	if err != nil {
		return nil, err
	}
	p, err := f.worker.Plan(r.Context(), client, person, id, request)
	if err != nil {
		return nil, f.worker.APIError(r.Context(), person, err)
	}
	answer := planAnswer{DryRun: true, Actions: []planAction{}, KeptList: []planKept{}, Warnings: cal.Warnings, Notes: cal.Notes, Progress: syncs.Progress{
		Planned: len(p.Actions), Created: p.Count(plan.Insert, plan.Restore), Updated: p.Count(plan.Patch), Deleted: p.Count(plan.Delete),
		Unchanged: p.Unchanged, Kept: len(p.Kept),
	}}
	answer.Count = answer.Created + answer.Updated + answer.Unchanged
	answer.Message = "This is only a plan. Nothing was changed."
	for _, a := range p.Actions {
		answer.Actions = append(answer.Actions, planAction{a.Op, a.Event.Summary, a.Event.Time.Start, a.Event.Location, a.Fields, a.Overwrites})
	}
	for _, k := range p.Kept {
		answer.KeptList = append(answer.KeptList, planKept{k.Summary, k.Fields, len(k.Fields) == 0})
	}
	return api.Response{Header: api.NoStore(), Body: answer}, nil
}
