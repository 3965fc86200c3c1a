package settings

import (
	"regexp"

	"github.com/schedgen/schedgen/deploy/platform/internal/repo"
)

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
