package settings

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"time"

	"github.com/schedgen/schedgen/deploy/platform/internal/repo"
)

// Serving is what a function's main gives as its own defaults.
type Serving struct {
	Concurrency int // 0 where main names none
	Timeout     time.Duration
}

// ServingOf reads the faas.Config of a function's main.
func ServingOf(tree repo.Tree, function string) (Serving, error) {
	var s Serving
	name := fmt.Sprintf("functions/%s/cmd/%s/main.go", function, function)
	file, err := parser.ParseFile(token.NewFileSet(), name, tree[name], 0)
	if err != nil {
		return s, err
	}
	found := errors.New(name + " gives shared/faas no Config")
	ast.Inspect(file, func(node ast.Node) bool {
		literal, ok := node.(*ast.CompositeLit)
		if !ok || typeName(literal.Type) != "faas.Config" {
			return true
		}
		found = s.read(literal)
		return false
	})
	return s, found
}

func (s *Serving) read(literal *ast.CompositeLit) error {
	for _, element := range literal.Elts {
		pair, ok := element.(*ast.KeyValueExpr)
		if !ok {
			return errors.New("a faas.Config without field names")
		}
		var err error
		switch typeName(pair.Key) {
		case "Concurrency":
			s.Concurrency, err = number(pair.Value)
		case "RequestTimeout":
			s.Timeout, err = duration(pair.Value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func number(expr ast.Expr) (int, error) {
	literal, ok := expr.(*ast.BasicLit)
	if !ok {
		return 0, errors.New("a number that is not written out")
	}
	return strconv.Atoi(literal.Value)
}

// duration reads 60 * time.Second and time.Minute.
func duration(expr ast.Expr) (time.Duration, error) {
	units := map[string]time.Duration{"time.Second": time.Second, "time.Minute": time.Minute}
	if product, ok := expr.(*ast.BinaryExpr); ok && product.Op == token.MUL {
		count, err := number(product.X)
		if err != nil {
			return 0, err
		}
		return time.Duration(count) * units[typeName(product.Y)], nil
	}
	if unit, ok := units[typeName(expr)]; ok {
		return unit, nil
	}
	return 0, errors.New("a duration that is not written as 60 * time.Second")
}

// routes finds patterns of net/http's ServeMux, with and without their method.
var routes = regexp.MustCompile(`"(?:(GET|POST|PUT|PATCH|DELETE) )?(/(?:[a-zA-Z0-9{._$-][a-zA-Z0-9/{}._$-]*)?)"`)

// Routes lists the paths that a function's own package names, as patterns.
func Routes(tree repo.Tree, function string) map[string]bool {
	all := map[string]bool{}
	for _, file := range tree.Under("functions/" + function + "/") {
		if !regexp.MustCompile(`^functions/[^/]+/[a-z_]+\.go$`).MatchString(file) || regexp.MustCompile(`_test\.go$`).MatchString(file) {
			continue
		}
		for _, match := range routes.FindAllSubmatch(tree[file], -1) {
			all[string(match[2])] = true
		}
	}
	return all
}
