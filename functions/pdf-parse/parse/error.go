package parse

import (
	"errors"

	"github.com/schedgen/schedgen/functions/pdf-parse/extract"
	"github.com/schedgen/schedgen/functions/pdf-parse/table"
	"github.com/schedgen/schedgen/shared/api"
)

// Error says why a file is no timetable that can be read. It is final: the same file gives the same
// error.
type Error struct {
	Code    string `json:"code"`
	Message string `json:"message"` // a sentence for people that says what to do
}

func (e *Error) Error() string { return e.Message }

// ErrorType is what spans show.
func (e *Error) ErrorType() string { return e.Code }

// The codes of errors, of those that package api has.
const (
	NotPDF       = api.NotPDF
	TooLarge     = api.PDFTooLarge
	Encrypted    = api.PDFEncrypted
	NoPages      = api.PDFNoPages
	TooManyPages = api.PDFTooManyPages
	NoText       = api.PDFNoText
	Damaged      = api.PDFDamaged
	TooComplex   = api.PDFTooComplex
	NoTimetable  = api.NoTimetable
	Mixed        = api.MixedTimetables
)

// New is the error of a code, with the sentence that the API has for it.
func New(code string) *Error { return &Error{Code: code, Message: api.Sentence(code)} }

var codes = []struct {
	err  error
	code string
}{
	{extract.ErrNotPDF, NotPDF},
	{extract.ErrTooLarge, TooLarge},
	{extract.ErrEncrypted, Encrypted},
	{extract.ErrNoPages, NoPages},
	{extract.ErrTooManyPages, TooManyPages},
	{extract.ErrNoText, NoText},
	{extract.ErrTooComplex, TooComplex},
	{extract.ErrDamaged, Damaged},
	{table.ErrTooComplex, TooComplex},
	{table.ErrNoTable, NoTimetable},
	{table.ErrMixed, Mixed},
}

// typed is err as an *Error where it says something about the file.
func typed(err error) error {
	for _, c := range codes {
		if errors.Is(err, c.err) {
			return New(c.code)
		}
	}
	return err
}
