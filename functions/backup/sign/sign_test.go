package sign

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/shared/secret"
)

func seed(letter string) string {
	return base64.StdEncoding.EncodeToString([]byte(strings.Repeat(letter, 32)))
}

func keys(t *testing.T, signing string, public ...string) Keys {
	t.Helper()
	k, err := ParseKeys(secret.New(signing), public)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestOnlyAKnownKeyOfTheSameDocumentPasses(t *testing.T) {
	t.Parallel()
	a, b := keys(t, seed("a")), keys(t, seed("b"))
	document := []byte(`{"id":"1"}`)
	signature := a.Sign("manifest", document)
	for name, test := range map[string]struct {
		by        Keys
		purpose   string
		document  string
		signature string
		want      error
	}{
		"itself":              {a, "manifest", `{"id":"1"}`, signature, nil},
		"its public key":      {keys(t, "", a.Public()), "manifest", `{"id":"1"}`, signature, nil},
		"a former key":        {keys(t, seed("b"), a.Public()), "manifest", `{"id":"1"}`, signature, nil},
		"no key":              {Keys{}, "manifest", `{"id":"2"}`, "", nil},
		"another key":         {b, "manifest", `{"id":"1"}`, signature, ErrForged},
		"another document":    {a, "manifest", `{"id":"2"}`, signature, ErrForged},
		"another purpose":     {a, "deletions", `{"id":"1"}`, signature, ErrForged},
		"no signature":        {a, "manifest", `{"id":"1"}`, "", ErrUnsigned},
		"what is no base64":   {a, "manifest", `{"id":"1"}`, "!", ErrForged},
		"a shorter signature": {a, "manifest", `{"id":"1"}`, signature[:8], ErrForged},
	} {
		if err := test.by.Check(test.purpose, []byte(test.document), test.signature); !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, want %v", name, err, test.want)
		}
	}
	if got := (Keys{}).Sign("manifest", document); got != "" {
		t.Errorf("without a key it signs %q", got)
	}
}

func TestWhatIsNoKeyIsSaid(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"x", "AAAA", seed("a") + "AAAA"} {
		if _, err := ParseKeys(secret.New(text), nil); err == nil || strings.Contains(err.Error(), text) {
			t.Errorf("signing key %q: %v, want an error that does not quote it", text, err)
		}
		if _, err := ParseKeys(secret.String{}, []string{text}); err == nil {
			t.Errorf("public key %q is taken", text)
		}
	}
}
