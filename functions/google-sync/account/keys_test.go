package account

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/shared/secret"
)

func key(id string, letter byte) string {
	return id + ":" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{letter}, keySize))
}

func parsed(t *testing.T, texts ...string) *Keys {
	t.Helper()
	keys, err := ParseKeys(secret.List(texts...))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// TestSealedTextOpensOnlyAsItWasSealed: under its key, for its purpose, unaltered.
func TestSealedTextOpensOnlyAsItWasSealed(t *testing.T) {
	t.Parallel()
	keys := parsed(t, key("new", 'n'), key("old", 'o'))
	sealed, id := keys.Seal("a token", "for one account")
	again, _ := keys.Seal("a token", "for one account")
	if id != "new" || keys.Current() != "new" || bytes.Contains(sealed, []byte("token")) || bytes.Equal(sealed, again) {
		t.Errorf("sealed by %s as %q and %q", id, sealed, again)
	}
	if text, err := keys.Open(sealed, id, "for one account"); err != nil || text != "a token" {
		t.Errorf("it opens as %q (%v)", text, err)
	}
	old, _ := parsed(t, key("old", 'o')).Seal("a token", "p")
	if text, err := keys.Open(old, "old", "p"); err != nil || text != "a token" {
		t.Errorf("what an old key sealed opens as %q (%v)", text, err)
	}
	altered := bytes.Clone(sealed)
	altered[len(altered)-1] ^= 1
	for name, open := range map[string]func() (string, error){
		"another purpose": func() (string, error) { return keys.Open(sealed, id, "for another account") },
		"another key":     func() (string, error) { return keys.Open(sealed, "old", "for one account") },
		"altered":         func() (string, error) { return keys.Open(altered, id, "for one account") },
		"cut short":       func() (string, error) { return keys.Open(sealed[:5], id, "for one account") },
		"nothing":         func() (string, error) { return keys.Open(nil, id, "for one account") },
	} {
		if text, err := open(); !errors.Is(err, ErrUnsealed) {
			t.Errorf("%s: it opens as %q (%v)", name, text, err)
		}
	}
	if _, err := keys.Open(sealed, "gone", "for one account"); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("a key that is gone gives %v", err)
	}
}

// TestErrorsShowNoSecret: neither keys, nor what the token endpoint answered.
func TestErrorsShowNoSecret(t *testing.T) {
	t.Parallel()
	for _, texts := range [][]string{nil, {"nokey"}, {"k:"}, {"k:%%%"}, {key("k", 'x') + "AAAA"}, {key("k", 'x'), key("k", 'y')}, {key("a b", 'x')}, {key(strings.Repeat("k", 33), 'x')}} {
		_, err := ParseKeys(secret.List(texts...))
		if err == nil {
			t.Errorf("%q is taken", texts)
		} else if strings.Contains(err.Error(), "eHh4") || strings.Contains(err.Error(), "%%%") {
			t.Errorf("the error shows a key: %v", err)
		}
	}
	long := errors.New(strings.Repeat("x", 500))
	if got := quiet(long).Error(); len(got) > 130 {
		t.Errorf("a long error stays %d bytes long", len(got))
	}
}
