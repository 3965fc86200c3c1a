package extract

import (
	"fmt"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// leaf is a page's dictionary with what it inherits from the page tree (ISO 32000-1, 7.7.3.4).
type leaf struct {
	dict      types.Dict // nil of a page that cannot be found
	resources types.Dict
	mediaBox  types.Object
	cropBox   types.Array
	rotate    int
}

// pageTree walks the page tree itself rather than believe its /Count. Pages that cannot be found are leaves
// of their own: to pass over them would lose their rows without a word.
func (d *document) pageTree() ([]leaf, error) {
	catalog, err := d.xref.Catalog()
	if err != nil || catalog == nil {
		return nil, fmt.Errorf("%w: no catalog: %w", ErrDamaged, err)
	}
	d.layers = d.readLayers(catalog)
	root, ok := catalog.Find("Pages")
	switch {
	case !ok && d.mended:
		return nil, fmt.Errorf("%w: no pages can be found", ErrDamaged)
	case !ok:
		return nil, ErrNoPages
	}
	var leaves []leaf
	if err := d.walk(root, leaf{}, map[int]bool{}, &leaves); err != nil {
		return nil, err
	}
	if len(leaves) == 0 {
		return nil, ErrNoPages
	}
	if count, _ := d.number(d.dict(root)["Count"]); int(count) > len(leaves) && len(leaves) < MaxPages {
		leaves = append(leaves, leaf{})
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
	here := d.inherit(dict, above)
	kids, isNode := d.resolve(dict["Kids"]).(types.Array)
	if !isNode {
		if len(*leaves) == MaxPages {
			return ErrTooManyPages
		}
		if d.name(dict["Type"]) == "Pages" {
			here = leaf{}
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
	if v, ok := dict["MediaBox"]; ok {
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

// pageKeys are all that a page's dictionary may hold (7.7.3.3, and ISO 32000-2).
var pageKeys = map[string]bool{
	"Type": true, "Parent": true, "LastModified": true, "Resources": true, "MediaBox": true, "CropBox": true, "BleedBox": true,
	"TrimBox": true, "ArtBox": true, "BoxColorInfo": true, "Contents": true, "Rotate": true, "Group": true, "Thumb": true, "B": true,
	"Dur": true, "Trans": true, "Annots": true, "AA": true, "Metadata": true, "PieceInfo": true, "StructParents": true, "ID": true,
	"PZ": true, "SeparationInfo": true, "Tabs": true, "TemplateInstantiated": true, "PresSteps": true, "UserUnit": true, "VP": true,
	"AF": true, "OutputIntents": true, "DPart": true,
}

// lost reports whether the page has no content although it seems that it had: its /Contents may be misspelled.
func (d *document) lost(l leaf) bool {
	if l.dict == nil {
		return true
	}
	if d.resolve(l.dict["Contents"]) != nil {
		return false
	}
	for key := range l.dict {
		if !pageKeys[key] || key == "Contents" {
			return true
		}
	}
	return len(d.dict(l.resources["Font"])) > 0
}

// missEmpty says of a page without text between pages that have some that it is not complete.
func missEmpty(pages []Page) {
	first, last := len(pages), 0
	for i, p := range pages {
		if len(p.Words) > 0 {
			first, last = min(first, i), i
		}
	}
	for i := first; i < last; i++ {
		pages[i].Incomplete = pages[i].Incomplete || len(pages[i].Words) == 0
	}
}
