package parse

import (
	"errors"
	"fmt"

	"github.com/schedgen/schedgen/functions/pdf-parse/extract"
	"github.com/schedgen/schedgen/functions/pdf-parse/table"
)

// Error says why a file is no timetable that can be read. It is final: the same file gives the same
// error.
type Error struct {
	Code    string `json:"code"`
	Message string `json:"message"` // a sentence for people that says what to do
}

func (e *Error) Error() string { return e.Message }

// The codes of errors.
const (
	NotPDF       = "NOT_A_PDF"
	TooLarge     = "PDF_TOO_LARGE"
	Encrypted    = "PDF_ENCRYPTED"
	NoPages      = "PDF_NO_PAGES"
	TooManyPages = "PDF_TOO_MANY_PAGES"
	NoText       = "PDF_NO_TEXT"
	Damaged      = "PDF_DAMAGED"
	TooComplex   = "PDF_TOO_COMPLEX"
	NoTimetable  = "NO_TIMETABLE"
	Mixed        = "MIXED_TIMETABLES"
)

var messages = map[string]string{
	NotPDF:       "This file is not a PDF. Download your timetable as a PDF and use that file.",
	TooLarge:     fmt.Sprintf("This PDF is larger than %d MB. A timetable is far smaller: check that it is the right file.", extract.MaxBytes>>20),
	Encrypted:    "This PDF is protected with a password. Save a copy without a password and use that.",
	NoPages:      "This PDF has no pages. Download your timetable again.",
	TooManyPages: fmt.Sprintf("This PDF has more than %d pages. Use your own timetable only.", extract.MaxPages),
	NoText:       "This PDF holds no text, as a scan or a photo does. Use the PDF that the university gives, not a picture of it.",
	Damaged:      "This PDF is damaged and cannot be read. Download your timetable again.",
	TooComplex:   "This PDF takes far more time or memory than a timetable does. Download your timetable again.",
	NoTimetable:  "No lecture, semester test or exam timetable was found in this PDF. Check that it is the right file.",
	Mixed:        "This PDF holds timetables of several kinds. Use lectures, semester tests and exams as separate files.",
}

// New is the error of a code.
func New(code string) *Error { return &Error{Code: code, Message: messages[code]} }

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
