// Package pack keeps text that says much the same over and over in a small part of its length, in gzip's form
// (RFC 1952), and within a bound.
package pack

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

// ErrTooLong says that a text is longer than its bound even when it is packed.
var ErrTooLong = errors.New("pack: too long to be kept")

// Pack packs what write writes into at most so many bytes, or gives [ErrTooLong].
func Pack(most int, write func(io.Writer) error) ([]byte, error) {
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	if err := errors.Join(write(zip), zip.Close()); err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	if packed.Len() > most {
		return nil, ErrTooLong
	}
	return packed.Bytes(), nil
}

// Unpack gives what Pack was given. It is for what Pack made, whose length its writer bounded.
func Unpack(packed []byte) ([]byte, error) {
	zip, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	text, err := io.ReadAll(zip)
	if err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	return text, nil
}

// IsPacked reports whether Pack made it: no text begins so.
func IsPacked(data []byte) bool { return bytes.HasPrefix(data, []byte{0x1f, 0x8b}) } // RFC 1952 section 2.3.1
