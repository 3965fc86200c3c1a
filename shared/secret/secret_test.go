package secret_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/shared/secret"
)

// value is in hexadecimal and decimal bytes what %x and %d would show of it.
const value = "hunter2-hunter2"

// shown are all ways in which value could be seen in a text.
var shown = []string{value, "hunter2", fmt.Sprintf("%x", value), fmt.Sprintf("%X", value), fmt.Sprintf("% x", value), strings.Trim(fmt.Sprint([]byte(value)), "[]")}

// config has secrets wherever a struct may have them.
type config struct {
	Name   string
	Token  secret.String
	Keys   []secret.String
	ByName map[string]secret.String
	Inner  struct{ Password secret.String }
	Any    any
	Behind *secret.String
	hidden secret.String
	deep   struct{ keys []secret.String }
}

func filled() config {
	s := secret.New(value)
	c := config{Name: "visible", Token: s, Keys: []secret.String{s}, ByName: map[string]secret.String{"a": s}, Any: s, Behind: &s, hidden: s}
	c.Inner.Password = s
	c.deep.keys = []secret.String{s}
	return c
}

// printed is x in every way that prints something, by the way's name.
func printed(x any) map[string]string {
	all := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "%t", "%c", "%U", "%e", "%p", "%o", "%-20v", "%10s", "%.3s", "%#x", "% x", "%!"} {
		all[verb] = fmt.Sprintf(verb, x)
	}
	all["Sprint"], all["error"] = fmt.Sprint(x), fmt.Errorf("connect with %v: %w", x, errors.New("no route")).Error()
	encoded, err := json.Marshal(x)
	all["json"] = fmt.Sprint(string(encoded), err)
	for name, handler := range map[string]func(io.Writer) slog.Handler{
		"slog as text": func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, nil) },
		"slog as JSON": func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, nil) },
	} {
		var line bytes.Buffer
		slog.New(handler(&line)).With("first", x).WithGroup("g").Info("configured", "cfg", x, slog.Group("h", "again", x))
		all[name] = line.String()
	}
	return all
}

func TestASecretIsNeverPrinted(t *testing.T) {
	t.Parallel()
	s := secret.New(value)
	for name, x := range map[string]any{"itself": s, "pointer": &s, "list": []secret.String{s}, "config": filled(), "pointer to config": new(filled())} {
		for way, text := range printed(x) {
			for _, leak := range shown {
				if strings.Contains(text, leak) {
					t.Errorf("%s by %s shows the value: %s", name, way, text)
				}
			}
		}
	}
}

// What is not secret is still printed: the test above does not pass because nothing is.
func TestAConfigIsStillReadable(t *testing.T) {
	t.Parallel()
	for way, text := range printed(filled()) {
		if strings.HasPrefix(way, "%") && way != "%v" && way != "%+v" && way != "%#v" && way != "%s" {
			continue
		}
		if !strings.Contains(text, "visible") || !strings.Contains(text, secret.Stars) {
			t.Errorf("by %s: got %s, want the name and stars", way, text)
		}
	}
}

func TestPlainFormsOfASecret(t *testing.T) {
	t.Parallel()
	s := secret.New(value)
	var none secret.String
	for verb, want := range map[string]string{"%v": secret.Stars, "%s": secret.Stars, "%q": secret.Stars, "%d": secret.Stars, "%x": secret.Stars, "%#v": secret.Stars} {
		if got := fmt.Sprintf(verb, s); got != want {
			t.Errorf("%s: got %s, want %s", verb, got, want)
		}
		if got := fmt.Sprintf(verb, none); got != "" {
			t.Errorf("%s of an empty one: got %s, want nothing", verb, got)
		}
	}
	if got, _ := json.Marshal([]secret.String{s, none}); string(got) != `["*****",""]` {
		t.Errorf("as JSON: got %s", got)
	}
	if s.Reveal() != value || none.Reveal() != "" || s.IsZero() || !none.IsZero() || !secret.New("").IsZero() {
		t.Error("a secret does not keep its value")
	}
	if s != secret.New(strings.Clone(value)) || s == secret.New("another") || s == none || none != secret.New("") {
		t.Error("secrets are not equal as their values are")
	}
}

func TestASecretIsReadFromText(t *testing.T) {
	t.Parallel()
	var c struct{ Token secret.String }
	if err := json.Unmarshal([]byte(`{"Token":"`+value+`"}`), &c); err != nil || c.Token.Reveal() != value {
		t.Errorf("from JSON: got %q, %v", c.Token.Reveal(), err)
	}
	var given secret.String
	flags := flag.NewFlagSet("test", flag.ContinueOnError)
	flags.TextVar(&given, "token", secret.New("the default"), "the `TOKEN`")
	var usage bytes.Buffer
	flags.SetOutput(&usage)
	flags.PrintDefaults()
	if err := flags.Parse([]string{"--token", value}); err != nil || given.Reveal() != value || strings.Contains(usage.String(), "the default") {
		t.Errorf("from a flag: got %q, %v; usage %s", given.Reveal(), err, usage.String())
	}
}

func ExampleString() {
	cfg := struct {
		Host     string
		Password secret.String
	}{"mail.example.org", secret.New("hunter2")}
	fmt.Printf("%+v\n", cfg)
	fmt.Println(len(cfg.Password.Reveal()))
	// Output:
	// {Host:mail.example.org Password:*****}
	// 7
}
