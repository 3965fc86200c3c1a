package feed

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

// maxPacked bounds what is kept of a feed's file, in bytes. The largest timetables have a quarter of it: their rows look alike.
const maxPacked = 800 << 10

// ErrTooLong says that a feed's file is too long to be kept.
var ErrTooLong = errors.New("feed: the file is too long to be kept")

// pack gives a file as the database keeps it, or ErrTooLong.
func pack(file []byte) ([]byte, error) {
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	_, err := zip.Write(file)
	if err := errors.Join(err, zip.Close()); err != nil {
		return nil, fmt.Errorf("pack a feed: %w", err)
	}
	if packed.Len() > maxPacked {
		return nil, ErrTooLong
	}
	return packed.Bytes(), nil
}

// unpack reads what pack made. Earlier programs kept files as they are.
func unpack(kept []byte) ([]byte, error) {
	if !bytes.HasPrefix(kept, []byte{0x1f, 0x8b}) { // RFC 1952 section 2.3.1
		return kept, nil
	}
	zip, err := gzip.NewReader(bytes.NewReader(kept))
	if err != nil {
		return nil, fmt.Errorf("unpack a feed: %w", err)
	}
	file, err := io.ReadAll(zip) // ours: it was in memory when it was packed
	if err != nil {
		return nil, fmt.Errorf("unpack a feed: %w", err)
	}
	return file, nil
}
