package plan_test

import (
	"fmt"
	"time"

	"github.com/schedgen/schedgen/functions/google-sync/plan"
)

// The lecture moved to another room after a person had edited its title: the room is written, and the edit stays.
func Example() {
	written := plan.Fields{Summary: "COS 212 L1", Location: "Centenary 6"}
	existing := plan.Existing{ID: "1", Base: written.Base(), Fields: written}
	existing.Fields.Summary = "Data structures"

	wanted := plan.Event{ID: "1", Fields: plan.Fields{Summary: "COS 212 L1", Location: "IT 4-4"}}
	history := plan.Memory{Known: true, States: map[string]plan.State{"1": plan.Written}}
	p := plan.Make([]plan.Event{wanted}, []plan.Existing{existing}, plan.Authority{}, history, time.Time{})
	for _, action := range p.Actions {
		fmt.Println(action.Op, action.Fields)
	}
	for _, kept := range p.Kept {
		fmt.Println("kept", kept.Fields)
	}
	// Output:
	// patch [location]
	// kept [summary]
}
