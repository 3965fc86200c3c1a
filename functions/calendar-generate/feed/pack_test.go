package feed

import (
	"bytes"
	"encoding/base64"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestFilesArePackedWithinABound: a file of rows that look alike is kept, in a fraction of its bytes, and one of chance is
// not. What earlier programs kept is read as it is.
func TestFilesArePackedWithinABound(t *testing.T) {
	t.Parallel()
	file := []byte(strings.Repeat("BEGIN:VEVENT\r\nSUMMARY:COS 212 L1\r\nEND:VEVENT\r\n", 50_000))
	packed, err := pack(file)
	if err != nil || len(packed) > len(file)/10 {
		t.Fatalf("a file of %d bytes has %d packed: %v", len(file), len(packed), err)
	}
	for _, c := range []struct{ kept, want []byte }{{packed, file}, {file, file}, {nil, nil}} {
		if got, err := unpack(c.kept); err != nil || !bytes.Equal(got, c.want) {
			t.Errorf("%d bytes are unpacked to %d, want %d: %v", len(c.kept), len(got), len(c.want), err)
		}
	}
	chance := make([]byte, 2<<20)
	rand.NewChaCha8([32]byte{7}).Read(chance) // never fails
	if packed, err = pack([]byte(base64.StdEncoding.EncodeToString(chance))); !errors.Is(err, ErrTooLong) {
		t.Errorf("a file of chance is kept in %d bytes: %v", len(packed), err)
	}
}
