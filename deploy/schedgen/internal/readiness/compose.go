package readiness

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// composeServices reads Docker Compose's files in their order, a later one over an earlier one, with the variables of the
// settings file. Then it asks Docker what of it runs; where Docker does not tell, the findings say so.
func (s *system) composeServices(ctx context.Context) (map[string]service, error) {
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
	services, err := interpolated(services, known)
	if err != nil {
		return nil, fmt.Errorf("read the deployment: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(services)) {
		if at(services[name], "extends") != nil || whole["include"] != nil {
			return nil, notLooked{"the deployment uses include or extends, which is not followed", "docker compose config >whole.yml; schedgen readiness --compose whole.yml"}
		}
		about, _ := services[name].(map[string]any)
		given, err := s.composeEnvironment(about, known)
		if err != nil {
			return nil, fmt.Errorf("the service %s: %w", name, err)
		}
		one, err := composeService(about)
		if err != nil {
			return nil, fmt.Errorf("the service %s: %w", name, err)
		}
		one.env = given
		all[name] = one
	}
	return all, s.composeRuns(ctx, all)
}

// composeEnvironment is what a service is given: of its env_file, and over it of its environment. A name without a value
// takes that of the settings file.
func (s *system) composeEnvironment(about map[string]any, known map[string]string) (map[string]string, error) {
	all := map[string]string{}
	files, isList := about["env_file"].([]any)
	if about["env_file"] != nil && !isList {
		files = []any{about["env_file"]}
	}
	for _, file := range files {
		name, required := text(file), true
		if long, isMap := file.(map[string]any); isMap {
			name, required = text(long["path"]), text(long["required"]) != "false"
		}
		if !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(s.Compose[0]), name)
		}
		written, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) && !required {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read its env_file: %w", err)
		}
		values, err := assignments(name, written, known)
		if err != nil {
			return nil, err
		}
		maps.Copy(all, values)
	}
	environment, _ := named(about["environment"]).(map[string]any)
	for name, value := range environment {
		switch {
		case value != nil:
			all[name] = text(value)
		case known == nil:
			all[name] = unknownSetting
		default:
			all[name] = known[name]
		}
	}
	return all, nil
}

// container is a line of docker compose ps.
type container struct {
	Service, State, Health string
	ExitCode               int
}

// composeRuns asks Docker what runs, and counts it. What the files have and Docker does not run is at fault.
func (s *system) composeRuns(ctx context.Context, all map[string]service) error {
	args := []string{"compose"}
	for _, file := range s.Compose {
		args = append(args, "--file", file)
	}
	if s.Settings != "" {
		args = append(args, "--env-file", s.Settings)
	}
	out, err := s.Runner(ctx, "docker", append(args, "ps", "--all", "--format", "json")...)
	containers := map[string][]container{}
	for lines := json.NewDecoder(bytes.NewReader(out)); err == nil; {
		var some []container
		var line json.RawMessage
		if err = lines.Decode(&line); err != nil {
			break
		}
		if bytes.HasPrefix(line, []byte("[")) { // of an older Docker Compose
			err = json.Unmarshal(line, &some)
		} else {
			some = make([]container, 1)
			err = json.Unmarshal(line, &some[0])
		}
		for _, one := range some {
			containers[one.Service] = append(containers[one.Service], one)
		}
	}
	if !errors.Is(err, io.EOF) {
		for name, one := range all {
			one.unseen = "as the files have it; Docker does not tell what runs"
			all[name] = one
		}
		return ctx.Err()
	}
	for name, one := range all {
		one.running(containers[name])
		all[name] = one
	}
	return nil
}

// running notes what runs of a service. One that is done, such as migrate, has ended well.
func (one *service) running(containers []container) {
	n, done, ill := 0, 0, 0
	for _, c := range containers {
		switch {
		case c.State == "running" && c.Health == "unhealthy":
			ill++
		case c.State == "running":
			n++
		case c.State == "exited" && c.ExitCode == 0:
			done++
		}
	}
	switch {
	case ill > 0:
		one.fault = fmt.Sprintf("%d of its containers are unhealthy", ill)
	case n == 0 && (done == 0 || !one.ends):
		one.fault = "none of its containers runs"
	}
	one.replicas = n
}

// named makes a map of a list of NAME=value. A name without a value has none.
func named(value any) any {
	list, isList := value.([]any)
	if !isList {
		return value
	}
	all := map[string]any{}
	for _, one := range list {
		name, value, has := strings.Cut(text(one), "=")
		if all[name] = nil; has {
			all[name] = value
		}
	}
	return all
}

// merged is over laid over under, as Docker Compose does it: volumes are added, other lists replaced.
func merged(under, over map[string]any) map[string]any {
	all := maps.Clone(under)
	if all == nil {
		all = map[string]any{}
	}
	for name, value := range over {
		below := all[name]
		switch name {
		case "environment", "labels":
			value, below = named(value), named(below)
		case "volumes":
			first, isList1 := below.([]any)
			if more, isList2 := value.([]any); isList1 && isList2 {
				value = slices.Concat(first, more)
			}
		}
		above, isMap1 := value.(map[string]any)
		if lower, isMap2 := below.(map[string]any); isMap1 && isMap2 {
			value = merged(lower, above)
		}
		all[name] = value
	}
	return all
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
	one.command = strings.Join(append(listOf(about["entrypoint"]), listOf(about["command"])...), " ")
	one.ends = text(about["restart"]) == "on-failure" || text(about["restart"]) == "no"
	one.probed = asks(about["healthcheck"])
	for label, path := range environmentOf(about["labels"]) {
		one.probed = one.probed || strings.Contains(strings.ToLower(label), "healthcheck.path") && path != ""
	}
	volumes, _ := about["volumes"].([]any)
	for _, volume := range volumes {
		one.storage = append(one.storage, keptAt(volume))
	}
	return one, nil
}

// asks says whether a health check asks: one may be there to turn off that of the image.
func asks(healthcheck any) bool {
	test := strings.Join(listOf(at(healthcheck, "test")), " ")
	return test != "" && test != "NONE" && text(at(healthcheck, "disable")) != "true"
}

// keptAt is where a container writes what outlives it: the target of a volume that has a name or a folder, and may be written.
func keptAt(volume any) string {
	if long, isMap := volume.(map[string]any); isMap {
		if kind := text(long["type"]); kind != "volume" && kind != "bind" || text(long["source"]) == "" || text(long["read_only"]) == "true" {
			return ""
		}
		return text(long["target"])
	}
	parts := strings.Split(text(volume), ":")
	if len(parts) < 2 || len(parts) == 3 && slices.Contains(strings.Split(parts[2], ","), "ro") {
		return ""
	}
	return parts[1]
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
