package readiness

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Decision is what a person decided: the file of decisions is a JSON list of them. The newest of an item counts.
type Decision struct {
	ID   string    `json:"id"`
	Who  string    `json:"who"`
	When time.Time `json:"when"`
	Seen string    `json:"seen"` // what the person saw or did
}

// readRecord returns the decisions of a file by their items. No name, or no file yet, has none.
func readRecord(name string) (map[string]Decision, error) {
	list, err := decisionsOf(name)
	if err != nil {
		return nil, err
	}
	newest := map[string]Decision{}
	for _, d := range list {
		if !d.When.Before(newest[d.ID].When) {
			newest[d.ID] = d
		}
	}
	return newest, nil
}

func decisionsOf(name string) ([]Decision, error) {
	if name == "" {
		return nil, nil
	}
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var list []Decision
	if err == nil {
		err = json.Unmarshal(text, &list)
	}
	if err != nil {
		return nil, fmt.Errorf("read the decisions: %w", err)
	}
	items, err := Items()
	if err != nil {
		return nil, err
	}
	for _, d := range list {
		if err := d.checked(items); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return list, nil
}

// checked refuses what is no decision of a person.
func (d Decision) checked(items []Item) error {
	at := slices.IndexFunc(items, func(i Item) bool { return i.ID == d.ID })
	switch {
	case at < 0:
		return fmt.Errorf("there is no item %q. docs/production-readiness.md lists all", d.ID)
	case items[at].Kind() != Person:
		return fmt.Errorf("%s is a %s: a program looks at it, nobody signs it", d.ID, items[at].Kind())
	case strings.TrimSpace(d.Who) == "" || strings.TrimSpace(d.Seen) == "" || d.When.IsZero():
		return fmt.Errorf("the decision on %s does not say who, when, and what was seen", d.ID)
	}
	return nil
}

// Sign adds a decision to a file, which only its owner may read and write. Earlier decisions stay in it.
func Sign(name string, d Decision) error {
	items, err := Items()
	if err == nil {
		err = d.checked(items)
	}
	if err != nil {
		return err
	}
	list, err := decisionsOf(name)
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(append(list, d), "", "  ")
	if err != nil {
		return fmt.Errorf("write the decisions: %w", err)
	}
	// Renamed into place: a crash in between leaves no half of a file.
	whole, err := os.CreateTemp(filepath.Dir(name), ".readiness.*")
	if err != nil {
		return fmt.Errorf("write the decisions: %w", err)
	}
	_, err = whole.Write(append(text, '\n'))
	if err = errors.Join(err, whole.Sync(), whole.Close()); err == nil {
		err = os.Rename(whole.Name(), name)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write the decisions: %w", err), os.Remove(whole.Name()))
	}
	return nil
}
