// Package plaintest holds the sentences that people see to plain English: what happened, then what to do. It knows
// what a program can know of that: how a sentence begins and ends, how long it is, the words that nobody would say,
// and whether it tells the reader what to do. It is for tests only.
package plaintest

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxLength is the longest message, in bytes: two sentences on a telephone.
const maxLength = 240

// unsaid are words that a person would not say to a student, each with what to write instead.
var unsaid = []struct{ word, instead string }{
	{`is not done\b`, "we did not run it"}, {`\btells? of\b`, "say what it is"}, {`\btold of\b`, "say what it is"},
	{`\bplease\b`, "the request alone"}, {`\bshall\b`, "will or must"}, {`\bis away\b`, "is not available"}, {`\bno such\b`, "we cannot find"},
	{`\bcannot be understood\b`, "we could not read"}, {`\bis none\b`, "is not"}, {`\bwhoever\b`, "the person"}, {`\bas one may\b`, "as you can"},
	{`\bof which\b`, "two sentences"}, {`\bhereby|herein|thereof\b`, "nothing"}, {`;`, "two sentences"}, {`\bis no term\b`, "is not a term"},
	{`\bis no (date|time|day)\b`, "is not a"}, {`\bpanic|nil|null|exception|stack\b`, "what happened"}, {`\binvalid\b`, "what is wrong with it"},
}

// compiled are the patterns of unsaid.
var compiled = func() []*regexp.Regexp {
	all := make([]*regexp.Regexp, len(unsaid))
	for i, u := range unsaid {
		all[i] = regexp.MustCompile(`(?i)` + u.word)
	}
	return all
}()

// Check says what is wrong with a message. Verbs of a format stand for text that is good.
func Check(message string) error {
	first, _ := utf8.DecodeRuneInString(message)
	switch {
	case !unicode.IsUpper(first) && first != '%' && first != '"':
		return fmt.Errorf("%q does not begin with a capital letter", message)
	case !strings.HasSuffix(message, ".") && !strings.HasSuffix(message, "%s"):
		return fmt.Errorf("%q does not end with a full stop", message)
	case len(message) > maxLength:
		return fmt.Errorf("%q has %d bytes, at most %d are read", message, len(message), maxLength)
	case strings.Contains(message, "  "):
		return fmt.Errorf("%q has a double space", message)
	}
	for i, pattern := range compiled {
		if found := pattern.FindString(message); found != "" {
			return fmt.Errorf("%q says %q; write %s", message, found, unsaid[i].instead)
		}
	}
	return nil
}

// asks are the first words of sentences that tell the reader what to do.
var asks = strings.Fields(`Add Ask Begin Check Choose Compare Delete Download Get Give Go Leave Look Open Remove Reload Save Send Set Shorten Sign
	Start Try Upload Use Wait Write check choose create download give look open start try upload use remove sign write send`)

var sentenceEnd = regexp.MustCompile(`[.:] |\A`)

// CheckAdvice is Check of an error, which must also tell the reader what to do.
func CheckAdvice(message string) error {
	if err := Check(message); err != nil {
		return err
	}
	for _, at := range sentenceEnd.FindAllStringIndex(message, -1) {
		word, _, _ := strings.Cut(message[at[1]:], " ")
		for _, ask := range asks {
			if word == ask {
				return nil
			}
		}
	}
	return fmt.Errorf("%q does not tell the reader what to do", message)
}
