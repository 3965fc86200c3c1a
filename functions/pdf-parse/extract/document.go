package extract

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

func init() {
	model.ConfigPath = "disable" // pdfcpu would otherwise write a configuration into the home directory
}

// document is an opened PDF: pdfcpu reads its objects (cross-references and their repair,
// decryption, filters), everything drawn is interpreted here.
type document struct {
	xref   *model.XRefTable
	layers layers
	last   *interpreter // of the page before: its memory is used again

	fonts  map[uintptr]*font  // by dictionary: pages share fonts
	actual map[uintptr]string // what named properties say of glyphs, by dictionary

	// By object number, for those who share them.
	cmaps    map[int]*cmap
	programs map[int]*program
	spaces   map[int]*colourSpace
	rasters  map[int]*raster

	parents map[int]types.Object // structure elements of marked content; nil until asked for
	nodes   int                  // how many nodes they were read from
}

// headerWithin is how far from the start of a file viewers look for its "%PDF-".
const headerWithin = 1024

// Pages is what each page of a PDF shows, in order. It returns one of this package's errors, or
// ctx's, and may panic or run long on hostile input: callers isolate it.
func Pages(ctx context.Context, pdf []byte) ([]Page, error) {
	doc, err := open(ctx, pdf)
	if err != nil {
		return nil, err
	}
	leaves, err := doc.pageTree()
	if err != nil {
		return nil, err
	}
	budget := &budget{glyphs: maxGlyphs, ops: maxOps, bytes: maxContent}
	pages := make([]Page, 0, len(leaves))
	words := 0
	for i, leaf := range leaves {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		page, err := doc.page(leaf, budget)
		if err != nil {
			return nil, fmt.Errorf("page %d: %w", i+1, err)
		}
		if tooLong(page.Words) {
			return nil, fmt.Errorf("page %d: %w: a word without end", i+1, ErrTooComplex)
		}
		page.Number = i + 1
		words += len(page.Words)
		pages = append(pages, page)
	}
	if words == 0 {
		return nil, ErrNoText
	}
	return pages, nil
}

// tooLong reports whether some word is no word.
func tooLong(words []Word) bool {
	return slices.ContainsFunc(words, func(w Word) bool { return len(w.Text) >= maxWord })
}

func open(ctx context.Context, pdf []byte) (*document, error) {
	if len(pdf) > MaxBytes {
		return nil, ErrTooLarge
	}
	start := bytes.Index(pdf[:min(len(pdf), headerWithin)], []byte("%PDF-"))
	if start < 0 {
		return nil, ErrNotPDF
	}
	read, err := pdfcpu.ReadWithContext(ctx, bytes.NewReader(pdf[start:]), configuration())
	switch {
	case err == nil:
		return newDocument(read.XRefTable), nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, pdfcpu.ErrWrongPassword), errors.Is(err, pdfcpu.ErrUnsupportedEncryptionFeature):
		return nil, ErrEncrypted
	default:
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
}

func newDocument(xref *model.XRefTable) *document {
	d := &document{
		xref: xref, fonts: map[uintptr]*font{}, actual: map[uintptr]string{},
		cmaps: map[int]*cmap{}, programs: map[int]*program{}, spaces: map[int]*colourSpace{}, rasters: map[int]*raster{},
	}
	if catalog, err := xref.Catalog(); err == nil {
		d.layers = d.readLayers(catalog)
	}
	return d
}

func configuration() *model.Configuration {
	conf := model.NewDefaultConfiguration()
	conf.ValidationMode = model.ValidationRelaxed
	conf.Offline = true
	return conf
}

// leaf is a page's dictionary with what it inherits from the page tree (ISO 32000-1, 7.7.3.4).
type leaf struct {
	dict      types.Dict
	resources types.Dict
	mediaBox  types.Array
	cropBox   types.Array
	rotate    int
}

