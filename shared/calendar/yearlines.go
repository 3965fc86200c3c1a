package calendar

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// YearsError lists everything that is wrong in a file of academic years.
type YearsError struct{ Problems []LineProblem }

// LineProblem is what is wrong on one line, and what to do.
type LineProblem struct {
	Line    int    `json:"line"`
	Message string `json:"message"`
}

// Error gives one problem to a line.
func (e *YearsError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = fmt.Sprintf("line %d: %s", p.Line, p.Message)
	}
	return strings.Join(lines, "\n")
}

// node is a JSON value and the line on which it begins.
type node struct {
	line    int
	value   any // a string, bool, json.Number or nil; '{' or '[' of a node with members or items
	members []member
	items   []node
}

// member is a name in an object with its value.
type member struct {
	name string
	line int
	node
}

// The bounds of a file of academic years. They keep the work of a foreign file small.
const (
	maxYearsFile = 1 << 20
	maxNesting   = 8
)

// readTree reads one JSON value and remembers lines, which encoding/json forgets.
func readTree(data []byte) (node, error) {
	if len(data) > maxYearsFile {
		return node{}, oneProblem(1, "the file is longer than %d bytes; split it by year", maxYearsFile)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // as Windows programs write it
	if at := invalidUTF8(data); at >= 0 {
		return node{}, oneProblem(1+bytes.Count(data[:at], []byte("\n")), "the file is not UTF-8; save it as UTF-8")
	}
	reader := treeReader{data: data, decoder: json.NewDecoder(bytes.NewReader(data))}
	reader.decoder.UseNumber()
	tree, err := reader.node(0)
	if err == nil {
		if _, more := reader.decoder.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("there is more text after the end of the years; remove it")
		}
	}
	if err != nil {
		return node{}, reader.problem(err)
	}
	return tree, nil
}

// invalidUTF8 gives the place of the first byte that is no UTF-8, or -1.
func invalidUTF8(data []byte) int {
	for at := 0; at < len(data); {
		r, size := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && size == 1 {
			return at
		}
		at += size
	}
	return -1
}

// treeReader follows the decoder through the lines of data.
type treeReader struct {
	data    []byte
	decoder *json.Decoder
	counted int // bytes of data whose lines are in line
	line    int // line breaks before counted
}

// at gives the line of the token that was just read.
func (r *treeReader) at() int {
	offset := int(r.decoder.InputOffset())
	r.line += bytes.Count(r.data[r.counted:offset], []byte("\n"))
	r.counted = offset
	return r.line + 1
}

// problem places an error of the decoder.
func (r *treeReader) problem(err error) error {
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		before := r.data[:min(max(int(syntax.Offset)-1, 0), len(r.data))]
		return oneProblem(1+bytes.Count(before, []byte("\n")), "this is not JSON: %v", syntax)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return oneProblem(1+bytes.Count(bytes.TrimRight(r.data, "\n"), []byte("\n")), "the file ends too early; close what is open")
	}
	return oneProblem(r.at(), "%v", err)
}

func oneProblem(line int, format string, args ...any) error {
	return &YearsError{Problems: []LineProblem{{line, fmt.Sprintf(format, args...)}}}
}

func (r *treeReader) node(depth int) (node, error) {
	token, err := r.decoder.Token()
	if err != nil {
		return node{}, err
	}
	n := node{line: r.at(), value: token}
	delim, nested := token.(json.Delim)
	if !nested {
		return n, nil
	}
	if depth == maxNesting {
		return n, errors.New("this is nested too deep; see the form of the file")
	}
	for r.decoder.More() && err == nil {
		if delim == '{' {
			err = r.member(&n, depth)
		} else {
			var item node
			item, err = r.node(depth + 1)
			n.items = append(n.items, item)
		}
	}
	if err == nil {
		_, err = r.decoder.Token() // the closing bracket
	}
	return n, err
}

// member reads the next name of an object and its value.
func (r *treeReader) member(n *node, depth int) error {
	name, err := r.decoder.Token()
	if err != nil {
		return err
	}
	line := r.at()
	value, err := r.node(depth + 1)
	n.members = append(n.members, member{name: name.(string), line: line, node: value})
	return err
}
