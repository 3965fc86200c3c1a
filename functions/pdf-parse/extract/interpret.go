package extract

import (
	"errors"
	"fmt"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// budget is what a whole document may still cost.
type budget struct {
	glyphs, ops, bytes, sights int
}

// drawn is a glyph as it lies on the page: start and end of its pen, in page space.
type drawn struct {
	text       string
	start, end point
	size       float64
	span       int32 // the marked-content sequence that has a text for it, 0 for none
	style      int32 // its index
	unsure     bool  // the file leaves in doubt what it shows
	faint      bool  // whether a reader sees it is not certain
}

// interpreter runs content streams (ISO 32000-1, annex A) and collects ink.
type interpreter struct {
	doc     *document
	budget  *budget
	glyphs  []drawn
	pale    []drawn // in the colour of what they are drawn on
	notes   []drawn // text of comments and form fields
	covered []covered
	lines   []segment
	dots    []dot
	frames  frames

	styles   []textStyle
	areas    []area
	fine     float64 // ink so thin hides nothing
	usual    float64 // the height that most letters have
	outlined int     // points of the areas' shapes
	damaged  bool    // something of the page could not be read
	lenient  int     // open BX
	crowded  bool    // there are more areas than are kept
	boxes    []box   // reused, as are the next two
	sights   []sight
	weights  []weight
	letters  *shape // the clipping path that the letters since BT form

	state gstate
	stack []gstate
	path  path
	tm    matrix // text matrix
	tlm   matrix // text line matrix
	forms int    // nesting of form XObjects

	replaced replacements

	marked []bool // open marked-content sequences: whether each hides its content
	hidden int    // how many of them do
	// markedBase is how many were open when the form began: it closes none of them.
	markedBase int
}

// newInterpreter interprets a page in the memory of the one before.
func newInterpreter(d *document, b *budget, visible box) *interpreter {
	was := d.last
	if was == nil {
		const glyphs = 512 // of a small page of a timetable; a larger one has up to four times as many
		was = &interpreter{glyphs: make([]drawn, 0, glyphs)}
	}
	in := &interpreter{
		doc: d, budget: b, state: newState(visible), tm: identity, tlm: identity,
		fine:   fine * max(visible.x1-visible.x0, visible.y1-visible.y0),
		glyphs: was.glyphs[:0], pale: was.pale[:0], styles: was.styles[:0], areas: was.areas[:0], stack: was.stack[:0], boxes: was.boxes[:0],
		sights: was.sights[:0], weights: was.weights[:0],
	}
	d.last = in
	return in
}

// run executes one content stream with its resources.
func (in *interpreter) run(content []byte, resources types.Dict) error {
	lex := lexer{buf: content}
	var args []any
	for {
		token, ok := lex.next()
		if !ok {
			in.damaged = in.damaged || lex.broken || len(args) > 0
			return nil
		}
		op, isOp := token.(operator)
		if !isOp {
			if len(args) < maxOperands {
				args = append(args, token)
			}
			continue
		}
		if in.budget.ops--; in.budget.ops < 0 {
			return fmt.Errorf("%w: too many drawing operators", ErrTooComplex)
		}
		in.check(op, args)
		if op == "BI" {
			lex.skipInlineImage()
			in.place(nil)
		} else if err := in.execute(op, operands(args), resources); err != nil {
			return err
		}
		args = args[:0]
	}
}

// maxOperands bounds what may stand before one operator; the most a real operator takes is 33 (scn).
const maxOperands = 64

func (in *interpreter) execute(op operator, args operands, resources types.Dict) error {
	switch op {
	case "q":
		if len(in.stack) >= maxGState {
			return fmt.Errorf("%w: graphics states nested too deep", ErrTooComplex)
		}
		in.stack = append(in.stack, in.state)
	case "Q":
		in.restore(0)
	case "cm":
		in.state.ctm = args.matrix().mul(in.state.ctm)
	case "w":
		in.state.lineWidth = args.number(0)
	case "gs":
		in.extGState(in.doc.dict(in.doc.dict(resources["ExtGState"])[args.name(0)]))
	case "Do":
		return in.xobject(in.doc.dict(resources["XObject"])[args.name(0)], resources)
	case "sh":
		in.lay(in.state.clip, nil, in.state.fill.with(in.doc.shading(in.doc.dict(resources["Shading"])[args.name(0)])), nil)
	case "BMC":
		in.beginSpan(nil, resources)
		in.beginMarked("", "", resources)
	case "BDC":
		in.beginSpan(args, resources)
		in.beginMarked(args.name(0), args.name(1), resources)
	case "EMC":
		in.endSpan()
		in.endMarked(in.markedBase)
	default:
		if in.colour(op, args, resources) || in.pathOperator(op, args) {
			return nil
		}
		return in.textOperator(op, args, resources)
	}
	return nil
}

// restore undoes the last q, but never one made before the stack had base states.
func (in *interpreter) restore(base int) {
	if n := len(in.stack); n > base {
		in.state, in.stack = in.stack[n-1], in.stack[:n-1]
	}
}

// xobject draws a form (8.10) or an image, which has no words and no rulings.
func (in *interpreter) xobject(o types.Object, resources types.Dict) error {
	form := in.doc.dict(o)
	if in.hidden > 0 || !in.doc.layers.shows(form["OC"]) {
		return nil
	}
	switch in.doc.name(form["Subtype"]) {
	case "Image":
		in.place(o)
		return nil
	case "Form":
		return in.form(o, form, resources)
	case "PS":
		return nil
	}
	in.damaged = true // it is missing
	return nil
}

func (in *interpreter) form(o types.Object, form, resources types.Dict) error {
	if in.forms >= maxForms {
		return fmt.Errorf("%w: forms nested too deep", ErrTooComplex)
	}
	content, err := in.doc.stream(o)
	if errors.Is(err, ErrTooComplex) {
		return err
	}
	in.damaged = in.damaged || err != nil
	if in.budget.bytes -= len(content); in.budget.bytes < 0 {
		return fmt.Errorf("%w: too much content", ErrTooComplex)
	}
	if own := in.doc.dict(form["Resources"]); own != nil {
		resources = own
	}

	saved := *in
	open := len(in.replaced.open)
	in.replaced.base = open
	in.stack, in.forms, in.markedBase = nil, in.forms+1, len(in.marked)
	if m := in.doc.numbers(form["Matrix"]); len(m) == 6 {
		in.state.ctm = matrix(m).mul(in.state.ctm)
	}
	if b := in.doc.numbers(form["BBox"]); len(b) == 4 {
		in.clipTo([][]point{in.corners(b[0], b[1], b[2], b[3])}, false)
	}
	if in.doc.dict(form["Group"]) != nil {
		in.state.enterGroup()
	}
	err = in.run(content, resources)
	for len(in.marked) > in.markedBase {
		in.endMarked(in.markedBase)
	}
	in.state, in.tm, in.tlm, in.stack = saved.state, saved.tm, saved.tlm, saved.stack
	in.replaced.base, in.replaced.open = saved.replaced.base, in.replaced.open[:open]
	in.forms, in.markedBase = saved.forms, saved.markedBase
	return err
}

// corners are the corners of a rectangle of user space, in page space.
func (in *interpreter) corners(x0, y0, x1, y1 float64) []point {
	m := in.state.ctm
	return []point{m.apply(x0, y0), m.apply(x1, y0), m.apply(x1, y1), m.apply(x0, y1)}
}

// operands stand before an operator. Missing or wrong ones are zero, as viewers take them.
type operands []any

func (o operands) number(i int) float64 {
	if i < len(o) {
		v, _ := o[i].(float64)
		return v
	}
	return 0
}

func (o operands) name(i int) string {
	if i < len(o) {
		v, _ := o[i].(name)
		return string(v)
	}
	return ""
}

// last is the last operand as a string: the text of Tj, ' and ".
func (o operands) last() string {
	if len(o) == 0 {
		return ""
	}
	v, _ := o[len(o)-1].(string)
	return v
}

func (o operands) numbers() []float64 {
	out := make([]float64, 0, 4)
	for _, v := range o {
		if n, ok := v.(float64); ok {
			out = append(out, n)
		}
	}
	return out
}

func (o operands) matrix() matrix {
	var m matrix
	for i := range m {
		m[i] = o.number(i)
	}
	return m
}
