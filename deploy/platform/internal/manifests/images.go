package manifests

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/schedgen/schedgen/deploy/platform/internal/repo"
)

// ko is .ko.yaml as ko documents it.
type ko struct {
	DefaultBaseImage   string            `yaml:"defaultBaseImage"`
	BaseImageOverrides map[string]string `yaml:"baseImageOverrides"`
	DefaultPlatforms   []string          `yaml:"defaultPlatforms"`
	DefaultEnv         []string          `yaml:"defaultEnv"`
	DefaultFlags       []string          `yaml:"defaultFlags"`
	DefaultLdflags     []string          `yaml:"defaultLdflags"`
	Builds             []struct {
		ID   string `yaml:"id"`
		Dir  string `yaml:"dir"`
		Main string `yaml:"main"`
	} `yaml:"builds"`
}

// versionFlags are how both builds name what they build; the values are theirs.
const versionFlags = "-X github.com/schedgen/schedgen/shared/faas."

// distroless is the base of everything but backup: no shell, and a user that is not root.
const distroless = "gcr.io/distroless/static-debian12:nonroot"

// Images checks both recipes of images.
func (c *Checker) Images(tree repo.Tree) []string {
	found := append(c.koBuilds(tree[".ko.yaml"]), c.dockerfile(string(tree["deploy/images/openfaas/Dockerfile"]))...)
	return append(found, publishes(string(tree["scripts/deploy.sh"]))...)
}

// publishes wants OpenFaaS' images for the same machines as ko's.
func publishes(script string) []string {
	var p problems
	if !strings.Contains(script, "faas-cli publish -f \"$stack\" --platforms linux/amd64,linux/arm64 ") {
		p.addf("scripts/deploy.sh does not publish for linux/amd64 and linux/arm64")
	}
	return p
}

func (c *Checker) koBuilds(data []byte) []string {
	const file = ".ko.yaml"
	var p problems
	var k ko
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(&k); err != nil {
		p.addf("%s: %v", file, err)
		return p
	}
	const backup = "github.com/schedgen/schedgen/functions/backup/cmd/backup"
	p.compare(file+": defaultBaseImage", k.DefaultBaseImage, distroless)
	p.compare(file+": baseImageOverrides", k.BaseImageOverrides, map[string]string{backup: "postgres:" + images["postgres"]})
	p.compare(file+": defaultPlatforms", k.DefaultPlatforms, "[linux/amd64 linux/arm64]")
	p.compare(file+": defaultEnv", k.DefaultEnv, "[GOWORK=off CGO_ENABLED=0]")
	p.compare(file+": defaultFlags", k.DefaultFlags, "[-trimpath -buildvcs=false]")
	p.compare(file+": defaultLdflags", k.DefaultLdflags, []string{"-s -w -buildid=",
		versionFlags + `version={{ index .Env "SCHEDGEN_VERSION" }}`, versionFlags + `commit={{ index .Env "SCHEDGEN_COMMIT" }}`})
	built := map[string]string{}
	for _, b := range k.Builds {
		built[b.ID] = b.Dir + " " + b.Main
	}
	want := map[string]string{"schedgen": "deploy/schedgen ."}
	for name := range c.functions {
		want[name] = fmt.Sprintf("functions/%s ./cmd/%s", name, name)
	}
	p.compare(file+": builds, one for each folder of functions", built, want)
	return p
}

var continued = regexp.MustCompile(`\\\n\s*`)

// recipe is a Dockerfile's last stage, and what the others leave for it.
type recipe struct {
	args   map[string]string // with their defaults
	froms  []string
	env    map[string]string
	copies map[string]string // source by destination
	run    string
	dir    string
	user   string
	entry  string
}

func readRecipe(data string) recipe {
	r := recipe{args: map[string]string{}, env: map[string]string{}, copies: map[string]string{}}
	for line := range strings.Lines(continued.ReplaceAllString(data, "")) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		fields := strings.Fields(rest)
		switch word {
		case "ARG":
			name, value, _ := strings.Cut(rest, "=")
			r.args[name] = value
		case "FROM":
			r.froms = append(r.froms, rest)
			r.user, r.entry = "", ""
		case "ENV":
			for _, pair := range fields {
				name, value, _ := strings.Cut(pair, "=")
				r.env[name] = value
			}
		case "COPY":
			r.copies[fields[len(fields)-1]] = strings.Join(fields[:len(fields)-1], " ")
		case "WORKDIR":
			r.dir = rest
		case "RUN":
			r.run = rest
		case "USER":
			r.user = rest
		case "ENTRYPOINT":
			r.entry = rest
		}
	}
	return r
}

// dockerfile wants one static program that is built as ko builds it, of-watchdog in front of it, and a user
// that is not root.
func (c *Checker) dockerfile(data string) []string {
	const file = "deploy/images/openfaas/Dockerfile"
	var p problems
	r := readRecipe(data)
	p.compare(file+": base", r.args["BASE"], distroless)
	p.compare(file+": stages", strings.Join(r.froms, ", "), "--platform=${TARGETPLATFORM:-linux/amd64} ghcr.io/openfaas/of-watchdog:0.11.6 AS watchdog, "+
		"--platform=${BUILDPLATFORM:-linux/amd64} golang:1.26 AS build, ${BASE}")
	for _, arg := range []string{"FUNCTION", "VERSION", "COMMIT", "TARGETOS", "TARGETARCH"} {
		if _, ok := r.args[arg]; !ok {
			p.addf("%s: no build argument %s", file, arg)
		}
	}
	// In a stage a default wins over the platform that the builder would give: each image would hold its program.
	p.compare(file+": platform by default", r.args["TARGETOS"]+r.args["TARGETARCH"], "")
	for _, part := range []string{"CGO_ENABLED=0 GOWORK=off GOOS=${TARGETOS} GOARCH=${TARGETARCH} go build -trimpath -buildvcs=false ",
		`-ldflags "-s -w -buildid= ` + versionFlags + "version=${VERSION} " + versionFlags + `commit=${COMMIT}"`, "-o /out/function ./cmd/${FUNCTION}"} {
		if !strings.Contains(r.run, part) {
			p.addf("%s: the program is not built with %q", file, part)
		}
	}
	p.compare(file+": where it is built", r.dir, "/src/functions/${FUNCTION}")
	p.compare(file+": user", r.user, "65532:65532")
	p.compare(file+": source", r.copies["shared"]+" "+r.copies["functions"], "shared functions")
	p.compare(file+": the program", r.copies[r.env["fprocess"]], "--from=build /out/function")
	p.compare(file+": what starts", r.copies[strings.Trim(r.entry, `[]"`)], "--from=watchdog /fwatchdog")
	p.compare(file+": mode, ready_path", r.env["mode"]+" "+r.env["ready_path"], "http /_/ready")
	p.compare(file+": upstream_url", r.env["upstream_url"], "http://127.0.0.1:"+r.env["PORT"])
	if r.env["port"] != "8080" || r.env["PORT"] == "8080" || r.env["PORT"] == "" || r.env["PORT"] == "8081" {
		p.addf("%s: of-watchdog listens on 8080 and 8081, got port=%s PORT=%s", file, r.env["port"], r.env["PORT"])
	}
	return p
}
