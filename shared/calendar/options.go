package calendar

import (
	"encoding/json"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Options says what a student wants of the events. The zero Options takes everything, in the terms
// of Year. In JSON it is the body of a request.
type Options struct {
	Name      string            `json:"name,omitempty" most:"200"`                 // the calendar's name; a fitting one when empty
	Year      int               `json:"year,omitempty" most:"2200"`                // the academic year, for terms that are not given and for UIDs; else that of Terms
	Terms     Terms             `json:"terms,omitempty" most:"50" each:"200"`      // S1, S2, Q1..Q4, Y, or "" of events that name none; instead of the year's own
	Modules   []string          `json:"modules,omitempty" most:"500" each:"200"`   // only these; all when empty
	Groups    map[string]Choice `json:"groups,omitempty" most:"500" each:"200"`    // by module
	Without   []string          `json:"without,omitempty" most:"500" each:"200"`   // modules left out; unlike Modules, it lets those of later timetables in
	Omit      []string          `json:"omit,omitempty" most:"500" each:"200"`      // events left out, by their ids
	Title     Title             `json:"title,omitempty" most:"100"`                // how titles of lectures are written; in full when empty
	Exclude   Days              `json:"exclude,omitempty" most:"400"`              // days on which no lectures happen, beside those of the university
	Recess    *Days             `json:"recess,omitempty" most:"400"`               // instead of the university's, in the years that it names; an empty list is none
	Changes   []Change          `json:"changes,omitempty" most:"400"`              // of single lectures
	Extra     []ExtraClass      `json:"extra,omitempty" most:"200"`                // classes that no timetable lists
	Reminders []int             `json:"reminders,omitempty" most:"5" each:"40320"` // minutes before the start
	Colors    map[string]string `json:"colors,omitempty" most:"500" each:"100"`    // CSS3 colour names by module

	// Years are the academic years to go by; those that the program ships where it is nil.
	Years Years `json:"-"`

	// Lenient turns a choice of a group or module that does not exist, and a term without dates, into
	// warnings. Feeds want it: a new timetable must not end a subscription.
	Lenient bool `json:"-"`
}

// Choice is the groups of one module that a student takes, such as P02. Within a module it only
// speaks about the letters it names: a choice of P02 leaves out P01 and P03, and keeps G01 and T01.
type Choice []string

// JSONForms are the two ways to write a choice, see package strictjson.
func (Choice) JSONForms() []reflect.Type {
	return []reflect.Type{reflect.TypeFor[string](), reflect.TypeFor[[]string]()}
}

// UnmarshalJSON takes one group or a list of groups.
func (c *Choice) UnmarshalJSON(data []byte) error {
	var one string
	if err := json.Unmarshal(data, &one); err == nil {
		*c = nil
		if one != "" {
			*c = Choice{one}
		}
		return nil
	}
	var many []string
	if err := json.Unmarshal(data, &many); err != nil {
		return invalid("a choice of groups has the wrong form. Write a group or a list of groups")
	}
	*c = many
	return nil
}

// What callers may ask for, at most: enough for any timetable, and little enough that no request
// can make the machine work for long.
const (
	maxTermDays     = 400
	maxExclude      = 400
	maxReminders    = 5
	maxReminder     = 28 * 24 * 60
	maxNameLength   = 200       // characters of the calendar's name, a recess's, a module's, a group's, a term's
	maxChoiceBytes  = 128 << 10 // of all texts together: what a feed keeps
	firstYear       = 2000
	lastYear        = 2200
	maxChoices      = 500
	maxTerms        = 50
	maxGroupsChosen = 200
)

// UseSemester takes the one range that the first frontend sends. It holds for the half of the year
// that it lies in, and for events that name no term; a range longer than a semester holds for all.
// Terms given by name keep their own ranges.
func (o *Options) UseSemester(r Range) {
	if o.Year == 0 {
		o.Year = r.Start.Year
	}
	names := []string{"", r.semester()}
	if r.semester() == "Y" {
		names = []string{"", "S1", "S2", "Y"}
	}
	terms := make(map[string]Range, len(o.Terms)+len(names))
	for _, name := range names {
		terms[name] = r
	}
	for given, own := range o.Terms {
		delete(terms, normalTerm(given)) // however it is spelled
		terms[given] = own
	}
	o.Terms = terms
}

// UseYear settles the academic year, unless it is given: that of the given terms, else the fallback.
func (o *Options) UseYear(fallback int) {
	if o.Year != 0 {
		return
	}
	o.Year = fallback
	var first Date
	for _, r := range o.Terms {
		if first.IsZero() || r.Start.Before(first) {
			first = r.Start
		}
	}
	if !first.IsZero() {
		o.Year = first.Year
	}
}

// normalized checks o and gives it with modules, groups, terms and colours spelled in one way.
func (o Options) normalized() (Options, error) {
	switch {
	case o.Year != 0 && (o.Year < firstYear || o.Year > lastYear):
		return o, invalid("the year %d is not between %d and %d. Check it", o.Year, firstYear, lastYear)
	case len(o.Exclude) > maxExclude || o.Recess != nil && len(*o.Recess) > maxExclude:
		return o, invalid("more than %d ranges are excluded. Send fewer", maxExclude)
	case len(o.Reminders) > maxReminders:
		return o, invalid("there are more than %d reminders. Choose fewer", maxReminders)
	case utf8.RuneCountInString(o.Name) > maxNameLength:
		return o, invalid("the calendar's name is longer than %d characters. Shorten it", maxNameLength)
	case len(o.Terms) > maxTerms:
		return o, invalid("there are more than %d terms. Send fewer", maxTerms)
	case len(o.Omit) > maxChoices:
		return o, invalid("more than %d events are left out. Send fewer", maxChoices)
	case !o.Title.isKnown():
		return o, invalid("%q is no way to write titles. Choose one of: %s", shorten(string(o.Title)), joinNames(titleNames()))
	case len(o.Modules) > maxChoices || len(o.Without) > maxChoices || len(o.Groups) > maxChoices || len(o.Colors) > maxChoices:
		return o, invalid("there are more than %d modules. Send fewer", maxChoices)
	}
	if err := o.checkTexts(); err != nil {
		return o, err
	}
	for _, minutes := range o.Reminders {
		if minutes < 0 || minutes > maxReminder {
			return o, invalid("a reminder of %d minutes is not between 0 and %d. Choose another", minutes, maxReminder)
		}
	}
	o.Reminders = slices.Compact(slices.Sorted(slices.Values(o.Reminders)))
	if err := o.checkChanges(); err != nil {
		return o, err
	}
	if err := o.normalizeTerms(); err != nil {
		return o, err
	}
	return o, o.normalizeModules()
}

// names are all that a caller may name.
func (o *Options) names() []string {
	texts := slices.Concat([]string{o.Name}, o.Modules, o.Without, o.Omit)
	for _, r := range o.Exclude {
		texts = append(texts, r.Name)
	}
	if o.Recess != nil {
		for _, r := range *o.Recess {
			texts = append(texts, r.Name)
		}
	}
	for name, r := range o.Terms {
		texts = append(texts, name, r.Name)
	}
	for module, choice := range o.Groups {
		texts = append(append(texts, module), choice...)
	}
	for module, color := range o.Colors {
		texts = append(texts, module, color)
	}
	return texts
}

// isName reports whether a text is short enough to name something.
func isName(text string) bool { return utf8.RuneCountInString(text) <= maxNameLength }

// checkTexts bounds what a feed keeps of a caller's words.
func (o *Options) checkTexts() error {
	names, all := o.names(), 0
	for _, text := range names {
		if !isName(text) {
			return invalid("the name %q is longer than %d characters. Shorten it", shorten(text), maxNameLength)
		}
	}
	for _, text := range append(names, o.changeTexts()...) {
		if all += len(text); all > maxChoiceBytes {
			return invalid("the texts of these choices have more than %d bytes in all. Send fewer, or shorter ones", maxChoiceBytes)
		}
	}
	return nil
}

func (o *Options) normalizeTerms() error {
	terms := make(map[string]Range, len(o.Terms))
	for _, name := range slices.Sorted(maps.Keys(o.Terms)) {
		if err := checkTerm(name, o.Terms[name]); err != nil {
			return err
		}
		normal := normalTerm(name)
		if _, twice := terms[normal]; twice {
			return invalid("%s is given twice. Give it once", termLabel(normal))
		}
		terms[normal] = o.Terms[name]
	}
	o.UseYear(0)
	for _, r := range o.Exclude {
		if err := r.check(); err != nil {
			return invalid("exclude: %v", err)
		}
	}
	if o.Recess != nil {
		for _, r := range *o.Recess {
			if err := r.check(); err != nil {
				return invalid("recess: %v", err)
			}
		}
	}
	o.Terms = terms
	return nil
}

func checkTerm(name string, r Range) error {
	if err := r.check(); err != nil {
		return ofTerm(name, err)
	}
	if r.Start.Year < firstYear || r.End.Year > lastYear || r.Start.DaysUntil(r.End) > maxTermDays {
		return invalid("%s: %s is longer than %d days or too far away. Check both dates", termLabel(name), r, maxTermDays)
	}
	return nil
}

func (o *Options) normalizeModules() error {
	o.Modules, o.Without = normalModules(o.Modules), normalModules(o.Without)
	groups := make(map[string]Choice, len(o.Groups))
	for _, m := range slices.Sorted(maps.Keys(o.Groups)) {
		choice := o.Groups[m]
		if len(choice) > maxGroupsChosen {
			return invalid("more than %d groups of one module are chosen. Choose fewer", maxGroupsChosen)
		}
		for _, g := range choice {
			groups[NormalModule(m)] = append(groups[NormalModule(m)], normalGroup(g))
		}
	}
	o.Groups = groups
	colors := make(map[string]string, len(o.Colors))
	for _, m := range slices.Sorted(maps.Keys(o.Colors)) {
		name := o.Colors[m]
		lower := strings.ToLower(strings.TrimSpace(name))
		if !isColorName(lower) {
			return invalid("%q is not a colour that we know. Use a CSS3 name such as \"steelblue\"", shorten(name))
		}
		if before, twice := colors[NormalModule(m)]; twice && before != lower {
			return invalid("%s is given two colours. Choose one", shorten(NormalModule(m)))
		}
		colors[NormalModule(m)] = lower
	}
	o.Colors = colors
	return nil
}

func normalModules(modules []string) []string {
	normal := make([]string, 0, len(modules))
	for _, m := range modules {
		normal = append(normal, NormalModule(m))
	}
	return normal
}

var moduleParts = regexp.MustCompile(`^([A-Z]+)\s*([0-9][0-9A-Z]*)$`)

// NormalModule spells a module's code as the timetables do: "cos212" is "COS 212".
func NormalModule(s string) string {
	s = strings.Join(strings.Fields(strings.ToUpper(s)), " ")
	if p := moduleParts.FindStringSubmatch(s); p != nil {
		return p[1] + " " + p[2]
	}
	return s
}

func normalTerm(s string) string { return strings.ToUpper(strings.TrimSpace(s)) }

func normalGroup(s string) string { return strings.ToUpper(strings.TrimSpace(s)) }

// family is the letters of a group: "P" of P02.
func family(group string) string {
	return strings.TrimRight(normalGroup(group), "0123456789")
}
