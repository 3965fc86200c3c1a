package extract

import "github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"

// layers are the document's optional content groups as a viewer shows them when it opens the file
// (ISO 32000-1, 8.11). What is malformed is shown.
type layers struct {
	doc *document
	off map[int]bool // groups that are not shown, by object number; nil where the document has no groups
}

func (d *document) readLayers(catalog types.Dict) layers {
	properties := d.dict(catalog["OCProperties"])
	if properties == nil {
		return layers{doc: d}
	}
	l := layers{doc: d, off: map[int]bool{}}
	config := d.dict(properties["D"])
	groups := d.references(properties["OCGs"])
	if d.name(config["BaseState"]) == "OFF" {
		for _, g := range groups {
			l.off[g] = true
		}
		for _, g := range d.references(config["ON"]) {
			delete(l.off, g)
		}
	}
	for _, g := range d.references(config["OFF"]) {
		l.off[g] = true
	}
	l.useViewState(config)
	l.ignoreOtherIntents(config, groups)
	return l
}

// references are the object numbers of an array's references.
func (d *document) references(o types.Object) []int {
	array, _ := d.resolve(o).(types.Array)
	var out []int
	for _, item := range array {
		if ref, ok := item.(types.IndirectRef); ok {
			out = append(out, ref.ObjectNumber.Value())
		}
	}
	return out
}

// useViewState has groups follow what they say of viewing, where the configuration asks for it (8.11.4.4).
func (l layers) useViewState(config types.Dict) {
	d := l.doc
	usages, _ := d.resolve(config["AS"]).(types.Array)
	for _, item := range usages {
		usage := d.dict(item)
		categories, _ := d.resolve(usage["Category"]).(types.Array)
		if d.name(usage["Event"]) != "View" || !d.contains(categories, "View") {
			continue
		}
		groups, _ := d.resolve(usage["OCGs"]).(types.Array)
		for _, g := range groups {
			ref, ok := g.(types.IndirectRef)
			if !ok {
				continue
			}
			switch d.name(d.dict(d.dict(d.dict(g)["Usage"])["View"])["ViewState"]) {
			case "ON":
				delete(l.off, ref.ObjectNumber.Value())
			case "OFF":
				l.off[ref.ObjectNumber.Value()] = true
			}
		}
	}
}

// ignoreOtherIntents shows groups that are not meant for what the configuration is for (8.11.2.3).
func (l layers) ignoreOtherIntents(config types.Dict, groups []int) {
	wanted := l.intents(config["Intent"])
	for _, g := range groups {
		if !l.off[g] || wanted["All"] {
			continue
		}
		meant := false
		for intent := range l.intents(l.doc.dict(reference(g))["Intent"]) {
			meant = meant || wanted[intent]
		}
		if !meant {
			delete(l.off, g)
		}
	}
}

func (l layers) intents(o types.Object) map[string]bool {
	out := map[string]bool{}
	list, ok := l.doc.resolve(o).(types.Array)
	if !ok {
		list = types.Array{o}
	}
	for _, item := range list {
		if name := l.doc.name(item); name != "" {
			out[name] = true
		}
	}
	if !ok && len(out) == 0 {
		out["View"] = true
	}
	return out
}

func reference(number int) types.IndirectRef { return *types.NewIndirectRef(number, 0) }

func (d *document) contains(array types.Array, name string) bool {
	for _, item := range array {
		if d.name(item) == name {
			return true
		}
	}
	return false
}

// maxExpression bounds the parts of a visibility expression.
const maxExpression = 1000

// shows reports whether content that belongs to a group, or to a membership dictionary, is shown.
func (l layers) shows(o types.Object) bool {
	if l.off == nil || o == nil {
		return true
	}
	if ref, ok := o.(types.IndirectRef); ok && l.off[ref.ObjectNumber.Value()] {
		return false
	}
	dict := l.doc.dict(o)
	if l.doc.name(dict["Type"]) != "OCMD" {
		return true
	}
	if expression, ok := l.doc.resolve(dict["VE"]).(types.Array); ok && len(expression) > 0 {
		parts := maxExpression
		return l.evaluate(expression, &parts)
	}
	return l.member(dict)
}

// member decides by the policy of a membership dictionary (8.11.2.2).
func (l layers) member(dict types.Dict) bool {
	groups, isArray := l.doc.resolve(dict["OCGs"]).(types.Array)
	if !isArray {
		groups = types.Array{dict["OCGs"]}
	}
	on, off := 0, 0
	for _, g := range groups {
		switch ref, ok := g.(types.IndirectRef); {
		case l.doc.dict(g) == nil:
		case ok && l.off[ref.ObjectNumber.Value()]:
			off++
		default:
			on++
		}
	}
	switch {
	case on+off == 0:
		return true
	case l.doc.name(dict["P"]) == "AllOn":
		return off == 0
	case l.doc.name(dict["P"]) == "AnyOff":
		return off > 0
	case l.doc.name(dict["P"]) == "AllOff":
		return on == 0
	}
	return on > 0
}

// evaluate evaluates a visibility expression: a group, or an operator and its operands. Only so many parts of
// it are looked at.
func (l layers) evaluate(o types.Object, parts *int) bool {
	*parts--
	array, ok := l.doc.resolve(o).(types.Array)
	if !ok || len(array) == 0 || *parts < 0 {
		ref, ok := o.(types.IndirectRef)
		return !ok || !l.off[ref.ObjectNumber.Value()]
	}
	operator := l.doc.name(array[0])
	for _, operand := range array[1:] {
		switch holds := l.evaluate(operand, parts); {
		case operator == "Not":
			return !holds
		case operator == "Or" && holds:
			return true
		case operator == "And" && !holds:
			return false
		}
	}
	return operator != "Or"
}

// beginMarked opens a marked-content sequence (14.6). Some producers write the tag and the name of
// its properties the wrong way round: what they mean is plain.
func (in *interpreter) beginMarked(tag, properties string, resources types.Dict) {
	hides := false
	if properties == "OC" && tag != "OC" {
		tag, properties = properties, tag
	}
	if tag == "OC" {
		hides = !in.doc.layers.shows(in.doc.dict(resources["Properties"])[properties])
	}
	in.marked = append(in.marked, hides)
	if hides {
		in.hidden++
	}
}

func (in *interpreter) endMarked(base int) {
	n := len(in.marked)
	if n <= base {
		return
	}
	if in.marked[n-1] {
		in.hidden--
	}
	in.marked = in.marked[:n-1]
}
