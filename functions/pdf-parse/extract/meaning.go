package extract

import (
	"strings"
	"unicode"
)

// maxGlyphText bounds what one glyph can stand for, in characters: a ligature has a handful.
const maxGlyphText = 16

// meaning is what one source tells that a glyph stands for.
type meaning struct {
	text   string // plain; "" where it tells nothing
	unsure bool   // it is a guess, or contradicts another source
}

// realText is s in plain letters where it can be what a glyph shows; "" for NUL, private codes, controls, halves
// of surrogate pairs, what Unicode does not define, what has no ink, and more than a glyph can hold.
func realText(s string) string {
	n := 0
	for _, r := range s {
		if n++; n > maxGlyphText || isNoText(r) {
			return ""
		}
	}
	return plainText(s)
}

// isNoText holds for what no glyph stands for.
func isNoText(r rune) bool {
	return r == unicode.ReplacementChar || r == '\uFFFC' || !unicode.IsGraphic(r) && !unicode.Is(unicode.Cf, r)
}

// chooseMeaning decides between what a font's ToUnicode map tells of a glyph and what its encoding or its program
// does, which is what viewers draw by. Where the two differ, one of them is wrong: the drawn one is taken, and
// is in doubt.
func chooseMeaning(mapped string, drawn meaning) meaning {
	switch {
	case mapped == "":
		return drawn
	case drawn.text == "" || drawn.unsure || sameLook(mapped, drawn.text):
		return meaning{text: mapped}
	case drawn.text == " ":
		return meaning{unreadable, true} // it may have ink
	}
	return meaning{drawn.text, true}
}

// sameLook reports whether two texts are drawn alike.
func sameLook(a, b string) bool {
	return a == b || plainWord(a) == plainWord(b) || quote(a) && quote(b) || increment(a) && increment(b)
}

func quote(s string) bool {
	switch s {
	case "'", "`", "‘", "’", "ʼ", "′":
		return true
	}
	return false
}

func increment(s string) bool { return s == "Δ" || s == "∆" }

// isFormat reports whether a text is nothing but joiners, marks of direction and the like.
func isFormat(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !isInvisible(r) || unicode.IsControl(r) })
}
