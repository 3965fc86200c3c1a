package plaintest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"regexp"
	"strconv"
	"strings"

	"github.com/schedgen/schedgen/shared/calendar"
)

// Sentence is a message, or the format of one, and where it stands.
type Sentence struct {
	Where string // file:line
	Text  string
}

// Of are the messages for people in the programs below the folders of a tree: what is said in place of a code's own
// sentence, what warnings say, and what package calendar refuses.
func Of(tree fs.FS, folders ...string) (all []Sentence, err error) {
	for _, folder := range folders {
		err := fs.WalkDir(tree, folder, func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") ||
				strings.Contains(name, "/testkit/") || strings.Contains(name, "/fixture/") {
				return err
			}
			source, err := fs.ReadFile(tree, name)
			if err != nil {
				return err
			}
			found, err := inFile(name, source)
			all = append(all, found...)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("read the source: %w", err)
		}
	}
	return all, nil
}

// inFile are the messages of one file.
func inFile(name string, source []byte) (all []Sentence, err error) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if found, isError := message(n); found != nil {
			all = append(all, texts(set, name, found, isError)...)
		}
		return true
	})
	return all, nil
}

// message is the expression of a message that a node has.
func message(n ast.Node) (found ast.Expr, isError bool) {
	switch n := n.(type) {
	case *ast.CallExpr:
		switch name := called(n); {
		case name == "Say" && len(n.Args) == 1:
			return n.Args[0], true
		case name == "invalid" && len(n.Args) > 0:
			return n.Args[0], true
		case name == "warn" && len(n.Args) > 1:
			return n.Args[1], false
		}
	case *ast.CompositeLit:
		kind := typeName(n.Type)
		if kind != "Warning" && kind != "Error" {
			return nil, false
		}
		for _, element := range n.Elts {
			if pair, ok := element.(*ast.KeyValueExpr); ok && typeName(pair.Key) == "Message" {
				return pair.Value, kind == "Error"
			}
		}
	}
	return nil, false
}

func called(n *ast.CallExpr) string { return typeName(n.Fun) }

// typeName is the last part of a name.
func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

// wrapper is a format that says where in the request another message belongs.
var wrapper = regexp.MustCompile(`^\S+: %[sv]$`)

// texts are the literals that a message is made of: itself, or the format of a Sprintf.
func texts(set *token.FileSet, file string, e ast.Expr, isError bool) []Sentence {
	if call, ok := e.(*ast.CallExpr); ok && called(call) == "Sprintf" {
		e = call.Args[0]
	}
	literal, ok := e.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return nil
	}
	text, err := strconv.Unquote(literal.Value)
	if err != nil {
		return nil
	}
	if isError && strings.HasPrefix(file, "shared/calendar/") {
		if wrapper.MatchString(text) {
			return nil
		}
		text = calendar.Sentence(text) // as its errors are shown
	}
	where := fmt.Sprintf("%s:%d", file, set.Position(literal.Pos()).Line)
	return []Sentence{{where, text}}
}
