package extract

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"testing"

	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/timetable"
)

// TestRepairedWhole holds that files are read as before the damage where all that is needed to mend them is there.
func TestRepairedWhole(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		o := fixture.Options{Kind: timetable.Lecture, Seed: seed, Pages: 2, Compress: true, Encrypt: seed%3 > 0, AES128: seed%3 == 1}
		pdf, _, err := fixture.Generate(o)
		if err != nil {
			t.Fatal(err)
		}
		want := allWords(pdf)
		for name, damaged := range map[string][]byte{
			"a stream's end missing":     fixture.Damaged(pdf, "a stream's end missing", seed),
			"an object's end missing":    fixture.Damaged(pdf, "an object's end missing", seed),
			"an object's number changed": bytes.Replace(pdf, []byte("\n5 0 obj"), []byte("\n8 0 obj"), 1),
			"another number changed":     bytes.Replace(pdf, []byte("\n8 0 obj"), []byte("\n9 0 obj"), 1),
			"the key's length wrong":     bytes.ReplaceAll(pdf, []byte("/Length 16 "), []byte("/Length 2534 ")),
			"the key's length missing":   bytes.ReplaceAll(pdf, []byte("/Length 128 "), []byte(" ")),
			"the older table not found":  updated(t, pdf, 3),
		} {
			if got := allWords(damaged); got != want {
				t.Errorf("%s, seed %d: got %.300q, want %.300q", name, seed, got, want)
			}
		}
	}
}

// TestRepairedWithoutIdentifier holds that a file is opened of which the identifier was overwritten, where nothing needs it.
func TestRepairedWithoutIdentifier(t *testing.T) {
	t.Parallel()
	pdf, _, err := fixture.Generate(fixture.Options{Kind: timetable.Lecture, Seed: 1, Compress: true, Encrypt: true})
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.LastIndex(pdf, []byte("/ID [ <")) + len("/ID [ <")
	damaged := bytes.Clone(pdf)
	clear(damaged[at+4 : at+20])
	if got, want := allWords(damaged), allWords(pdf); got != want {
		t.Errorf("got %.300q, want %.300q", got, want)
	}
}

// updated adds a revision without objects, whose trailer gives the place of the table before it so many bytes off.
func updated(t *testing.T, pdf []byte, off int) []byte {
	t.Helper()
	trailer := pdf[bytes.LastIndex(pdf, []byte("trailer\n<<"))+len("trailer\n<<"):]
	entries, rest, _ := bytes.Cut(trailer, []byte(">>\nstartxref\n"))
	table, _, _ := bytes.Cut(rest, []byte("\n"))
	at, err := strconv.Atoi(string(table))
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Appendf(bytes.Clone(pdf), "xref\n0 1\n0000000000 65535 f \ntrailer\n<<%s/Prev %d >>\nstartxref\n%d\n%%%%EOF\n", entries, at+off, len(pdf))
}

// allWords are the words of all pages, and which pages are incomplete.
func allWords(pdf []byte) string {
	pages, err := Pages(context.Background(), pdf)
	if err != nil {
		return err.Error()
	}
	text := ""
	for _, p := range pages {
		text += fmt.Sprintf("%s %v\n", spell(p.Words), p.Incomplete)
	}
	return text
}
