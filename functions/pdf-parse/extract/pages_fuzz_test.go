package extract

import (
	"context"
	"math"
	"runtime/debug"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/timetable"
)

// FuzzPages reads foreign files. What is found has a place on its page, and what panics is the
// library below, which the sandbox is for.
func FuzzPages(f *testing.F) {
	for seed, style := range []fixture.Style{fixture.Oracle, fixture.Stroked, fixture.Stroked, fixture.Borderless} {
		pdf, _, err := fixture.Generate(fixture.Options{Kind: timetable.Exam, Style: style, Seed: uint64(seed), Modules: 1})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(pdf)
	}
	f.Add(onePage("BT /F 10 Tf 10 80 Td (COS 214) Tj ET", helvetica, "/Rotate 90"))
	f.Fuzz(func(t *testing.T, pdf []byte) {
		defer func() {
			if r := recover(); r != nil && !strings.Contains(string(debug.Stack()), "/pdfcpu@") {
				panic(r)
			}
		}()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		pages, err := Pages(ctx, pdf)
		if err != nil {
			return
		}
		for i, p := range pages {
			if p.Number != i+1 || !(p.Width > 0 && p.Height > 0) {
				t.Errorf("page %d is numbered %d, %g x %g", i+1, p.Number, p.Width, p.Height)
			}
			for _, w := range p.Words {
				if w.Text == "" || !utf8.ValidString(w.Text) || math.IsNaN(w.X0+w.X1+w.Y+w.Size) {
					t.Errorf("word %+v", w)
				}
			}
		}
	})
}

// FuzzLexer reads foreign tokens: it ends, and passes over no more than there is.
func FuzzLexer(f *testing.F) {
	f.Add([]byte("[(a\\051) -3.5 <4 1>] TJ /N#20x << /K [1 2] /L true >> BDC % done\nET"))
	f.Add([]byte("<<<<[[((\\"))
	f.Fuzz(func(t *testing.T, content []byte) {
		lex := lexer{buf: content}
		for steps := 0; ; steps++ {
			before := lex.pos
			token, ok := lex.next()
			if !ok {
				return
			}
			if lex.pos <= before || lex.pos > len(content) {
				t.Fatalf("token %v moves from %d to %d of %d", token, before, lex.pos, len(content))
			}
		}
	})
}

// FuzzGlyphText reads foreign glyph names: what they stand for is text.
func FuzzGlyphText(f *testing.F) {
	for _, name := range []string{"A", "uni00410042", "u1F600", "f_f_i.alt", "uniD800", "Lslash", "g23"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if text := glyphText(name); !utf8.ValidString(text) || strings.ContainsRune(text, utf8.RuneError) {
			t.Errorf("%q stands for %q", name, text)
		}
	})
}
