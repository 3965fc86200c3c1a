package pack_test

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/shared/pack"
)

func write(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

func TestPack(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"nothing": "", "much the same": strings.Repeat("COS 212\r\n", 100_000)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			packed, err := pack.Pack(10_000, write(text))
			if err != nil || !pack.IsPacked(packed) || pack.IsPacked([]byte(text)) {
				t.Fatalf("got %d bytes, %v; want some that are packed", len(packed), err)
			}
			if got, err := pack.Unpack(packed); err != nil || string(got) != text {
				t.Errorf("got %d bytes, %v; want the same text", len(got), err)
			}
		})
	}
}

func TestPackErrors(t *testing.T) {
	t.Parallel()
	random := make([]byte, 1000)
	if _, err := rand.Read(random); err != nil {
		t.Fatal(err)
	}
	if _, err := pack.Pack(700, write(base64.StdEncoding.EncodeToString(random))); !errors.Is(err, pack.ErrTooLong) {
		t.Errorf("got %v, want %v", err, pack.ErrTooLong)
	}
	broken := errors.New("broken")
	if _, err := pack.Pack(700, func(io.Writer) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("got %v, want the writer's error", err)
	}
	packed, err := pack.Pack(700, write("text"))
	if err != nil {
		t.Fatal(err)
	}
	for name, damaged := range map[string][]byte{"text": []byte("text"), "cut off": packed[:len(packed)-4]} {
		if _, err := pack.Unpack(damaged); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}
