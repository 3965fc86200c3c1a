package extract

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// replacements are the marked-content sequences of a page for whose glyphs the file gives a text of its own,
// /ActualText (ISO 32000-1, 14.9.4): in the sequence's properties, or in the structure element that it belongs to.
type replacements struct {
	texts    []string      // of the spans, from 1 on
	elements map[int]int32 // spans of structure elements, by object number; 0 for those without a text
	parents  types.Array   // the page's structure elements by marked-content identifier
	open     []int32       // the span of each open sequence, 0 for none
	base     int           // how many were open when the form began: it closes none of them
}

// maxActualText bounds what a sequence can stand for, in bytes: a paragraph has less.
const maxActualText = 4096

// beginSpan opens a sequence. What stands inside a replaced one is part of it.
func (in *interpreter) beginSpan(args operands, resources types.Dict) {
	r := &in.replaced
	if len(r.open) > 0 && r.open[len(r.open)-1] != 0 {
		r.open = append(r.open, r.open[len(r.open)-1])
		return
	}
	r.open = append(r.open, in.spanOf(args, resources))
}

func (in *interpreter) endSpan() {
	if r := &in.replaced; len(r.open) > r.base {
		r.open = r.open[:len(r.open)-1]
	}
}

// span is the open replaced sequence, 0 for none.
func (r *replacements) span() int32 {
	if len(r.open) == 0 {
		return 0
	}
	return r.open[len(r.open)-1]
}

func (in *interpreter) spanOf(args operands, resources types.Dict) int32 {
	if len(args) < 2 {
		return 0
	}
	var mcid float64
	tagged := false
	switch v := args[1].(type) {
	case dict:
		if text, ok := v["ActualText"].(string); ok {
			if text, ok = decoded(types.NewHexLiteral([]byte(text))); ok {
				return in.replaced.add(text)
			}
			return 0
		}
		mcid, tagged = v["MCID"].(float64)
	case name:
		properties := in.doc.dict(in.doc.dict(resources["Properties"])[string(v)])
		if text, ok := in.doc.actualText(properties); ok {
			return in.replaced.add(text)
		}
		mcid, tagged = in.doc.number(properties["MCID"])
	}
	if tagged && mcid >= 0 && int(mcid) < len(in.replaced.parents) {
		return in.elementSpan(in.replaced.parents[int(mcid)])
	}
	return 0
}

// elementSpan is the span of a structure element, or of the nearest one above it that has a text.
func (in *interpreter) elementSpan(o types.Object) int32 {
	const levels = 4
	number := objectNumber(o) // every element is an object of its own (14.7.2)
	if span, ok := in.replaced.elements[number]; ok || number == 0 {
		return span
	}
	span := int32(0)
	for range levels {
		element := in.doc.dict(o)
		if text, ok := in.doc.actualText(element); ok {
			at := objectNumber(o)
			if span = in.replaced.elements[at]; span == 0 {
				span = in.replaced.add(text)
				in.replaced.elements[at] = span
			}
			break
		}
		if o = element["P"]; o == nil {
			break
		}
	}
	in.replaced.elements[number] = span
	return span
}

// add makes a span of a text.
func (r *replacements) add(text string) int32 {
	if len(r.texts) == 0 {
		r.texts = append(r.texts, "")
	}
	r.texts = append(r.texts, text)
	return int32(len(r.texts) - 1)
}

// actualText is the /ActualText of properties or of a structure element, decoded once; false where it has none that
// can be read.
func (d *document) actualText(properties types.Dict) (string, bool) {
	given := properties["ActualText"]
	if given == nil {
		return "", false
	}
	key := identityOf(properties)
	known, ok := d.actual[key]
	if !ok {
		known, ok = decoded(d.resolve(given))
		if !ok {
			known = unreadable // and so no glyph's text
		}
		d.actual[key] = known
	}
	return known, true
}

// decoded is a text string (7.9.2.2) that is not too long for one.
func decoded(o types.Object) (string, bool) {
	if s, ok := o.(fmt.Stringer); !ok || len(s.String()) > 4*maxActualText {
		return "", false
	}
	text, err := types.StringOrHexLiteral(o)
	if err != nil || text == nil || len(*text) > maxActualText {
		return "", false
	}
	return *text, true
}

// structureParents are the structure elements that a page's marked content belongs to (14.7.4.4).
func (d *document) structureParents(page types.Dict) types.Array {
	key, ok := d.number(page["StructParents"])
	if !ok {
		return nil
	}
	if d.parents == nil {
		d.parents = map[int]types.Object{}
		if catalog, err := d.xref.Catalog(); err == nil {
			d.readParents(d.dict(catalog["StructTreeRoot"])["ParentTree"], 0)
		}
	}
	parents, _ := d.resolve(d.parents[int(key)]).(types.Array)
	return parents
}

