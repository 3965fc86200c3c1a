package calendar

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// catalog is what the events hold to choose from: modules, and in each its groups.
type catalog map[string][]string

func catalogOf(events []Event) catalog {
	o := make(catalog)
	for _, e := range events {
		module := NormalModule(e.Module)
		group := normalGroup(e.Group)
		if _, ok := o[module]; !ok {
			o[module] = nil
		}
		if group != "" && !slices.Contains(o[module], group) {
			o[module] = append(o[module], group)
		}
	}
	for _, groups := range o {
		slices.Sort(groups)
	}
	return o
}

func (o catalog) modules() []string { return slices.Sorted(maps.Keys(o)) }

// hasSeveral reports whether the module has several groups of that letter.
func (o catalog) hasSeveral(module, letters string) bool {
	count := 0
	for _, group := range o[NormalModule(module)] {
		if family(group) == letters {
			count++
		}
	}
	return count > 1
}

// choose gives the events of the modules and groups that opts takes, without those that it omits. A choice of what
// does not exist is an [Error], or, for lenient options, left out and told as a warning; to omit what does not exist
// is neither, for there is nothing to show.
func choose(events []Event, opts Options) ([]Event, []Warning, error) {
	has := catalogOf(events)
	var warnings []Warning
	refuse := func(e *Error) error {
		if !opts.Lenient {
			return e
		}
		warnings = append(warnings, Warning{Code: e.Code, Message: Sentence(e.Message)})
		return nil
	}
	wanted, err := chooseModules(opts.Modules, has, refuse)
	if err != nil {
		return nil, nil, err
	}
	groups, err := chooseGroups(opts.Groups, has, refuse)
	if err != nil {
		return nil, nil, err
	}
	chosen := make([]Event, 0, len(events))
	for _, e := range events {
		module := NormalModule(e.Module)
		leftOut := slices.Contains(opts.Without, module) || slices.Contains(opts.Omit, e.ID)
		if (wanted == nil || wanted[module]) && groups[module].includes(e.Group) && !leftOut {
			chosen = append(chosen, e)
		}
	}
	return chosen, warnings, nil
}

// chooseModules gives the set of wanted modules; nil means all.
func chooseModules(modules []string, has catalog, refuse func(*Error) error) (map[string]bool, error) {
	if len(modules) == 0 {
		return nil, nil
	}
	wanted := make(map[string]bool, len(modules))
	for _, module := range modules {
		if _, ok := has[module]; !ok {
			if err := refuse(unknownModule(module, has)); err != nil {
				return nil, err
			}
		}
		wanted[module] = true
	}
	return wanted, nil
}

// chooseGroups keeps the choices that exist.
func chooseGroups(choices map[string]Choice, has catalog, refuse func(*Error) error) (map[string]Choice, error) {
	groups := make(map[string]Choice, len(choices))
	for _, module := range slices.Sorted(maps.Keys(choices)) {
		available, ok := has[module]
		if !ok {
			if err := refuse(unknownModule(module, has)); err != nil {
				return nil, err
			}
			continue
		}
		for _, group := range choices[module] {
			if slices.Contains(available, group) {
				groups[module] = append(groups[module], group)
				continue
			}
			err := refuse(&Error{
				Code:    UnknownGroup,
				Message: fmt.Sprintf("%s has no group %q. Choose from those that it has: %s", module, shorten(group), joinNames(available)),
				Details: map[string]any{"module": module, "group": shorten(group), "groups": available},
			})
			if err != nil {
				return nil, err
			}
		}
	}
	return groups, nil
}

// includes reports whether the choice lets the group in: it does unless it names others of its family.
func (c Choice) includes(group string) bool {
	group = normalGroup(group)
	spoken := false
	for _, mine := range c {
		if mine == group {
			return true
		}
		spoken = spoken || family(mine) == family(group)
	}
	return !spoken || group == ""
}

func unknownModule(module string, has catalog) *Error {
	return &Error{
		Code:    UnknownModule,
		Message: fmt.Sprintf("the timetable has no module %q. Choose from those that it has: %s", shorten(module), joinNames(has.modules())),
		Details: map[string]any{"module": shorten(module), "modules": has.modules()},
	}
}

// joinNames writes names for people, not endlessly many.
func joinNames(names []string) string {
	const most = 12
	if len(names) == 0 {
		return "none"
	}
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}
