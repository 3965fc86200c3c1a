package extract

import "errors"

// What can be wrong with a document, each final: another try gives the same answer.
var (
	ErrNotPDF       = errors.New("not a PDF")
	ErrTooLarge     = errors.New("larger than 10 MB")
	ErrEncrypted    = errors.New("encrypted with a password")
	ErrNoPages      = errors.New("no pages")
	ErrTooManyPages = errors.New("more than 100 pages")
	ErrNoText       = errors.New("no text")
	ErrDamaged      = errors.New("damaged")
	ErrTooComplex   = errors.New("more content than a timetable has")
)
