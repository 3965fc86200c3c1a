package parse_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
	"github.com/schedgen/schedgen/functions/pdf-parse/extract"
	"github.com/schedgen/schedgen/functions/pdf-parse/parse"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/timetable"
)

// TestNotesWarn holds that what a comment or a form field says over a row brings a warning to that row, and changes
// nothing of it or of another; other annotations say nothing.
func TestNotesWarn(t *testing.T) {
	t.Parallel()
	pdf, truth, err := fixture.Generate(fixture.Options{Kind: timetable.Exam, Seed: 3, Modules: 3, Pages: 1})
	if err != nil {
		t.Fatal(err)
	}
	row := len(truth.Entries) - 1
	for kind, warns := range map[string]bool{"FreeText": true, "Widget": true, "Highlight": false, "Popup": false, "Stamp": false} {
		got, err := parse.Parse(annotated(t, pdf, kind, "moved?", truth.Entries[row].Module[4:]))
		if err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		for i := range got.Entries {
			e := &got.Entries[i]
			told := len(e.Warnings) == 1 && e.Warnings[0].Code == timetable.StrayText && strings.Contains(e.Warnings[0].Message, "moved?")
			if want := warns && i == row; want != told || !want && len(e.Warnings) > 0 {
				t.Errorf("%s: row %d warns %+v, want a warning: %v", kind, i, e.Warnings, want)
			}
			e.Warnings = nil
		}
		if diff := fixture.Equal(got, truth); diff != "" {
			t.Errorf("%s: %s", kind, diff)
		}
	}
}

// annotated adds an annotation that says something in the line of a word's last copy, at the right end of the table.
func annotated(t *testing.T, pdf []byte, kind, text, word string) []byte {
	t.Helper()
	pages, err := extract.Pages(context.Background(), pdf)
	if err != nil {
		t.Fatal(err)
	}
	ctx, err := api.ReadAndValidate(bytes.NewReader(pdf), model.NewDefaultConfiguration())
	if err != nil {
		t.Fatal(err)
	}
	page, _, inherited, err := ctx.PageDict(1, false)
	if err != nil {
		t.Fatal(err)
	}
	points := inherited.MediaBox.Width() / pages[0].Width
	right, y := 0.0, 0.0
	for _, r := range pages[0].Rulings {
		right = max(right, points*r.X1)
	}
	for _, w := range pages[0].Words {
		if w.Text == word {
			y = inherited.MediaBox.Height() - points*w.Y
		}
	}
	page["Annots"] = types.Array{types.Dict{
		"Type": types.Name("Annot"), "Subtype": types.Name(kind), "F": types.Integer(4),
		"Rect": types.NewNumberArray(right-45, y-2, right-5, y+8), "AP": types.Dict{"N": appearance(t, ctx, text)},
	}}
	var out bytes.Buffer
	if err := api.WriteContext(ctx, &out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// appearance adds what an annotation looks like that says something.
func appearance(t *testing.T, ctx *model.Context, text string) types.IndirectRef {
	t.Helper()
	form, err := ctx.NewStreamDictForBuf([]byte("BT /F 8 Tf 1 2 Td (" + text + ") Tj ET"))
	if err != nil {
		t.Fatal(err)
	}
	font := types.Dict{"Type": types.Name("Font"), "Subtype": types.Name("Type1"), "BaseFont": types.Name("Helvetica")}
	form.Dict["Subtype"], form.Dict["BBox"] = types.Name("Form"), types.NewNumberArray(0, 0, 40, 10)
	form.Dict["Resources"] = types.Dict{"Font": types.Dict{"F": font}}
	if err := form.Encode(); err != nil {
		t.Fatal(err)
	}
	ref, err := ctx.IndRefForNewObject(*form)
	if err != nil {
		t.Fatal(err)
	}
	return *ref
}
