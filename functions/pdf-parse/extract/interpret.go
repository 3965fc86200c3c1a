package extract

import (
	"fmt"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// budget is what a whole document may still cost.
type budget struct {
	glyphs, ops, bytes int
}

// drawn is a glyph as it lies on the page: start and end of its pen, in page space.
type drawn struct {
	text       string
	unsure     bool // the file leaves in doubt what it shows
	start, end point
	size       float64
	span       int32 // the marked-content sequence that has a text for it, 0 for none
}

// interpreter runs content streams (ISO 32000-1, annex A) and collects ink.
type interpreter struct {
	doc    *document
	budget *budget
	glyphs []drawn
	lines  []segment
	dots   []dot

	state gstate
	stack []gstate
	path  path
	tm    matrix // text matrix
	tlm   matrix // text line matrix
	forms int    // nesting of form XObjects

	replaced replacements
}

// run executes one content stream with its resources.
func (in *interpreter) run(content []byte, resources types.Dict) error {
	lex := lexer{buf: content}
	var args []any
	for {
		token, ok := lex.next()
		if !ok {
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
		if op == "BI" {
			lex.skipInlineImage()
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
	case "BMC":
		in.beginSpan(nil, resources)
	case "BDC":
		in.beginSpan(args, resources)
	case "EMC":
		in.endSpan()
	case "Do":
		return in.xobject(in.doc.dict(resources["XObject"])[args.name(0)], resources)
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

func (in *interpreter) extGState(gs types.Dict) {
	if v, ok := in.doc.number(gs["ca"]); ok {
		in.state.fill.transparent = v == 0
	}
	if v, ok := in.doc.number(gs["CA"]); ok {
		in.state.stroke.transparent = v == 0
	}
	if v, ok := in.doc.number(gs["LW"]); ok {
		in.state.lineWidth = v
	}
	if f, ok := in.doc.resolve(gs["Font"]).(types.Array); ok && len(f) == 2 {
		in.state.text.font = in.doc.fontOf(f[0])
		in.state.text.size, _ = in.doc.number(f[1])
	}
}

func (in *interpreter) colour(op operator, args operands, resources types.Dict) bool {
	switch op {
	case "g", "rg", "k", "sc", "scn":
		in.state.fill.set(args.numbers())
	case "G", "RG", "K", "SC", "SCN":
		in.state.stroke.set(args.numbers())
	case "cs":
		in.state.fill = in.colourSpace(in.state.fill, args, resources)
	case "CS":
		in.state.stroke = in.colourSpace(in.state.stroke, args, resources)
	default:
		return false
	}
	switch op {
	case "g", "rg", "k":
		in.state.fill.tint = false
	case "G", "RG", "K":
		in.state.stroke.tint = false
	}
	return true
}

// colourSpace is p after a colour space was chosen; every space begins with a colour that shows.
func (in *interpreter) colourSpace(p paint, args operands, resources types.Dict) paint {
	p.white, p.tint = false, false
	space, _ := in.doc.resolve(in.doc.dict(resources["ColorSpace"])[args.name(0)]).(types.Array)
	if len(space) > 0 {
		family := in.doc.name(space[0])
		p.tint = family == "Separation" || family == "DeviceN" || family == "Indexed"
	}
	return p
}

// xobject draws a form (8.10); an image has no words and no rulings.
func (in *interpreter) xobject(o types.Object, resources types.Dict) error {
	form := in.doc.dict(o)
	if in.doc.name(form["Subtype"]) != "Form" {
		return nil
	}
	if in.forms >= maxForms {
		return fmt.Errorf("%w: forms nested too deep", ErrTooComplex)
	}
	content, err := in.doc.stream(o)
	if err != nil {
		return err
	}
	if in.budget.bytes -= len(content); in.budget.bytes < 0 {
		return fmt.Errorf("%w: too much content", ErrTooComplex)
	}
	if own := in.doc.dict(form["Resources"]); own != nil {
		resources = own
	}

	saved, tm, tlm, outer := in.state, in.tm, in.tlm, in.stack
	in.stack, in.forms = nil, in.forms+1
	base, open := in.replaced.base, len(in.replaced.open)
	in.replaced.base = open
	if m := in.doc.numbers(form["Matrix"]); len(m) == 6 {
		in.state.ctm = matrix(m).mul(in.state.ctm)
	}
	if b := in.doc.numbers(form["BBox"]); len(b) == 4 {
		in.state.clip = in.state.clip.intersect(boxOf(in.corners(b[0], b[1], b[2], b[3])))
	}
	err = in.run(content, resources)
	in.state, in.tm, in.tlm, in.stack = saved, tm, tlm, outer
	in.replaced.base, in.replaced.open = base, in.replaced.open[:open]
	in.forms--
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
