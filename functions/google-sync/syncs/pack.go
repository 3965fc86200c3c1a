package syncs

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"

	"github.com/schedgen/schedgen/functions/google-sync/plan"
)

// maxPacked bounds what is kept of a request, in bytes. Thousands of events that look alike are a tenth of it.
const maxPacked = 700 << 10

// stored is a Request in the database. The events are packed: they are many that look alike, and who lists syncs
// only wants their number.
type stored struct {
	Request
	Events int    `json:"events"`
	Packed []byte `json:"packed,omitempty"` // the wanted events as JSON in gzip's form
}

// pack gives the JSON to keep, or ErrTooLong.
func (r Request) pack() ([]byte, error) {
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	if err := json.NewEncoder(zip).Encode(r.Wanted); err != nil {
		return nil, err
	}
	if err := zip.Close(); err != nil {
		return nil, err
	}
	if packed.Len() > maxPacked {
		return nil, ErrTooLong
	}
	kept := stored{Request: r, Events: len(r.Wanted), Packed: packed.Bytes()}
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
	zip, err := gzip.NewReader(bytes.NewReader(kept.Packed))
	if err != nil {
		return fmt.Errorf("unpack the events: %w", err)
	}
	data, err := io.ReadAll(zip) // ours: it was no longer than a request's body allows when it was packed
	if err != nil {
		return fmt.Errorf("unpack the events: %w", err)
	}
	var wanted []plan.Event
	if err := json.Unmarshal(data, &wanted); err != nil {
		return fmt.Errorf("unpack the events: %w", err)
	}
	s.Request.Wanted = wanted
	return nil
}