// readParents reads a node of the number tree of structure parents.
func (d *document) readParents(o types.Object, depth int) {
	const deepest, most = 8, 100_000
	node := d.dict(o)
	entries, _ := d.resolve(node["Nums"]).(types.Array)
	for i := 0; i+1 < len(entries) && len(d.parents) < most; i += 2 {
		if n, ok := d.number(entries[i]); ok {
			d.parents[int(n)] = entries[i+1]
		}
	}
	kids, _ := d.resolve(node["Kids"]).(types.Array)
	if d.nodes += len(kids); depth == deepest || d.nodes > most {
		return
	}
	for _, kid := range kids {
		d.readParents(kid, depth+1)
	}
}

// apply gives the glyphs of each span its text, once. Glyphs come in the order of drawing.
func (r *replacements) apply(glyphs []drawn) []drawn {
	if len(r.texts) == 0 {
		return glyphs
	}
	spans := make([][]drawn, len(r.texts))
	for _, g := range glyphs {
		if g.span != 0 {
			spans[g.span] = append(spans[g.span], g)
		}
	}
	out := make([]drawn, 0, len(glyphs))
	for _, g := range glyphs {
		if g.span == 0 {
			out = append(out, g)
			continue
		}
		out = append(out, replace(spans[g.span], r.texts[g.span])...)
		spans[g.span] = nil // once
	}
	return out
}

// replace is the glyphs of a sequence as they stand for a text. Where that says something else than they do, the file
// contradicts itself, and a text for glyphs in several places, or none for ink, leaves them as they are: in doubt.
func replace(glyphs []drawn, text string) []drawn {
	if len(glyphs) == 0 {
		return nil
	}
	if strings.ContainsFunc(text, isNoText) {
		return glyphs
	}
	if len(text) > maxGlyphText*len(glyphs) { // more than glyphs can stand for
		return doubted(glyphs)
	}
	own, readable := ownText(glyphs)
	text = plainWord(plainText(text))
	want := withoutSpaces(text)
	switch {
	case own == want && readable:
		return glyphs
	case want == "" && (own == "" || own == "-"):
		return glyphs // a hyphen that a wrap printed
	case want == "" && (readable || text == ""):
		return doubted(glyphs)
	}
	out := eachOf(glyphs, text)
	if out == nil {
		out = oneByOne(glyphs, want)
	}
	if out == nil {
		out = inLine(glyphs, text)
	}
	switch {
	case out == nil:
		return doubted(glyphs)
	case readable:
		return doubted(out)
	}
	return out
}

// ownText is what glyphs say by themselves, without spaces, and whether they are sure of it.
func ownText(glyphs []drawn) (text string, sure bool) {
	var out strings.Builder
	sure = true
	for _, g := range glyphs {
		out.WriteString(g.text)
		sure = sure && !g.unsure
	}
	return withoutSpaces(plainWord(out.String())), sure
}

func withoutSpaces(s string) string { return strings.ReplaceAll(s, " ", "") }

func doubted(glyphs []drawn) []drawn {
	out := slices.Clone(glyphs)
	for i := range out {
		out[i].unsure = out[i].text != " "
	}
	return out
}

// eachOf gives each glyph its character, spaces among them; nil where there are more or fewer, or other spaces.
func eachOf(glyphs []drawn, text string) []drawn {
	characters := []rune(text)
	if len(characters) != len(glyphs) {
		return nil
	}
	out := slices.Clone(glyphs)
	for i, r := range characters {
		if out[i].text == " " && r != ' ' {
			return nil
		}
		out[i].text, out[i].unsure = string(r), false
	}
	return out
}

// oneByOne gives each glyph with ink its character; nil where there are more or fewer.
func oneByOne(glyphs []drawn, text string) []drawn {
	characters := []rune(text)
	out := slices.Clone(glyphs)
	for i := range out {
		if out[i].text == " " {
			continue
		}
		if len(characters) == 0 {
			return nil
		}
		out[i].text, out[i].unsure, characters = string(characters[0]), false, characters[1:]
	}
	if len(characters) > 0 {
		return nil
	}
	return out
}

// inLine spreads a text over glyphs that follow each other on one line; nil where they do not.
func inLine(glyphs []drawn, text string) []drawn {
	first, last := glyphs[0], glyphs[len(glyphs)-1]
	for i, g := range glyphs[1:] {
		if before := glyphs[i]; math.Hypot(g.start.x-before.end.x, g.start.y-before.end.y) > first.size {
			return nil
		}
	}
	characters := []rune(text)
	at := func(i int) point {
		part := float64(i) / float64(len(characters))
		return point{first.start.x + part*(last.end.x-first.start.x), first.start.y + part*(last.end.y-first.start.y)}
	}
	out := make([]drawn, len(characters))
	for i, r := range characters {
		out[i] = first
		out[i].text, out[i].unsure, out[i].start, out[i].end = string(r), false, at(i), at(i+1)
	}
	return out
}
