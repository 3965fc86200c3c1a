package openapitest

import (
	"cmp"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// Operation is one method of one path that the description has.
type Operation struct {
	Method, Path string
	Tokens       []string // the security schemes of which one lets a caller in
	Anyone       bool     // may call it without any
	Parameters   []Parameter
	bodies       openapi3.Content
}

// Parameter is one of an operation's own or of its path.
type Parameter struct {
	In, Name string
	Required bool
	schema   *openapi3.Schema
}

// HasBody says whether its requests may have a body.
func (o Operation) HasBody() bool { return o.bodies != nil }

// Operations are all of the description's, by path and method.
func (c *Checker) Operations() []Operation {
	var all []Operation
	for path, item := range c.doc.Paths.Map() {
		for method, operation := range item.Operations() {
			o := Operation{Method: method, Path: path}
			for _, parameters := range []openapi3.Parameters{item.Parameters, operation.Parameters} {
				for _, p := range parameters {
					o.Parameters = append(o.Parameters, Parameter{p.Value.In, p.Value.Name, p.Value.Required, p.Value.Schema.Value})
				}
			}
			if operation.RequestBody != nil {
				o.bodies = operation.RequestBody.Value.Content
			}
			if operation.Security != nil {
				for _, requirement := range *operation.Security {
					o.Anyone = o.Anyone || len(requirement) == 0
					for name := range requirement {
						o.Tokens = append(o.Tokens, name)
					}
				}
			}
			all = append(all, o)
		}
	}
	slices.SortFunc(all, func(a, b Operation) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method)) })
	return all
}
