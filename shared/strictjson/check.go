package strictjson

import (
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// checker reads tokens beside the types that they shall become.
type checker struct {
	tokens  *json.Decoder
	foreign bool
	values  int
	path    []string // ".name" and "[3]"
}

func newChecker(body io.Reader, foreign bool) *checker {
	c := &checker{tokens: json.NewDecoder(body), foreign: foreign}
	c.tokens.UseNumber()
	return c
}

// document checks one value and that nothing comes after it.
func (c *checker) document(into any) error {
	if err := c.value(reflect.TypeOf(into), bounds{}); err != nil {
		return err
	}
	_, err := c.tokens.Token()
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err == nil || isSyntax(err):
		return &Error{Problem: Trailing, Offset: c.tokens.InputOffset()}
	}
	return err
}

// value checks the next value as one of type t.
func (c *checker) value(t reflect.Type, b bounds) error {
	token, err := c.next()
	if err != nil {
		return err
	}
	if token == nil { // null leaves any value as it is
		return nil
	}
	t = formOf(t, token)
	if want := kindOf(t); want != "" && want != kindOfToken(token) {
		return c.error(&Error{Problem: WrongType, Expected: want})
	}
	switch token := token.(type) {
	case json.Delim:
		if len(c.path) >= maxDepth {
			return c.error(&Error{Problem: TooDeep, Most: maxDepth})
		}
		if token == '{' {
			return c.object(t, b)
		}
		return c.array(t, b)
	case string:
		return c.text(token, b.text())
	case json.Number:
		if !fits(token, t) {
			return c.error(&Error{Problem: WrongType, Expected: "number"})
		}
		if n, err := token.Float64(); b.most > 0 && (err != nil || n > float64(b.most)) {
			return c.error(&Error{Problem: TooLarge, Most: b.most})
		}
	}
	return nil
}

// fits says whether a number is one of type t.
func fits(n json.Number, t reflect.Type) bool {
	var err error
	switch k := t.Kind(); {
	case k >= reflect.Int && k <= reflect.Int64:
		_, err = strconv.ParseInt(n.String(), 10, t.Bits())
	case k >= reflect.Uint && k <= reflect.Uint64:
		_, err = strconv.ParseUint(n.String(), 10, t.Bits())
	case k == reflect.Float32 || k == reflect.Float64:
		_, err = strconv.ParseFloat(n.String(), t.Bits())
	}
	return err == nil
}

// next reads a token and counts it.
func (c *checker) next() (json.Token, error) {
	if c.values++; c.values > maxValues {
		return nil, c.error(&Error{Problem: TooMany, Most: maxValues})
	}
	token, err := c.tokens.Token()
	if err != nil {
		if isSyntax(err) {
			return nil, &Error{Problem: Syntax, Offset: c.tokens.InputOffset(), Err: err}
		}
		return nil, err
	}
	return token, nil
}

// isSyntax tells a body that is no JSON from one that could not be read.
func isSyntax(err error) bool {
	var syntax *json.SyntaxError
	return errors.As(err, &syntax) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// object checks the fields of an object that has begun.
func (c *checker) object(t reflect.Type, b bounds) error {
	o := objectOf(t, b)
	seen := map[string]bool{}
	for c.tokens.More() {
		token, err := c.next()
		if err != nil {
			return err
		}
		name, _ := token.(string) // the decoder takes nothing else for a name
		c.path = append(c.path, "."+clip(name))
		if len(seen) >= o.most {
			c.path = c.path[:len(c.path)-1]
			return c.error(&Error{Problem: TooMany, Most: o.most})
		}
		if err := c.field(o, name, seen); err != nil {
			return err
		}
		c.path = c.path[:len(c.path)-1]
	}
	_, err := c.next()
	return err
}

// field checks one field's name and value.
func (c *checker) field(o object, name string, seen map[string]bool) error {
	if err := c.text(name, o.name); err != nil {
		return err
	}
	f, canonical, ok := o.field(name)
	if !ok && !c.foreign {
		return c.error(&Error{Problem: Unknown, Meant: o.nearest(name)})
	}
	if seen[canonical] && !c.foreign {
		return c.error(&Error{Problem: Duplicate})
	}
	seen[canonical] = true
	return c.value(f.of, f.bounds)
}

// array checks the entries of a list that has begun.
func (c *checker) array(t reflect.Type, b bounds) error {
	of, most := anything, b.entries()
	if t != nil && (t.Kind() == reflect.Slice || t.Kind() == reflect.Array) {
		of = t.Elem()
	}
	for n := 0; c.tokens.More(); n++ {
		if n >= most {
			return c.error(&Error{Problem: TooMany, Most: most})
		}
		c.path = append(c.path, "["+strconv.Itoa(n)+"]")
		if err := c.value(of, b.inner()); err != nil {
			return err
		}
		c.path = c.path[:len(c.path)-1]
	}
	_, err := c.next()
	return err
}

func (c *checker) text(s string, most int) error {
	if c.foreign {
		most = maxForeignText
	}
	switch {
	case len(s) > most && utf8.RuneCountInString(s) > most:
		return c.error(&Error{Problem: TooLong, Most: most})
	case strings.IndexByte(s, 0) >= 0:
		return c.error(&Error{Problem: NUL})
	}
	return nil
}

// error is e, of where the checker is.
func (c *checker) error(e *Error) error {
	e.Field = strings.TrimPrefix(strings.Join(c.path, ""), ".")
	e.Offset = c.tokens.InputOffset()
	return e
}

// clip keeps a stranger's name short enough to be told back.
func clip(name string) string {
	const most = 60
	if len(name) > most {
		for most := most; ; most-- {
			if utf8.RuneStart(name[most]) {
				name = name[:most] + "..."
				break
			}
		}
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return utf8.RuneError
		}
		return r
	}, name)
}
