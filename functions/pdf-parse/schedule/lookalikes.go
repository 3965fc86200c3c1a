package schedule

import "strings"

// Some fonts draw O like 0, and l or I like 1; a font's map that is slightly wrong gives one for the other. Where a
// code, a day or a time has only one reading, that is the reading.

// asDigits is text with the letters that look like digits as digits, where nothing else is left.
func asDigits(text string) (string, bool) {
	text = digitTwins.Replace(text)
	return text, strings.Trim(text, "0123456789") == ""
}

var digitTwins = strings.NewReplacer("O", "0", "o", "0", "l", "1", "I", "1", "|", "1", "ı", "1")

// asLetters is text with the digits that look like one capital letter as that one, where nothing else is left: 1 may
// be an I or an L.
func asLetters(text string) (string, bool) {
	text = letterTwins.Replace(text)
	return text, text != "" && strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

var letterTwins = strings.NewReplacer("0", "O", "|", "I")

// numberedCode is a code of one or two letters and a number, such as "G01" or "L1", of at most most digits; ok is
// false for any other text. It is printed so, or reads so with fewer changes than any other way.
func numberedCode(text string, most int) (code string, ok bool) {
	if digits, ok := splitCode(text); ok && len(digits) <= most {
		return text, true
	}
	code, least := text, 0
	for n := 1; n <= 2 && n < len(text); n++ {
		letters, isLetters := asLetters(text[:n])
		digits, isDigits := asDigits(text[n:])
		if !isLetters || !isDigits || len(digits) > most || strings.Trim(digits, "0") == "" {
			continue
		}
		switch changed := changes(text, letters+digits); {
		case least == 0 || changed < least:
			code, least = letters+digits, changed
		case changed == least:
			code = text
		}
	}
	return code, code != text
}

// changes counts the characters in which two texts of plain letters differ.
func changes(a, b string) int {
	n := 0
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}

// splitCode gives the digits of a code: one or two capital letters stand before them.
func splitCode(text string) (digits string, ok bool) {
	digits = strings.TrimLeft(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
	letters := len(text) - len(digits)
	return digits, letters >= 1 && letters <= 2 && digits != "" && isDigits(digits)
}

// twoReadings reports whether a code's second letter may be its first digit: "GO1" is hardly a group, but not surely G01.
func twoReadings(code string) bool {
	_, ok := splitCode(code)
	return ok && len(code) > 2 && (code[1] == 'O' || code[1] == 'I')
}

// sameLetters reports whether two words are drawn alike, in any case of letters.
func sameLetters(a, b string) bool {
	return nameTwins.Replace(strings.ToLower(a)) == nameTwins.Replace(strings.ToLower(b))
}

var nameTwins = strings.NewReplacer("0", "o", "1", "i", "l", "i", "|", "i", "ı", "i")
