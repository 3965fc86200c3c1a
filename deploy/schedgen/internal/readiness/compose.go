package readiness

import (
	"fmt"
	"os"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// composeServices reads Docker Compose's files in their order, a later one over an earlier one, with the variables of the
// settings file. Lists of a later file replace those before, which is enough for what is looked at.
func (s *system) composeServices() (map[string]service, error) {
	var known map[string]string // nil: nobody told the settings, and a default says nothing of them
	if s.Settings != "" {
		file, err := s.settings()
		if err != nil {
			return nil, err
		}
		known = file.values
	}
	whole := map[string]any{}
	for _, name := range s.Compose {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read the deployment: %w", err)
		}
		var one map[string]any
		if err := yaml.Unmarshal(text, &one); err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		whole = merged(whole, one)
	}
	all := map[string]service{}
	services, _ := whole["services"].(map[string]any)
	for name, value := range services {
		about, _ := interpolated(value, known).(map[string]any)
		one, err := composeService(about)
		if err != nil {
			return nil, fmt.Errorf("the service %s: %w", name, err)
		}
		all[name] = one
	}
	return all, nil
}

// merged is over laid over under.
func merged(under, over map[string]any) map[string]any {
	all := map[string]any{}
	for name, value := range under {
		all[name] = value
	}
	for name, value := range over {
		below, isMap := all[name].(map[string]any)
		if above, both := value.(map[string]any); both && isMap {
			value = merged(below, above)
		}
		all[name] = value
	}
	return all
}

// variable is ${NAME}, ${NAME:-default} or ${NAME:?why}; $$ is a $.
var variable = regexp.MustCompile(`\$\$|\$\{(\w+)(?::?([-?])([^}]*))?\}`)

// unknownSetting stands for what a settings file would say that was not named.
const unknownSetting = "(of the settings file)"

var noSettings = notLooked{"the deployment takes this from the settings file, which was not named", "schedgen readiness --compose FILES --settings deploy/compose/.env"}

// interpolated replaces the variables in all texts of a value.
func interpolated(value any, known map[string]string) any {
	switch v := value.(type) {
	case string:
		return variable.ReplaceAllStringFunc(v, func(match string) string {
			part := variable.FindStringSubmatch(match)
			switch {
			case match == "$$":
				return "$"
			case known == nil:
				return unknownSetting
			case known[part[1]] == "" && part[2] == "-":
				return part[3]
			}
			return known[part[1]]
		})
	case map[string]any:
		all := map[string]any{}
		for name, one := range v {
			all[name] = interpolated(one, known)
		}
		return all
	case []any:
		var all []any
		for _, one := range v {
			all = append(all, interpolated(one, known))
		}
		return all
	}
	return value
}

// at follows names into maps.
func at(value any, names ...string) any {
	for _, name := range names {
		inside, _ := value.(map[string]any)
		value = inside[name]
	}
	return value
}

// text is a value as it would be written; nothing is "".
func text(value any) string {
	if value == nil {
		return ""
	}
	return fmt.Sprint(value)
}

func composeService(about map[string]any) (one service, err error) {
	if cpus := text(at(about, "deploy", "resources", "limits", "cpus")); cpus != "" {
		if one.cpus, err = parseCPUs(cpus); err != nil {
			return one, fmt.Errorf("read its limit of CPU: %w", err)
		}
	}
	if memory := text(at(about, "deploy", "resources", "limits", "memory")); memory != "" {
		if one.memory, err = parseBytes(memory); err != nil {
			return one, fmt.Errorf("read its limit of memory: %w", err)
		}
	}
	one.replicas = 1
	if n := text(at(about, "deploy", "replicas")); n != "" {
		if _, err := fmt.Sscan(n, &one.replicas); err != nil {
			return one, fmt.Errorf("read how many run: %w", err)
		}
	}
	one.env = environmentOf(about["environment"])
	one.command = strings.Join(append(listOf(about["entrypoint"]), listOf(about["command"])...), " ")
	labels := environmentOf(about["labels"])
	one.probed = about["healthcheck"] != nil
	for label := range labels {
		one.probed = one.probed || strings.Contains(strings.ToLower(label), "healthcheck.path")
	}
	one.storage = about["volumes"] != nil
	return one, nil
}

// environmentOf reads names and values from a map or from a list of NAME=value.
func environmentOf(value any) map[string]string {
	all := map[string]string{}
	switch v := value.(type) {
	case map[string]any:
		for name, one := range v {
			all[name] = text(one)
		}
	case []any:
		for _, one := range v {
			name, value, _ := strings.Cut(text(one), "=")
			all[name] = value
		}
	}
	return all
}

// listOf is a list of words, or a text as a list of one.
func listOf(value any) (all []string) {
	if list, isList := value.([]any); isList {
		for _, one := range list {
			all = append(all, text(one))
		}
		return all
	}
	if value != nil {
		all = append(all, text(value))
	}
	return all
}
