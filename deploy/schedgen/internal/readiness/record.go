package readiness

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Decision is what a person decided: the file of decisions is a JSON list of them. The newest of an item counts, for the
// system that it was made of, for a year; of an item of the days after the launch only if it was made since.
type Decision struct {
	ID     string    `json:"id"`
	Who    string    `json:"who"`
	When   time.Time `json:"when"`
	Seen   string    `json:"seen"`             // what the person saw or did
	Target string    `json:"target,omitempty"` // the system's address; none is a system that no address was given of
}

// decided is the finding of a person's item, of the decision that counts, if there is one.
func (s *system) decided(item Item, all []Decision) Finding {
	f := Finding{State: ToDecide, Evidence: item.Person, How: "schedgen readiness sign " + item.ID + " --who NAME --seen 'WHAT YOU SAW'"}
	if s.Target != "" {
		f.How += " --target " + s.Target
	}
	var newest Decision
	why := ""
	for _, d := range all {
		switch {
		case d.ID != item.ID:
		case strings.TrimRight(d.Target, "/") != s.Target:
			why = cmp.Or(why, "what was decided is of "+cmp.Or(d.Target, "a system without an address"))
		case !d.When.Before(newest.When):
			newest = d
		}
	}
	switch at := newest.When; {
	case newest.ID == "":
	case at.After(s.Now().Add(clockTolerance)):
		why = "the decision of " + newest.Who + " is of " + at.Format(time.DateOnly) + ", which is still to come"
	case s.Now().Sub(at) > fresh:
		why = "the decision of " + newest.Who + " is of " + at.Format(time.DateOnly) + ", more than a year ago"
	case item.Phase == "launch" && at.Before(s.Launched):
		why = "the decision of " + newest.Who + " is of " + at.Format(time.DateOnly) + ", before the launch"
	default:
		return Finding{State: Signed, Evidence: fmt.Sprintf("%s, %s: %s", newest.Who, at.Format(time.DateOnly), newest.Seen)}
	}
	if why != "" {
		f.Evidence = strings.TrimSuffix(f.Evidence, ".") + " (" + why + ")"
	}
	return f
}

// clockTolerance is how far in the future a decision may be: two clocks differ.
const clockTolerance = 5 * time.Minute

// decisionsOf reads a file of decisions. No name, or no file yet, has none. A file that others may write is refused: anybody
// could decide.
func decisionsOf(name string) ([]Decision, error) {
	if name == "" {
		return nil, nil
	}
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var list []Decision
	if info, bad := os.Stat(name); err == nil && bad == nil && info.Mode().Perm()&0o022 != 0 {
		return nil, fmt.Errorf("others than its owner may write %s, which has the mode %04o: chmod 600 it, and see that its decisions are true", name, info.Mode().Perm())
	}
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
	unlock, err := lock(filepath.Dir(name))
	if err != nil {
		return err
	}
	defer unlock()
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

// lock waits until nobody else signs in a folder: of two who read the file at once, one decision would be lost.
func lock(folder string) (unlock func(), err error) {
	held, err := os.Open(folder)
	if err == nil {
		err = syscall.Flock(int(held.Fd()), syscall.LOCK_EX)
	}
	if err != nil {
		return nil, fmt.Errorf("lock the folder of the decisions: %w", err)
	}
	return func() { _ = held.Close() }, nil // nothing was written to it, and the lock ends with it
}
