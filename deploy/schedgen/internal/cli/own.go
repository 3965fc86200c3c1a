package cli

import (
	"bytes"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/strictjson"
)

// ownFlags are a student's own changes on convert's command line.
type ownFlags struct {
	file                                    string
	recesses, cancels, moves, rooms, extras repeated
}

func (o *ownFlags) add(flags *flag.FlagSet) {
	flags.StringVar(&o.file, "changes", "", "a `FILE.json` of your own changes, with terms, recess, exclude, changes and extra as the API takes them")
	flags.Var(&o.recesses, "recess", "your own `recess`, 2026-03-28..2026-04-06, instead of the university's; none for none; may be repeated")
	flags.Var(&o.cancels, "cancel", "a `CLASS` that is not held on a day, \"COS 212 L1=2026-03-02\"; may be repeated")
	flags.Var(&o.moves, "move", "a `CLASS` that is held on another day or at another time, \"COS 212 L1=2026-03-02 2026-03-03 14:30-15:20\"; may be repeated")
	flags.Var(&o.rooms, "room", "a `CLASS` that is held elsewhere on a day, \"COS 212 L1=2026-03-02 IT 4-4\"; may be repeated")
	flags.Var(&o.extras, "extra", "a `CLASS` that no timetable lists, \"COS 212=2026-05-25 08:30-10:20 Aula\"; may be repeated")
}

// ownChanges is the form of the --changes file: that of the API's choices, where it is about days.
type ownChanges struct {
	Terms   calendar.Terms        `json:"terms"`
	Recess  *calendar.Days        `json:"recess"`
	Exclude calendar.Days         `json:"exclude"`
	Changes []calendar.Change     `json:"changes"`
	Extra   []calendar.ExtraClass `json:"extra"`
}

// put adds the student's own changes to the options. The command line's terms come before the file's.
func (o *ownFlags) put(opts *calendar.Options) error {
	own, err := o.read()
	if err != nil {
		return err
	}
	for name, r := range own.Terms {
		if _, given := opts.Terms[name]; !given {
			put(&opts.Terms, name, r)
		}
	}
	opts.Exclude = append(opts.Exclude, own.Exclude...)
	opts.Recess, opts.Changes, opts.Extra = own.Recess, own.Changes, own.Extra
	for _, add := range []func(*calendar.Options) error{o.putRecess, o.putCancels, o.putMoves, o.putRooms, o.putExtra} {
		if err := add(opts); err != nil {
			return err
		}
	}
	return nil
}

func (o *ownFlags) read() (own ownChanges, err error) {
	if o.file == "" {
		return own, nil
	}
	data, err := os.ReadFile(o.file)
	if err != nil {
		return own, fmt.Errorf("%s: %w", o.file, reason(err))
	}
	if err := strictjson.Decode(bytes.NewReader(data), &own); err != nil {
		return own, fmt.Errorf("%s: %w", o.file, err)
	}
	if _, err := calendar.Build(nil, calendar.Options{Terms: own.Terms, Recess: own.Recess, Exclude: own.Exclude, Changes: own.Changes, Extra: own.Extra}); err != nil {
		return own, fmt.Errorf("%s: %w", o.file, err)
	}
	return own, nil
}

func (o *ownFlags) putRecess(opts *calendar.Options) error {
	if len(o.recesses) == 0 {
		return nil
	}
	recess := calendar.Days{}
	for _, s := range o.recesses {
		if s == "none" {
			continue
		}
		r, err := calendar.ParseDays(s)
		if err != nil {
			return usagef("--recess: %v", err)
		}
		recess = append(recess, r)
	}
	if opts.Recess != nil || len(recess) > 0 && slices.Contains(o.recesses, "none") {
		return usagef("--recess: there are two answers; give the days or none, on the command line or in the file")
	}
	opts.Recess = &recess
	return nil
}

func (o *ownFlags) putCancels(opts *calendar.Options) error {
	for _, s := range o.cancels {
		c, rest, err := changeOf("--cancel", s, "COS 212 L1=2026-03-02")
		if err != nil {
			return err
		}
		if rest != "" {
			return usagef("--cancel: %q says more than a class and a date", s)
		}
		c.Cancelled = true
		merge(opts, c)
	}
	return nil
}

func (o *ownFlags) putMoves(opts *calendar.Options) error {
	const form = "COS 212 L1=2026-03-02 2026-03-03 14:30-15:20"
	for _, s := range o.moves {
		c, rest, err := changeOf("--move", s, form)
		if err != nil {
			return err
		}
		words := strings.Fields(rest)
		if len(words) > 0 && !strings.Contains(words[0], ":") {
			if c.NewDate, err = calendar.ParseDate(words[0]); err != nil {
				return usagef("--move: %v", err)
			}
			words = words[1:]
		}
		if len(words) > 0 {
			c.StartTime, c.EndTime, _ = strings.Cut(words[0], "-")
			words = words[1:]
		}
		if len(words) > 0 || c.NewDate.IsZero() && c.StartTime == "" {
			return usagef("--move: %q is not like %q", s, form)
		}
		merge(opts, c)
	}
	return nil
}

