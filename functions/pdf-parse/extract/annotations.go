package extract

import (
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// Annotations that lie on text without hiding it, whatever their appearance: viewers mix them with the page.
var transparentAnnotations = map[string]bool{
	"Popup": true, "Link": true, "Highlight": true, "Underline": true, "StrikeOut": true, "Squiggly": true,
}

// maxAnnotations bounds those of one page that are drawn.
const maxAnnotations = 2000

// annotate draws over the page what a viewer shows of its annotations (ISO 32000-1, 12.5). They hide what is
// below them; their lines are none of the page's, and their text is kept apart: that of comments and form
// fields may stand for what is printed.
func (in *interpreter) annotate(page types.Dict, media box) error {
	annotations, _ := in.doc.resolve(page["Annots"]).(types.Array)
	for _, o := range annotations[:min(len(annotations), maxAnnotations)] {
		dict := in.doc.dict(o)
		kind := in.doc.name(dict["Subtype"])
		if !in.doc.shown(dict) || transparentAnnotations[kind] {
			continue
		}
		glyphs, lines, dots, damaged := len(in.glyphs), len(in.lines), len(in.dots), in.damaged
		in.state, in.stack, in.marked, in.hidden = newState(media), in.stack[:0], in.marked[:0], 0
		if err := in.appearance(dict); err != nil {
			return err
		}
		if kind == "FreeText" || kind == "Widget" {
			in.notes = append(in.notes, in.glyphs[glyphs:]...)
		}
		in.glyphs, in.lines, in.dots, in.damaged = in.glyphs[:glyphs], in.lines[:lines], in.dots[:dots], damaged
	}
	return nil
}

// shown reports whether a viewer shows an annotation (12.5.3).
func (d *document) shown(annotation types.Dict) bool {
	const hidden, noView = 1 << 1, 1 << 5
	flags, _ := d.number(annotation["F"])
	return annotation != nil && int(flags)&(hidden|noView) == 0 && d.layers.shows(annotation["OC"])
}

// appearance draws an annotation's normal appearance into its rectangle (12.5.5), or its background where it has none.
func (in *interpreter) appearance(annotation types.Dict) error {
	d := in.doc
	array, _ := d.resolve(annotation["Rect"]).(types.Array)
	rect, ok := d.rectangle(array)
	if !ok {
		return nil
	}
	stream := d.dict(annotation["AP"])["N"]
	if _, isStream := d.resolve(stream).(types.StreamDict); !isStream {
		stream = d.dict(stream)[d.name(annotation["AS"])]
	}
	form := d.dict(stream)
	if form == nil {
		in.background(annotation, rect)
		return nil
	}
	m := identity
	if v := d.numbers(form["Matrix"]); len(v) == 6 {
		m = matrix(v)
	}
	v := d.numbers(form["BBox"])
	if len(v) != 4 {
		return nil
	}
	b := boxOf([]point{m.apply(v[0], v[1]), m.apply(v[2], v[1]), m.apply(v[2], v[3]), m.apply(v[0], v[3])})
	if b.x1 <= b.x0 || b.y1 <= b.y0 {
		return nil
	}
	sx, sy := (rect.x1-rect.x0)/(b.x1-b.x0), (rect.y1-rect.y0)/(b.y1-b.y0)
	in.state.ctm = matrix{sx, 0, 0, sy, rect.x0 - sx*b.x0, rect.y0 - sy*b.y0}
	return in.form(stream, form, nil)
}

// background is what viewers paint of an annotation without an appearance: the inside of a square, and the ground
// of a text.
func (in *interpreter) background(annotation types.Dict, rect box) {
	key := map[string]string{"Square": "IC", "FreeText": "C"}[in.doc.name(annotation["Subtype"])]
	c, known := device(in.doc.numbers(annotation[key]))
	if !known {
		return
	}
	p := solid(c)
	if v, ok := in.doc.number(annotation["CA"]); ok {
		p.clear = 1 - clamp(v)
	}
	in.lay(rect, nil, p, nil)
}