// pageTree walks the page tree itself rather than believe its /Count.
func (d *document) pageTree() ([]leaf, error) {
	catalog, err := d.xref.Catalog()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	root, ok := catalog.Find("Pages")
	if !ok {
		return nil, ErrNoPages
	}
	var leaves []leaf
	if err := d.walk(root, leaf{}, map[int]bool{}, &leaves); err != nil {
		return nil, err
	}
	if len(leaves) == 0 {
		return nil, ErrNoPages
	}
	return leaves, nil
}

func (d *document) walk(node types.Object, above leaf, seen map[int]bool, leaves *[]leaf) error {
	if ref, ok := node.(types.IndirectRef); ok {
		number := ref.ObjectNumber.Value()
		if seen[number] {
			return fmt.Errorf("%w: its page tree has a loop", ErrDamaged)
		}
		seen[number] = true
	}
	dict := d.dict(node)
	if dict == nil {
		return fmt.Errorf("%w: a page cannot be found", ErrDamaged) // to pass over it would lose its rows
	}
	here := d.inherit(dict, above)
	kids, isNode := d.resolve(dict["Kids"]).(types.Array)
	if !isNode {
		if len(*leaves) == MaxPages {
			return ErrTooManyPages
		}
		*leaves = append(*leaves, here)
		return nil
	}
	for _, kid := range kids {
		if err := d.walk(kid, here, seen, leaves); err != nil {
			return err
		}
	}
	return nil
}

func (d *document) inherit(dict types.Dict, above leaf) leaf {
	here := above
	here.dict = dict
	if v := d.dict(dict["Resources"]); v != nil {
		here.resources = v
	}
	if v, ok := d.resolve(dict["MediaBox"]).(types.Array); ok {
		here.mediaBox = v
	}
	if v, ok := d.resolve(dict["CropBox"]).(types.Array); ok {
		here.cropBox = v
	}
	if v, ok := d.number(dict["Rotate"]); ok {
		here.rotate = int(v)
	}
	return here
}

// resolve follows references; what cannot be had is nil, as for the null object (7.3.10).
func (d *document) resolve(o types.Object) types.Object {
	if o == nil {
		return nil
	}
	v, err := d.xref.Dereference(o)
	if err != nil {
		return nil
	}
	return v
}

func (d *document) dict(o types.Object) types.Dict {
	switch v := d.resolve(o).(type) {
	case types.Dict:
		return v
	case types.StreamDict:
		return v.Dict
	}
	return nil
}

// identityOf tells a dictionary from all others of its document, however it is reached.
func identityOf(dict types.Dict) uintptr { return reflect.ValueOf(dict).Pointer() }

func (d *document) number(o types.Object) (float64, bool) {
	switch v := d.resolve(o).(type) {
	case types.Integer:
		return float64(v), true
	case types.Float:
		return float64(v), true
	}
	return 0, false
}

func (d *document) numbers(o types.Object) []float64 {
	array, _ := d.resolve(o).(types.Array)
	var out []float64
	for _, item := range array {
		v, _ := d.number(item)
		out = append(out, v)
	}
	return out
}

func (d *document) name(o types.Object) string {
	v, _ := d.resolve(o).(types.Name)
	return string(v)
}

// stream is the decoded content of a stream object, nil where o is nil.
func (d *document) stream(o types.Object) ([]byte, error) {
	if o == nil {
		return nil, nil
	}
	sd, ok := d.resolve(o).(types.StreamDict)
	if !ok {
		return nil, fmt.Errorf("%w: a stream cannot be found", ErrDamaged)
	}
	if err := sd.DecodeWithLimit(maxStream); err != nil {
		return nil, fmt.Errorf("%w: a stream cannot be read: %w", ErrDamaged, err)
	}
	return sd.Content, nil
}

// contents is the page's content: an array of streams is one stream, split between tokens (7.8.2).
func (d *document) contents(page types.Dict) ([]byte, error) {
	array, ok := d.resolve(page["Contents"]).(types.Array)
	if !ok {
		return d.stream(page["Contents"])
	}
	var all []byte
	for _, part := range array {
		content, err := d.stream(part)
		if err != nil {
			return nil, err
		}
		if all = append(append(all, content...), '\n'); len(all) > maxStream {
			return nil, ErrTooComplex
		}
	}
	return all, nil
}