func (o *ownFlags) putRooms(opts *calendar.Options) error {
	const form = "COS 212 L1=2026-03-02 IT 4-4"
	for _, s := range o.rooms {
		c, rest, err := changeOf("--room", s, form)
		if err != nil {
			return err
		}
		if c.Venue = rest; rest == "" {
			return usagef("--room: %q is not like %q", s, form)
		}
		merge(opts, c)
	}
	return nil
}

func (o *ownFlags) putExtra(opts *calendar.Options) error {
	const form = "COS 212=2026-05-25 08:30-10:20 Aula"
	for _, s := range o.extras {
		module, value, err := pair("--extra", s, form)
		if err != nil {
			return err
		}
		words := strings.Fields(value)
		if len(words) < 2 {
			return usagef("--extra: %q is not like %q", s, form)
		}
		x := calendar.ExtraClass{Module: module, Venue: strings.Join(words[2:], " ")}
		if x.Date, err = calendar.ParseDate(words[0]); err != nil {
			return usagef("--extra: %v", err)
		}
		x.StartTime, x.EndTime, _ = strings.Cut(words[1], "-")
		if _, err := calendar.Build(nil, calendar.Options{Extra: []calendar.ExtraClass{x}}); err != nil {
			return usagef("--extra: %q: %v", s, err)
		}
		opts.Extra = append(opts.Extra, x)
	}
	return nil
}

// changeOf reads CLASS=DATE and gives what comes after it.
func changeOf(flag, s, form string) (c calendar.Change, rest string, err error) {
	class, value, err := pair(flag, s, form)
	if err != nil {
		return c, "", err
	}
	date, rest, _ := strings.Cut(value, " ")
	if c.Date, err = calendar.ParseDate(date); err != nil {
		return c, "", usagef("%s: %v", flag, err)
	}
	c.Event = class
	return c, strings.TrimSpace(rest), nil
}

// merge adds a change, to what is said of the same class and day already: a class may be moved and get another room.
func merge(opts *calendar.Options, c calendar.Change) {
	for i := range opts.Changes {
		if known := &opts.Changes[i]; known.Event == c.Event && known.Date == c.Date {
			known.Cancelled = known.Cancelled || c.Cancelled
			known.NewDate = cmp.Or(c.NewDate, known.NewDate)
			known.StartTime, known.EndTime = cmp.Or(c.StartTime, known.StartTime), cmp.Or(c.EndTime, known.EndTime)
			known.Venue = cmp.Or(c.Venue, known.Venue)
			return
		}
	}
	opts.Changes = append(opts.Changes, c)
}

// named gives the changes with the ids of the classes that they name, as in "COS 212", "COS 212 L1" or "COS 212 L1 G01".
// A name means each of its classes that would be held on the change's date.
func named(events []calendar.Event, opts calendar.Options) ([]calendar.Change, error) {
	changes := opts.Changes
	opts.Changes = nil
	cal, err := calendar.Build(events, opts)
	if err != nil || len(changes) == 0 {
		return nil, err
	}
	var all []calendar.Change
	for _, c := range changes {
		if slices.ContainsFunc(events, func(e calendar.Event) bool { return e.ID == c.Event }) {
			all = append(all, c)
			continue
		}
		found := false
		for _, item := range cal.Items {
			if means(c.Event, item.Event) && heldOn(item, c.Date) {
				of := c
				of.Event, found = item.Event.ID, true
				all = append(all, of)
			}
		}
		if !found {
			return nil, fmt.Errorf("the calendar has no class %q on %s; check its name and the date", c.Event, c.Date)
		}
	}
	return all, checkChanges(all)
}

func checkChanges(all []calendar.Change) error {
	_, err := calendar.Build(nil, calendar.Options{Changes: all})
	var e *calendar.Error
	if errors.As(err, &e) {
		return usagef("your changes do not fit together: %v", err)
	}
	return err
}

// means reports whether the words of a name begin what the class is called, with or without its activity.
func means(name string, e calendar.Event) bool {
	if e.Date != "" {
		return false
	}
	module, rest, _ := strings.Cut(strings.TrimSpace(name), " ")
	words := strings.Fields(calendar.NormalModule(module) + " " + strings.ToUpper(rest)) // "cos212 l1" is "COS 212 L1"
	for _, called := range []string{e.Module + " " + e.Activity + " " + e.Group, e.Module + " " + e.Group} {
		if full := strings.Fields(strings.ToUpper(called)); len(words) <= len(full) && slices.Equal(words, full[:len(words)]) {
			return true
		}
	}
	return false
}

func heldOn(item calendar.Item, date calendar.Date) bool {
	for o := range calendar.Occurrences(item) {
		if calendar.DateOf(o.Start.In(calendar.Zone)) == date {
			return true
		}
	}
	return false
}
