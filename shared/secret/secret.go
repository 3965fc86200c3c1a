// Package secret has the type of what must not be shown: passwords, tokens, keys, and addresses that hold one. A
// [String] prints as stars, whatever prints it and however deep it lies in what is printed: package fmt with any verb,
// slog, encoding/json. Its value is behind [String.Reveal], so that each place where a secret leaves the process can be
// found by that name.
//
// It guards against slips, such as a Config in a log line or in an error. It does not guard against code that means to
// read the value, nor against who reads the process's memory.
package secret

import (
	"fmt"
	"io"
	"log/slog"
	"unique"
)

// Stars are what a secret prints as. Their number says nothing of its length.
const Stars = "*****"

// String is a secret text. The zero String is empty. Two are equal (==) if their values are; to compare one with what a
// caller sent, reveal it and compare in constant time.
//
// The value is behind a pointer because package fmt calls no method of what lies in an unexported field: it prints the
// field's memory, which is here an address. The pointer is a unique.Handle so that == compares values.
type String struct{ value unique.Handle[string] }

// New makes a secret of a text.
func New(text string) String {
	if text == "" {
		return String{}
	}
	return String{unique.Make(text)}
}

// List makes a secret of each text.
func List(texts ...string) []String {
	all := make([]String, len(texts))
	for i, text := range texts {
		all[i] = New(text)
	}
	return all
}

// Reveal is the text itself.
func (s String) Reveal() string {
	if s.IsZero() {
		return ""
	}
	return s.value.Value()
}

// IsZero reports whether the secret is empty.
func (s String) IsZero() bool { return s == String{} }

// String is Stars, or nothing if the secret is empty.
func (s String) String() string {
	if s.IsZero() {
		return ""
	}
	return Stars
}

// Format prints String, whatever the verb and its flags.
func (s String) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) } // fmt's State never fails

// LogValue is String.
func (s String) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText gives String: encoding/json and others that ask for a text write stars. A secret that must be written is
// revealed first.
func (s String) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes any text as the value, and so do settings and flags (flag.TextVar).
func (s *String) UnmarshalText(text []byte) error {
	*s = New(string(text))
	return nil
}
