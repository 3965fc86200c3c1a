package pack_test

import (
	"fmt"
	"io"
	"strings"

	"github.com/schedgen/schedgen/shared/pack"
)

func ExamplePack() {
	text := strings.Repeat("BEGIN:VEVENT\r\n", 1000)
	packed, err := pack.Pack(4096, func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	again, err := pack.Unpack(packed)
	fmt.Println(pack.IsPacked(packed), len(packed) < len(text)/50, string(again) == text, err)
	// Output: true true true <nil>
}
