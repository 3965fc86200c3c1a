// Package settings reads what a function can be told by environment variables out of the source of its
// Config: names, types, defaults, and the comments that say what they mean. It needs the source alone, so
// that a function which is added is known without a line here.
package settings

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/schedgen/schedgen/deploy/platform/internal/repo"
)

// module is the path that all of the project's packages begin with.
const module = "github.com/schedgen/schedgen/"

// Setting is one environment variable.
type Setting struct {
	Name     string
	Type     string // as Go writes it: string, int, time.Duration, []string...
	Default  string
	Required bool
	Meaning  string // the comments in one line; may be empty
	Package  string // where its Config is, from the project's root
}

// Of lists the variables of a function: those of how it is served, and those of its own Config. A name
// that two structs of one Config use is listed once, as the first has it.
func Of(tree repo.Tree, function string) ([]Setting, error) {
	r := reader{tree: tree, packages: map[string]*pkg{}}
	own, err := r.config("functions/"+function, "Config", "")
	if err != nil {
		return nil, err
	}
	serving, err := r.config("shared/faas", "Config", "")
	if err != nil {
		return nil, err
	}
	var all []Setting
	for _, s := range append(own, serving...) {
		if !slices.ContainsFunc(all, func(known Setting) bool { return known.Name == s.Name }) {
			all = append(all, s)
		}
	}
	return all, nil
}

// Functions lists the folders of functions that have Go files, sorted.
func Functions(tree repo.Tree) []string {
	var all []string
	for _, file := range tree.Under("functions/") {
		if parts := strings.Split(file, "/"); len(parts) == 3 && path.Ext(file) == ".go" {
			all = append(all, parts[1])
		}
	}
	return slices.Compact(all)
}

// reader parses packages as they are met.
type reader struct {
	tree     repo.Tree
	packages map[string]*pkg
}

// pkg is the struct types of a package, with the imports of the file that each is in.
type pkg struct {
	structs map[string]*ast.StructType
	imports map[string]map[string]string // of a struct: import path by local name
}

func (r *reader) load(dir string) (*pkg, error) {
	if p := r.packages[dir]; p != nil {
		return p, nil
	}
	p := &pkg{structs: map[string]*ast.StructType{}, imports: map[string]map[string]string{}}
	for _, file := range r.tree.Under(dir + "/") {
		if path.Dir(file) != dir || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, r.tree[file], parser.ParseComments)
		if err != nil {
			return nil, err
		}
		p.add(parsed)
	}
	r.packages[dir] = p
	return p, nil
}

func (p *pkg) add(file *ast.File) {
	imports := map[string]string{}
	for _, i := range file.Imports {
		address, _ := strconv.Unquote(i.Path.Value) // the parser took it
		name := path.Base(address)
		if i.Name != nil {
			name = i.Name.Name
		}
		imports[name] = address
	}
	ast.Inspect(file, func(node ast.Node) bool {
		if spec, ok := node.(*ast.TypeSpec); ok {
			if fields, ok := spec.Type.(*ast.StructType); ok {
				p.structs[spec.Name.Name], p.imports[spec.Name.Name] = fields, imports
			}
		}
		return true
	})
}

// config lists the settings of a struct and of the structs in it.
func (r *reader) config(dir, name, prefix string) ([]Setting, error) {
	p, err := r.load(dir)
	if err != nil {
		return nil, err
	}
	fields := p.structs[name]
	if fields == nil {
		return nil, fmt.Errorf("%s has no struct %s", dir, name)
	}
	var all []Setting
	for _, field := range fields.Fields.List {
		tag, tagged := envTag(field)
		if tagged && tag.name != "" {
			all = append(all, Setting{Name: prefix + tag.name, Type: typeName(field.Type), Default: tag.fallback,
				Required: tag.required, Meaning: meaning(field), Package: dir})
			continue
		}
		inner, innerName, ok := p.structOf(dir, name, field.Type)
		if !ok {
			continue
		}
		more, err := r.config(inner, innerName, prefix+tag.prefix)
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	return all, nil
}

// structOf says where the struct of a field's type is, if it is one of the project's.
func (p *pkg) structOf(dir, in string, expr ast.Expr) (where, name string, ok bool) {
	switch t := expr.(type) {
	case *ast.Ident:
		_, ok = p.structs[t.Name]
		return dir, t.Name, ok
	case *ast.SelectorExpr:
		from, isName := t.X.(*ast.Ident)
		if !isName {
			return "", "", false
		}
		where, ok = strings.CutPrefix(p.imports[in][from.Name], module)
		return where, t.Sel.Name, ok
	}
	return "", "", false
}

// tag is what go-envconfig reads of a field.
type tag struct {
	name, prefix, fallback string
	required               bool
}

func envTag(field *ast.Field) (t tag, ok bool) {
	if field.Tag == nil {
		return t, false
	}
	text, _ := strconv.Unquote(field.Tag.Value) // the parser took it
	value, ok := reflect.StructTag(text).Lookup("env")
	if !ok {
		return t, false
	}
	parts := strings.Split(value, ",")
	t.name = strings.TrimSpace(parts[0])
	for i, part := range parts[1:] {
		part = strings.TrimSpace(part)
		switch {
		case part == "required":
			t.required = true
		case strings.HasPrefix(part, "prefix="):
			t.prefix = strings.TrimPrefix(part, "prefix=")
		case strings.HasPrefix(part, "default="):
			// It is the last, and may hold commas itself.
			t.fallback = strings.TrimSpace(strings.TrimPrefix(strings.TrimLeft(strings.Join(parts[i+1:], ","), " "), "default="))
			return t, true
		}
	}
	return t, true
}

func typeName(expr ast.Expr) string {
	switch t := expr.(type) {
	case *ast.Ident:
		return t.Name
	case *ast.SelectorExpr:
		return typeName(t.X) + "." + t.Sel.Name
	case *ast.ArrayType:
		return "[]" + typeName(t.Elt)
	}
	return "?"
}

// meaning is the comments above and beside a field.
func meaning(field *ast.Field) string {
	text := strings.TrimSpace(field.Doc.Text() + " " + field.Comment.Text())
	return strings.Join(strings.Fields(text), " ")
}
