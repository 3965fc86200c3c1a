package extract

import (
	"bytes"
	"cmp"
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

	mended  bool // its objects were found by their own marks
	suspect bool // the file is damaged, nobody knows where

	parents map[int]types.Object // structure elements of marked content; nil until asked for
	nodes   int                  // how many nodes they were read from

	staleCrop bool // the crop boxes were left as they were when the pages were given another size
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
	budget := &budget{glyphs: maxGlyphs, ops: maxOps, bytes: maxContent, sights: maxSights}
	inks := make([]ink, 0, len(leaves))
	words, incomplete := 0, false
	for i, leaf := range leaves {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		ink, err := doc.ink(leaf, budget)
		if err != nil {
			return nil, fmt.Errorf("page %d: %w", i+1, err)
		}
		if tooLong(ink.words) {
			return nil, fmt.Errorf("page %d: %w: a word without end", i+1, ErrTooComplex)
		}
		words += len(ink.words)
		incomplete = incomplete || ink.incomplete
		inks = append(inks, ink)
	}
	switch {
	case words == 0 && incomplete:
		return nil, fmt.Errorf("%w: nothing can be read of it", ErrDamaged)
	case words == 0:
		return nil, ErrNoText
	}
	pages := make([]Page, len(inks))
	for i, body := range bodies(inks) {
		pages[i] = inks[i].page(body)
		pages[i].Number = i + 1
	}
	missEmpty(pages)
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
	pdf = pdf[start:]
	objects := scan(pdf)
	read, err := readObjects(ctx, pdf)
	switch {
	case err == nil && sound(read, pdf, objects):
		return newDocument(read), nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	if err == nil {
		renumber(objects, read)
	}
	mended, mendErr := readObjects(ctx, repaired(pdf, objects))
	switch {
	case mendErr == nil:
		d := newDocument(mended)
		d.mended, d.suspect = true, ambiguous(pdf, objects)
		d.unpack(ctx)
		return d, nil
	case err == nil: // as far as the library could read it
		d := newDocument(read)
		d.suspect = true
		return d, nil
	}
	return nil, cmp.Or(ctx.Err(), mendErr)
}

// readObjects has the library read the objects of a file. It panics on some that are damaged.
func readObjects(ctx context.Context, pdf []byte) (xref *model.XRefTable, err error) {
	defer func() {
		if r := recover(); r != nil {
			xref, err = nil, fmt.Errorf("%w: %v", ErrDamaged, r)
		}
	}()
	read, err := pdfcpu.ReadWithContext(ctx, bytes.NewReader(pdf), configuration())
	switch {
	case err == nil:
		return read.XRefTable, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, pdfcpu.ErrWrongPassword), errors.Is(err, pdfcpu.ErrUnsupportedEncryptionFeature):
		return nil, ErrEncrypted
	default:
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
}

func newDocument(xref *model.XRefTable) *document {
	return &document{
		xref: xref, fonts: map[uintptr]*font{}, actual: map[uintptr]string{},
		cmaps: map[int]*cmap{}, programs: map[int]*program{}, spaces: map[int]*colourSpace{}, rasters: map[int]*raster{},
	}
}

func configuration() *model.Configuration {
	conf := model.NewDefaultConfiguration()
	conf.ValidationMode = model.ValidationRelaxed
	conf.Offline = true
	return conf
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
