package seal_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"filippo.io/age"

	"github.com/schedgen/schedgen/functions/backup/seal"
)

func key(t testing.TB) *age.X25519Identity {
	t.Helper()
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return identity
}

func sealed(t testing.TB, plain []byte, to ...*age.X25519Identity) []byte {
	t.Helper()
	var recipients []age.Recipient
	for _, identity := range to {
		recipients = append(recipients, identity.Recipient())
	}
	var out bytes.Buffer
	w, err := seal.Writer(&out, recipients)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func open(from io.Reader, identity age.Identity) ([]byte, error) {
	r, err := seal.Reader(from, []age.Identity{identity})
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func TestEachRecipientOpensWhatWasSealed(t *testing.T) {
	t.Parallel()
	a, b := key(t), key(t)
	for _, size := range []int{0, 1, 64 << 10, 3<<20 + 7} {
		plain := bytes.Repeat([]byte("compresses well "), size/16+1)[:size]
		closed := sealed(t, plain, a, b)
		for _, identity := range []*age.X25519Identity{a, b} {
			got, err := open(bytes.NewReader(closed), identity)
			if err != nil || !bytes.Equal(got, plain) {
				t.Errorf("%d bytes: got %d, %v", size, len(got), err)
			}
		}
		if size > 1<<20 && len(closed) > size/20 {
			t.Errorf("%d bytes of text were sealed into %d: not compressed", size, len(closed))
		}
		if _, err := open(bytes.NewReader(closed), key(t)); !errors.Is(err, seal.ErrWrongKey) {
			t.Errorf("a stranger's key: got %v, want ErrWrongKey", err)
		}
	}
}

func TestAnyFlippedBitAndAnyCutIsDamage(t *testing.T) {
	t.Parallel()
	identity := key(t)
	plain := make([]byte, 100<<10)
	for i := range plain {
		plain[i] = byte(rand.Uint32())
	}
	closed := sealed(t, plain, identity)
	for range 200 {
		at, bit := rand.IntN(len(closed)), byte(1)<<rand.IntN(8)
		damaged := bytes.Clone(closed)
		damaged[at] ^= bit
		if _, err := open(bytes.NewReader(damaged), identity); err == nil {
			t.Errorf("byte %d of %d changed by %d was not noticed", at, len(closed), bit)
		}
		if _, err := open(bytes.NewReader(closed[:at]), identity); err == nil {
			t.Errorf("cut after %d bytes of %d was not noticed", at, len(closed))
		}
	}
}

func TestTheSourcesErrorIsNoDamage(t *testing.T) {
	t.Parallel()
	identity, away := key(t), errors.New("away")
	closed := sealed(t, make([]byte, 1<<20), identity)
	from := io.MultiReader(bytes.NewReader(closed[:len(closed)-3]), iotest.ErrReader(away))
	if _, err := open(from, identity); !errors.Is(err, away) || errors.Is(err, seal.ErrDamaged) {
		t.Errorf("got %v, want the source's own", err)
	}
}

func TestKeysAreRead(t *testing.T) {
	t.Parallel()
	a, b := key(t), key(t)
	if got, err := seal.Recipients([]string{"", " " + a.Recipient().String(), b.Recipient().String()}); err != nil || len(got) != 2 {
		t.Errorf("got %d recipients, %v", len(got), err)
	}
	for _, wrong := range []string{"", "age1xyz", a.String()} {
		if _, err := seal.Recipients([]string{wrong}); err == nil || strings.Contains(err.Error(), a.String()) {
			t.Errorf("%.10q: got %v, want an error without a secret", wrong, err)
		}
	}
	file := filepath.Join(t.TempDir(), "key.txt")
	for text, want := range map[string]int{"# comment\n" + a.String() + "\n" + b.String() + "\n": 2, "nothing\n": 0, a.String()[:30] + "\n": 0} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := seal.Identities(file)
		if len(got) != want || (err == nil) != (want > 0) || err != nil && strings.Contains(err.Error(), a.String()[:30]) {
			t.Errorf("got %d identities, %v; want %d", len(got), err, want)
		}
	}
	if _, err := seal.Identities(file + ".missing"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: got %v", err)
	}
}

// What is sealed must open without schedgen, in ten years, by two programs that every system has.
func TestTheProgramsAgeAndZstdOpenIt(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"age", "zstd"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("needs %s: run `make setup`, or apt-get install %s", program, program)
		}
	}
	identity, dir := key(t), t.TempDir()
	plain := []byte(strings.Repeat("what was dumped\n", 10000))
	for name, content := range map[string][]byte{"key.txt": []byte(identity.String() + "\n"), "sealed": sealed(t, plain, identity)} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", "age -d -i key.txt sealed | zstd -d")
	cmd.Dir = dir
	got, err := cmd.Output()
	if err != nil || !bytes.Equal(got, plain) {
		t.Errorf("got %d bytes, %v; want %d", len(got), err, len(plain))
	}
}

func ExampleReader() {
	identity, _ := age.GenerateX25519Identity()
	var bucket bytes.Buffer
	w, _ := seal.Writer(&bucket, []age.Recipient{identity.Recipient()})
	io.WriteString(w, "a dump")
	w.Close()
	r, _ := seal.Reader(&bucket, []age.Identity{identity})
	defer r.Close()
	plain, _ := io.ReadAll(r)
	fmt.Println(string(plain))
	// Output: a dump
}
