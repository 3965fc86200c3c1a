package extract

import (
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// An encoding says what each code of a simple font stands for (ISO 32000-1, annex D).
type encoding struct {
	text  [256]string // "" is no glyph, or one whose name says nothing
	names [256]string // of the glyphs, where the file names them
	guess bool        // the font program has an encoding of its own, which we cannot read; this is the usual one
	own   bool        // the font has no glyph for what is not in text or names: nothing is drawn

	inkless [256]bool // the font program's glyph is empty
}

// meaning is what viewers draw for a code, by its name.
func (e *encoding) meaning(c byte) meaning {
	if e.names[c] != "" {
		if text := realText(glyphText(e.names[c])); text != "" {
			return meaning{text: text}
		}
		return meaning{numbered(e.names[c], c), true}
	}
	return meaning{plainText(e.text[c]), e.guess}
}

// raw is a code's text as fonts name it: an en dash is wider than the hyphen that it reads as.
func (e *encoding) raw(c byte) string {
	if e.names[c] != "" {
		return glyphText(e.names[c])
	}
	return e.text[c]
}

// blank reports whether a code draws nothing, since the font has no such glyph.
func (e *encoding) blank(c byte) bool {
	return e.inkless[c] || e.own && e.text[c] == "" && (e.names[c] == "" || e.names[c] == ".notdef")
}

// The named encodings, each made when it is first asked for, and never changed.
var (
	winAnsi  = sync.OnceValue(func() *encoding { return fromCharmap(charmap.Windows1252) })
	macRoman = sync.OnceValue(func() *encoding { return fromCharmap(charmap.Macintosh) })
	expert   = sync.OnceValue(expertEncoding)
	standard = sync.OnceValue(standardEncoding)
)

// baseEncoding is the named encoding, the caller's own; an unknown or absent name is StandardEncoding.
func baseEncoding(n string) *encoding {
	named := standard
	switch n {
	case "WinAnsiEncoding":
		named = winAnsi
	case "MacRomanEncoding":
		named = macRoman
	case "MacExpertEncoding":
		named = expert
	}
	e := *named()
	return &e
}

func fromCharmap(c *charmap.Charmap) *encoding {
	var e encoding
	for i := 32; i < 256; i++ {
		if r := c.DecodeByte(byte(i)); r != '\uFFFD' && (r < 0x7f || r > 0x9f) {
			e.text[i] = string(r)
		}
	}
	if c == charmap.Windows1252 { // ISO 32000-1, annex D.2, notes 5 and 6
		e.text[0xA0], e.text[0xAD] = " ", "-"
	}
	return &e
}

// expertEncoding is the part of MacExpertEncoding that shows letters and digits, in forms of their own.
func expertEncoding() *encoding {
	var e encoding
	for c := '0'; c <= '9'; c++ {
		e.text[c] = string(c)
	}
	for c := 'a'; c <= 'z'; c++ {
		e.text[c] = string(c - 'a' + 'A')
	}
	for _, c := range " ,-.:;$&" {
		e.text[c] = string(c)
	}
	e.text['/'] = "/"
	return &e
}

// symbolLetters are what Symbol's built-in encoding has for the codes from "A" to "z".
const symbolLetters = "ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_‾αβχδεφγηιϕκλμνοπθρστυϖωξψζ"

func symbolEncoding() *encoding {
	e := standardEncoding()
	clear(e.text[128:])
	e.text['"'], e.text['$'], e.text['\''], e.text['*'], e.text['-'], e.text['@'], e.text['`'] = "∀", "∃", "∋", "∗", "-", "≅", "‾"
	code := 'A'
	for _, r := range symbolLetters {
		e.text[code] = string(r)
		code++
	}
	return e
}

// standardUpper is the part of StandardEncoding beyond ASCII, from code 0xA1 on; a dot is no glyph.
const standardUpper = "¡¢£⁄¥ƒ§¤'“«‹›ﬁﬂ.–†‡·.¶•‚„”»…‰.¿.`´ˆ˜¯˘˙¨.˚¸.˝˛ˇ—................Æ.ª....ŁØŒº.....æ...ı..łøœß"

func standardEncoding() *encoding {
	var e encoding
	for i := 32; i < 127; i++ {
		e.text[i] = string(rune(i))
	}
	e.text['\''], e.text['`'] = "’", "‘"
	code := 0xA1
	for _, r := range standardUpper {
		if r != '.' {
			e.text[code] = string(r)
		}
		code++
	}
	return &e
}

// glyphText is what a glyph name stands for, by the rules of the Adobe Glyph List Specification:
// a suffix after a dot is dropped, parts joined by underscores are a ligature. An unknown name is "".
// So is a raised or lowered form: a power is no digit of the number before it.
func glyphText(glyph string) string {
	glyph, form, _ := strings.Cut(glyph, ".")
	switch form {
	case "sups", "superior", "numr", "subs", "inferior", "sinf", "dnom":
		return ""
	}
	var out strings.Builder
	for part := range strings.SplitSeq(glyph, "_") {
		text := partText(part)
		if text == "" {
			return ""
		}
		out.WriteString(text)
	}
	return out.String()
}

// numbered is the character of a name that is a letter and the code's own number, as of programs that make bitmap
// fonts ("a49", "g31"): a guess. "" for other names.
func numbered(glyph string, c byte) string {
	if len(glyph) < 2 || c <= ' ' || c >= 0x7f {
		return ""
	}
	for _, base := range []int{10, 16} {
		if v, err := strconv.ParseUint(glyph[1:], base, 8); err == nil && byte(v) == c {
			return string(rune(c))
		}
	}
	return ""
}

func partText(part string) string {
	if r, ok := glyphNames[part]; ok {
		return string(r)
	}
	if len(part) == 1 && part[0] < utf8.RuneSelf {
		return part
	}
	if digit, ok := strings.CutSuffix(part, "oldstyle"); ok && digit != "" {
		return partText(digit)
	}
	if letter, ok := strings.CutSuffix(part, "small"); ok && len(letter) == 1 {
		return letter
	}
	if digits, ok := strings.CutPrefix(part, "uni"); ok && len(digits) > 0 && len(digits)%4 == 0 {
		var out strings.Builder
		for ; digits != ""; digits = digits[4:] {
			out.WriteString(hexText(digits[:4]))
		}
		return out.String()
	}
	if digits, ok := strings.CutPrefix(part, "u"); ok && len(digits) >= 4 && len(digits) <= 6 {
		return hexText(digits)
	}
	return ""
}

// hexText is the character of a hexadecimal code point; "" where that is none.
func hexText(digits string) string {
	v, err := strconv.ParseUint(digits, 16, 32)
	if err != nil || !utf8.ValidRune(rune(v)) {
		return ""
	}
	return string(rune(v))
}

// glyphNames are the Latin names of the Adobe Glyph List that are not their own letter.
var glyphNames = map[string]rune{
	"space": 0x20, "exclam": 0x21, "quotedbl": 0x22, "numbersign": 0x23, "dollar": 0x24, "percent": 0x25,
	"ampersand": 0x26, "quotesingle": 0x27, "parenleft": 0x28, "parenright": 0x29, "asterisk": 0x2A,
	"plus": 0x2B, "comma": 0x2C, "hyphen": 0x2D, "period": 0x2E, "slash": 0x2F, "zero": 0x30, "one": 0x31,
	"two": 0x32, "three": 0x33, "four": 0x34, "five": 0x35, "six": 0x36, "seven": 0x37, "eight": 0x38,
	"nine": 0x39, "colon": 0x3A, "semicolon": 0x3B, "less": 0x3C, "equal": 0x3D, "greater": 0x3E,
	"question": 0x3F, "at": 0x40, "bracketleft": 0x5B, "backslash": 0x5C, "bracketright": 0x5D,
	"asciicircum": 0x5E, "underscore": 0x5F, "grave": 0x60, "braceleft": 0x7B, "bar": 0x7C, "braceright": 0x7D,
	"asciitilde": 0x7E, "exclamdown": 0xA1, "cent": 0xA2, "sterling": 0xA3, "currency": 0xA4, "yen": 0xA5,
	"brokenbar": 0xA6, "section": 0xA7, "dieresis": 0xA8, "copyright": 0xA9, "ordfeminine": 0xAA,
	"guillemotleft": 0xAB, "logicalnot": 0xAC, "registered": 0xAE, "macron": 0xAF, "degree": 0xB0,
	"plusminus": 0xB1, "twosuperior": 0xB2, "threesuperior": 0xB3, "acute": 0xB4, "mu": 0xB5, "paragraph": 0xB6,
	"periodcentered": 0xB7, "cedilla": 0xB8, "onesuperior": 0xB9, "ordmasculine": 0xBA, "guillemotright": 0xBB,
	"onequarter": 0xBC, "onehalf": 0xBD, "threequarters": 0xBE, "questiondown": 0xBF, "Agrave": 0xC0,
	"Aacute": 0xC1, "Acircumflex": 0xC2, "Atilde": 0xC3, "Adieresis": 0xC4, "Aring": 0xC5, "AE": 0xC6,
	"Ccedilla": 0xC7, "Egrave": 0xC8, "Eacute": 0xC9, "Ecircumflex": 0xCA, "Edieresis": 0xCB, "Igrave": 0xCC,
	"Iacute": 0xCD, "Icircumflex": 0xCE, "Idieresis": 0xCF, "Eth": 0xD0, "Ntilde": 0xD1, "Ograve": 0xD2,
	"Oacute": 0xD3, "Ocircumflex": 0xD4, "Otilde": 0xD5, "Odieresis": 0xD6, "multiply": 0xD7, "Oslash": 0xD8,
	"Ugrave": 0xD9, "Uacute": 0xDA, "Ucircumflex": 0xDB, "Udieresis": 0xDC, "Yacute": 0xDD, "Thorn": 0xDE,
	"germandbls": 0xDF, "agrave": 0xE0, "aacute": 0xE1, "acircumflex": 0xE2, "atilde": 0xE3, "adieresis": 0xE4,
	"aring": 0xE5, "ae": 0xE6, "ccedilla": 0xE7, "egrave": 0xE8, "eacute": 0xE9, "ecircumflex": 0xEA,
	"edieresis": 0xEB, "igrave": 0xEC, "iacute": 0xED, "icircumflex": 0xEE, "idieresis": 0xEF, "eth": 0xF0,
	"ntilde": 0xF1, "ograve": 0xF2, "oacute": 0xF3, "ocircumflex": 0xF4, "otilde": 0xF5, "odieresis": 0xF6,
	"divide": 0xF7, "oslash": 0xF8, "ugrave": 0xF9, "uacute": 0xFA, "ucircumflex": 0xFB, "udieresis": 0xFC,
	"yacute": 0xFD, "thorn": 0xFE, "ydieresis": 0xFF, "OE": 0x152, "oe": 0x153, "Scaron": 0x160,
	"scaron": 0x161, "Ydieresis": 0x178, "Zcaron": 0x17D, "zcaron": 0x17E, "florin": 0x192, "circumflex": 0x2C6,
	"tilde": 0x2DC, "endash": 0x2013, "emdash": 0x2014, "quoteleft": 0x2018, "quoteright": 0x2019,
	"quotesinglbase": 0x201A, "quotedblleft": 0x201C, "quotedblright": 0x201D, "quotedblbase": 0x201E,
	"dagger": 0x2020, "daggerdbl": 0x2021, "bullet": 0x2022, "ellipsis": 0x2026, "perthousand": 0x2030,
	"guilsinglleft": 0x2039, "guilsinglright": 0x203A, "fraction": 0x2044, "Euro": 0x20AC, "trademark": 0x2122,
	"minus": 0x2212, "fi": 0xFB01, "fl": 0xFB02, "ff": 0xFB00, "ffi": 0xFB03, "ffl": 0xFB04, "dotlessi": 0x131,
	"Lslash": 0x141, "lslash": 0x142, "nbspace": 0xA0, "sfthyphen": 0xAD, "caron": 0x2C7, "breve": 0x2D8,
	"dotaccent": 0x2D9, "ring": 0x2DA, "ogonek": 0x2DB, "hungarumlaut": 0x2DD, "middot": 0xB7,
	"nonbreakingspace": 0xA0, "softhyphen": 0xAD,
}
