package parse_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
)

// TestSamplesAtAnyScale reads real timetables that were moved anywhere and drawn at scales from 1/20 to 20, with and
// without a /UserUnit: other ones in each run, as they came and written anew.
func TestSamplesAtAnyScale(t *testing.T) {
	t.Parallel()
	paths := samples(t)
	if paths == nil {
		t.Skip("set SCHEDGEN_SAMPLES to a folder of real PDFs, each with its .truth.json, to read them at any scale")
	}
	first := firstSeed(t)
	for _, path := range paths {
		pdf, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want := truth(t, path)
		for seed := first; seed < first+8; seed++ {
			place := fixture.AnyPlace(seed)
			t.Run(fmt.Sprintf("%s %+v", filepath.Base(path), place), func(t *testing.T) {
				t.Parallel()
				out := filepath.Join(t.TempDir(), "placed.pdf")
				if err := os.WriteFile(out, placed(t, pdf, place), 0o600); err != nil {
					t.Fatal(err)
				}
				compare(t, out, want)
				if program := []string{"MuPDF cleaned", "qpdf object streams"}[seed%2]; seed < first+2 {
					t.Run(program, func(t *testing.T) { compare(t, rewritten(t, out, rewrites[program]), want) })
				}
			})
		}
	}
}

// placed is a PDF of which all pages were moved and drawn at another scale.
func placed(t *testing.T, pdf []byte, at fixture.Place) []byte {
	t.Helper()
	ctx, err := api.ReadAndValidate(bytes.NewReader(pdf), model.NewDefaultConfiguration())
	if err != nil {
		t.Fatal(err)
	}
	stream := func(content string) types.IndirectRef {
		s, err := ctx.NewStreamDictForBuf([]byte(content))
		if err == nil {
			err = s.Encode()
		}
		if err != nil {
			t.Fatal(err)
		}
		ref, err := ctx.IndRefForNewObject(*s)
		if err != nil {
			t.Fatal(err)
		}
		return *ref
	}
	for n := range ctx.PageCount {
		page, _, inherited, err := ctx.PageDict(n+1, false)
		if err != nil {
			t.Fatal(err)
		}
		paper := inherited.MediaBox
		x0, y0 := at.X+at.Scale*paper.LL.X, at.Y+at.Scale*paper.LL.Y
		page["MediaBox"] = types.NewNumberArray(x0, y0, x0+at.Scale*paper.Width(), y0+at.Scale*paper.Height())
		delete(page, "CropBox")
		if at.UserUnit != 0 {
			page["UserUnit"] = types.Float(at.UserUnit)
		}
		parts := types.Array{page["Contents"]}
		if array, err := ctx.DereferenceArray(page["Contents"]); err == nil && array != nil {
			parts = array
		}
		begin := stream(fmt.Sprintf("q %g 0 0 %[1]g %g %g cm ", at.Scale, at.X, at.Y))
		page["Contents"] = append(append(types.Array{begin}, parts...), stream(" Q"))
	}
	var out bytes.Buffer
	if err := api.WriteContext(ctx, &out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
