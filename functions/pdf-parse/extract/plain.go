package extract

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// unreadable stands for a glyph that has ink and whose text nothing tells.
const unreadable = "\uFFFD"

// plainText is text in plain letters: compatibility forms are the letters that they show (NFKC), every
// dash and minus is "-", every kind of space " ", and what has no ink is dropped. Forms that would
// read as something else on one line, such as a raised 2 or a half, stay as they are.
func plainText(s string) string {
	if isASCII(s) {
		return s // as nearly all are
	}
	var out strings.Builder
	for _, r := range s {
		out.WriteString(plain(r))
	}
	return norm.NFC.String(out.String())
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

func plain(r rune) string {
	switch {
	case r >= ' ' && r < 0x7f:
		return string(r)
	case isDash(r):
		return "-"
	case unicode.IsSpace(r) || unicode.Is(unicode.Zs, r) || r == '\u2800' || r == '\u3164':
		return " "
	case isInvisible(r):
		return ""
	case strings.ContainsRune(":\u2236\uA789\u02D0", r):
		return ":"
	case r == '\u2044' || r == '\u2215':
		return "/"
	case keepsForm(r):
		return string(r)
	}
	return norm.NFKC.String(string(r))
}

// isDash holds for what is drawn as a short level stroke; a soft hyphen that is drawn is a hyphen.
func isDash(r rune) bool {
	return unicode.Is(unicode.Pd, r) || strings.ContainsRune("\u00AD\u02D7\u2043\u2212\u2500\u2796", r)
}

// isInvisible holds for what has no ink: controls, marks of direction, joiners, selectors of a variant.
func isInvisible(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Variation_Selector) || r == '\u034F'
}

// keepsForm holds for what NFKC would change beyond its look: "1²" is not 12, nor "1½" 11⁄2, an accent
// that stands alone is no space, and the Afrikaans ŉ is a letter.
func keepsForm(r rune) bool {
	switch {
	case unicode.In(r, unicode.No, unicode.Lm, unicode.Sk):
		return true
	case r >= 0x2070 && r <= 0x209F, r >= 0x2460 && r <= 0x24FF, r >= 0x3200 && r <= 0x33FF, r >= 0x1F100 && r <= 0x1F2FF:
		return true // raised, lowered, enclosed and squared
	}
	return strings.ContainsRune("ªº™℠ŉ", r)
}

// plainWord is the text of a whole word: accents that were drawn by themselves are joined to their
// letters, and letters of other alphabets that look like Latin ones are Latin, where all of the word
// reads so.
func plainWord(s string) string {
	if isASCII(s) {
		return s
	}
	s = norm.NFC.String(s)
	if !strings.ContainsFunc(s, isForeign) || strings.ContainsFunc(s, func(r rune) bool { return isForeign(r) && twins[r] == 0 }) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if twin := twins[r]; twin != 0 {
			return twin
		}
		return r
	}, s)
}

func isForeign(r rune) bool {
	return r > unicode.MaxLatin1 && unicode.IsLetter(r) && !unicode.Is(unicode.Latin, r) && !unicode.Is(unicode.Common, r)
}

// twins are the Cyrillic and Greek letters that fonts draw with the outline of a Latin one.
var twins = map[rune]rune{
	'А': 'A', 'В': 'B', 'Е': 'E', 'Ѕ': 'S', 'І': 'I', 'Ј': 'J', 'К': 'K', 'М': 'M', 'Н': 'H', 'О': 'O', 'Р': 'P', 'С': 'C',
	'Т': 'T', 'У': 'Y', 'Х': 'X', 'Ү': 'Y', 'Ԍ': 'G', 'Ԛ': 'Q', 'Ԝ': 'W', 'Ӏ': 'I',
	'а': 'a', 'е': 'e', 'о': 'o', 'р': 'p', 'с': 'c', 'у': 'y', 'х': 'x', 'ѕ': 's', 'і': 'i', 'ј': 'j', 'ԁ': 'd', 'ԛ': 'q',
	'ԝ': 'w', 'һ': 'h',
	'Α': 'A', 'Β': 'B', 'Ε': 'E', 'Ζ': 'Z', 'Η': 'H', 'Ι': 'I', 'Κ': 'K', 'Μ': 'M', 'Ν': 'N', 'Ο': 'O', 'Ρ': 'P', 'Τ': 'T',
	'Υ': 'Y', 'Χ': 'X', 'Ϲ': 'C', 'Ϳ': 'J', 'ο': 'o', 'ν': 'v', 'ϲ': 'c', 'ϳ': 'j',
}
