package readiness

import (
	"context"
	_ "embed" // the list
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed items.yml
var itemsFile []byte

// Kind is how an item is looked at.
type Kind string

// Kinds of items.
const (
	Check    Kind = "check"
	Document Kind = "document"
	Test     Kind = "test"
	Person   Kind = "person"
)

// Item is one line of the list. One of Check, Document, Test and Person is set.
type Item struct {
	ID      string `yaml:"id" json:"id"` // never changes: records name it
	Section string `yaml:"-" json:"section"`
	Phase   string `yaml:"-" json:"phase"`
	Text    string `yaml:"text" json:"text"`
	Instead string `yaml:"instead" json:"instead,omitempty"` // what does the job here of a tool that the list once named

	Check    string `yaml:"check" json:"check,omitempty"`       // the check's name and its arguments
	Document string `yaml:"document" json:"document,omitempty"` // a file of the checkout, and #a-heading of it
	Test     string `yaml:"test" json:"test,omitempty"`         // folders of the checkout, each followed by its tests
	Person   string `yaml:"person" json:"person,omitempty"`     // what the person decides or sees

	Look          string `yaml:"look" json:"-"` // how to look, where no program does
	Remedy        string `yaml:"fix" json:"-"`  // in place of the check's own
	RemedyCommand string `yaml:"command" json:"-"`
}

// Kind says how the item is looked at.
func (i Item) Kind() Kind {
	switch {
	case i.Document != "":
		return Document
	case i.Test != "":
		return Test
	case i.Person != "":
		return Person
	}
	return Check
}

// file is the document of an item, without the section that it names.
func (i Item) file() string {
	name, _, _ := strings.Cut(strings.Fields(i.Document)[0], "#")
	return name
}

// check is the name and the arguments of its check.
func (i Item) check() (name string, args []string) {
	words := strings.Fields(i.Check)
	if len(words) == 0 {
		return "", nil
	}
	return words[0], words[1:]
}

// Items returns the list in its order.
func Items() ([]Item, error) {
	var sections []struct {
		Phase   string
		Section string
		Items   []Item
	}
	if err := yaml.Unmarshal(itemsFile, &sections); err != nil {
		return nil, fmt.Errorf("read the list of items: %w", err)
	}
	var all []Item
	for _, s := range sections {
		for _, item := range s.Items {
			item.Phase, item.Section = s.Phase, s.Section
			all = append(all, item)
		}
	}
	return all, nil
}

// Phases are the phases of items, each once, in their order.
func Phases(items []Item) []string {
	return names(items, func(i Item) string { return i.Phase })
}

// names are what items have of something, each once, in their order.
func names(items []Item, of func(Item) string) (all []string) {
	for _, i := range items {
		if !slices.Contains(all, of(i)) {
			all = append(all, of(i))
		}
	}
	return all
}

// check is a way to look at something.
type check struct {
	run func(ctx context.Context, s *system, args []string) Finding
	// args is how many it takes; -1 is one or more.
	args int
	// says is what is looked at; fix and command are what to do about what is wrong. $1 is the first argument, $@ all.
	says, fix, command string
}

// registry is every check by its name.
func registry() map[string]check {
	all := map[string]check{"hand": {run: byHand, says: "nothing: no program looks at this"}}
	for _, some := range []map[string]check{systemChecks(), addressChecks(), metricChecks(), prometheusChecks(), deploymentChecks(), secretChecks(),
		databaseChecks(), storeChecks(), backupChecks(), serverChecks(), serverSecurityChecks()} {
		maps.Copy(all, some)
	}
	return all
}

// byHand is the check of an item that no program looks at yet.
func byHand(context.Context, *system, []string) Finding {
	return Finding{State: NotLooked, Evidence: "no program looks at this"}
}

// expand puts arguments into a text.
func expand(text string, args []string) string {
	text = strings.ReplaceAll(text, "$@", strings.Join(args, ", "))
	for i := range args {
		text = strings.ReplaceAll(text, "$"+strconv.Itoa(i+1), args[i])
	}
	return text
}

// valid reports what is wrong with an item.
func (i Item) valid() error {
	kinds := 0
	for _, given := range []string{i.Check, i.Document, i.Test, i.Person} {
		if given != "" {
			kinds++
		}
	}
	if kinds != 1 || i.ID == "" || i.Text == "" {
		return errors.New("it needs an id, a text, and one of check, document, test and person")
	}
	if i.Check == "" {
		return nil
	}
	name, args := i.check()
	c, known := registry()[name]
	switch {
	case !known:
		return fmt.Errorf("there is no check %q", name)
	case c.args >= 0 && len(args) != c.args, c.args < 0 && len(args) == 0:
		return fmt.Errorf("the check %s does not take %d arguments", name, len(args))
	case name == "expression" && expressions[args[0]] == "":
		return fmt.Errorf("there is no expression %q", args[0])
	case name == "hand" && i.Look == "":
		return errors.New("it does not say how to look by hand")
	case name != "hand" && (i.Remedy == "" && c.fix == "" || i.RemedyCommand == "" && c.command == ""):
		return fmt.Errorf("neither it nor the check %s says how to make it green", name)
	}
	return nil
}
