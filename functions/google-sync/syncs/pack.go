package syncs

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/schedgen/schedgen/functions/google-sync/plan"
	"github.com/schedgen/schedgen/shared/pack"
)

// maxPacked bounds what is kept of a request, in bytes.
const maxPacked = 700 << 10

// stored is a Request in the database. The events are packed: they are many that look alike, and who lists syncs
// only wants their number.
type stored struct {
	Request
	Events int    `json:"events"`
	Packed []byte `json:"packed,omitempty"` // the wanted events as JSON in gzip's form
}

// pack gives the JSON to keep, or [pack.ErrTooLong].
func (r Request) pack() ([]byte, error) {
	packed, err := pack.Pack(maxPacked, func(w io.Writer) error { return json.NewEncoder(w).Encode(r.Wanted) })
	if err != nil {
		return nil, err
	}
	kept := stored{Request: r, Events: len(r.Wanted), Packed: packed}
	kept.Wanted = nil
	return json.Marshal(kept)
}

// unpack reads what pack made. Requests of programs before it hold their events as they are.
func (s *Sync) unpack(request []byte) error {
	var kept stored
	if err := json.Unmarshal(request, &kept); err != nil {
		return err
	}
	s.Request, s.Events, s.Removes = kept.Request, max(kept.Events, len(kept.Wanted)), kept.Remove
	if kept.Packed == nil {
		return nil
	}
	data, err := pack.Unpack(kept.Packed)
	if err != nil {
		return err
	}
	var wanted []plan.Event
	if err := json.Unmarshal(data, &wanted); err != nil {
		return fmt.Errorf("unpack the events: %w", err)
	}
	s.Request.Wanted = wanted
	return nil
}
