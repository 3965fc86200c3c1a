package seal_test

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"filippo.io/age"

	"github.com/schedgen/schedgen/functions/backup/seal"
)

// The system has the public key only. The operator's identity, kept elsewhere, opens what it sealed.
func Example() {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		fmt.Println(err)
		return
	}
	recipients, err := seal.Recipients([]string{identity.Recipient().String()})
	if err != nil {
		fmt.Println(err)
		return
	}
	var sealed bytes.Buffer
	w, err := seal.Writer(&sealed, recipients)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Fprintln(w, "the rows of a table")
	if err := w.Close(); err != nil { // only now is the stream complete
		fmt.Println(err)
		return
	}
	r, err := seal.Reader(&sealed, []age.Identity{identity})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	if _, err := io.Copy(os.Stdout, r); err != nil {
		fmt.Println(err)
	}
	// Output: the rows of a table
}
