package feed

import (
	"io"

	"github.com/schedgen/schedgen/shared/pack"
)

// maxPacked bounds what is kept of a feed's file, in bytes.
const maxPacked = 800 << 10

// packBody gives a file as the database keeps it, or [pack.ErrTooLong].
func packBody(file []byte) ([]byte, error) {
	return pack.Pack(maxPacked, func(w io.Writer) error {
		_, err := w.Write(file)
		return err
	})
}

// unpackBody reads what packBody made. Earlier programs kept files as they are.
func unpackBody(kept []byte) ([]byte, error) {
	if !pack.IsPacked(kept) {
		return kept, nil
	}
	return pack.Unpack(kept)
}
