package e2e_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/schedgen/schedgen/shared/dev/testkit"
)

// root is the project's own folder.
var root = filepath.Join("..", "..", "..")

// needContainers skips a test that takes containers where nobody asked for them. Tests call it themselves,
// by which make test-platform finds them.
func needContainers(t *testing.T) {
	t.Helper()
	if !containersWanted() {
		t.Skip("takes containers: run make test-platform")
	}
}

// containersWanted says that make test-platform asked for what takes containers.
func containersWanted() bool { return os.Getenv("SCHEDGEN_TEST_PLATFORM") != "" }

// recipe is .ko.yaml, as far as it is read here.
type recipe struct {
	DefaultBaseImage   string            `yaml:"defaultBaseImage"`
	BaseImageOverrides map[string]string `yaml:"baseImageOverrides"`
	Builds             []struct{ ID, Dir, Main string }
}

func readRecipe() (r recipe, err error) {
	data, err := os.ReadFile(filepath.Join(root, ".ko.yaml"))
	if err == nil {
		err = yaml.Unmarshal(data, &r)
	}
	return r, err
}

// packages are the import paths of what is built, by the names of the images.
func (r recipe) packages() map[string]string {
	all := map[string]string{}
	for _, build := range r.Builds {
		all[build.ID] = path.Join("github.com/schedgen/schedgen", build.Dir, build.Main)
	}
	return all
}

// TestEveryImageOfTheManifestsIsBuilt holds that what is looked into and run here is all that clusters run.
func TestEveryImageOfTheManifestsIsBuilt(t *testing.T) {
	t.Parallel()
	r, err := readRecipe()
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, folder := range []string{"knative", filepath.Join("deploy", "kubernetes")} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(file string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			data, err := os.ReadFile(file)
			for _, found := range regexp.MustCompile(`ko://(\S+)`).FindAllSubmatch(data, -1) {
				named[string(found[1])] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	built := slices.Sorted(maps.Values(r.packages()))
	if want := slices.Sorted(maps.Keys(named)); !slices.Equal(built, want) {
		t.Errorf("ko builds %q, the manifests name %q", built, want)
	}
}

// TestKoIsAlwaysGivenTheUser holds that nobody builds images in another way than it is done here: without the
// flag, backup's would run as root.
func TestKoIsAlwaysGivenTheUser(t *testing.T) {
	t.Parallel()
	calls := 0
	for _, pattern := range []string{".ko.yaml", "scripts/*.sh", "docs/*.md"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, call := range regexp.MustCompile(`\bko (build|resolve|apply|create|run) [^|`+"`"+`\n]*`).FindAllString(string(data), -1) {
				calls++
				if !strings.Contains(call, "--image-user "+imageUser+" ") {
					t.Errorf("%s: %q has no --image-user %s", file, call, imageUser)
				}
			}
		}
	}
	if calls < 6 {
		t.Errorf("found %d calls of ko, want those of the scripts and of the documents", calls)
	}
}

// imageUser is whom every image's program runs as.
const imageUser = "65532"

// What an image says of its build.
const (
	builtVersion = "v0.0.0-of-a-test"
	builtCommit  = "0123456789abcdef0123456789abcdef01234567"
)

// built are the images that ko made.
type built struct {
	dir      string
	packages map[string]string  // import paths by the images' names
	bases    map[string]standIn // by import path; "" of all others
}

// archive has all of the images.
func (b built) archive() string { return filepath.Join(b.dir, "images.tar") }

// base is what an image stands on.
func (b built) base(name string) standIn {
	if base, ok := b.bases[b.packages[name]]; ok {
		return base
	}
	return b.bases[""]
}

// images builds every image, by ko as .ko.yaml says but for the bases, which come from a registry of our own
// that ends with the build.
var images = sync.OnceValues(func() (b built, err error) {
	if b.dir, err = testkit.Dir("images"); err != nil {
		return b, err
	}
	if err := testkit.Reap(b.dir); err != nil {
		return b, err
	}
	address, stop, err := registry(b.dir)
	if err != nil {
		return b, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	r, err := readRecipe()
	if err != nil {
		return b, err
	}
	b.packages = r.packages()
	if b.bases, err = r.standIns(b.dir, address); err != nil {
		return b, err
	}
	config, err := withBases(b.dir, b.bases)
	if err != nil {
		return b, err
	}
	build := exec.Command("ko", append([]string{"build", "--base-import-paths", "--image-user", imageUser, "--push=false",
		"--platform", "linux/amd64", "--sbom-dir", b.dir, "--tarball", b.archive()}, slices.Sorted(maps.Values(b.packages))...)...)
	build.Dir = root
	build.Env = append(os.Environ(), "KO_CONFIG_PATH="+config, "KO_DOCKER_REPO=schedgen.local", "SCHEDGEN_VERSION="+builtVersion, "SCHEDGEN_COMMIT="+builtCommit)
	if out, err := build.CombinedOutput(); err != nil {
		return b, fmt.Errorf("build the images: %w: %s", err, out)
	}
	return b, nil
})

// standIns makes what stands in for the bases, by import path; "" for all others.
func (r recipe) standIns(dir, registry string) (map[string]standIn, error) {
	wanted := maps.Clone(r.BaseImageOverrides)
	wanted[""] = r.DefaultBaseImage
	bases := map[string]standIn{}
	for of, base := range wanted {
		made, err := standsInFor(base, dir, registry)
		if err != nil {
			return nil, err
		}
		bases[of] = made
	}
	return bases, nil
}

// withBases writes .ko.yaml with other bases and nothing else changed.
func withBases(dir string, bases map[string]standIn) (file string, err error) {
	data, err := os.ReadFile(filepath.Join(root, ".ko.yaml"))
	if err != nil {
		return "", err
	}
	var config map[string]any
	if err := yaml.Unmarshal(data, &config); err != nil {
		return "", err
	}
	overrides := map[string]string{}
	for of, base := range bases {
		if of == "" {
			config["defaultBaseImage"] = base.ref
		} else {
			overrides[of] = base.ref
		}
	}
	config["baseImageOverrides"] = overrides
	if data, err = yaml.Marshal(config); err != nil {
		return "", err
	}
	file = filepath.Join(dir, ".ko.yaml")
	return file, os.WriteFile(file, data, 0o600)
}

// TestImagesHoldOneStaticProgram looks into the images: the user, what starts, and that there is nothing
// beside what the base has but a static program.
func TestImagesHoldOneStaticProgram(t *testing.T) {
	t.Parallel()
	needContainers(t)
	b, err := images()
	if err != nil {
		t.Fatal(err)
	}
	parts := untar(t, b.archive())
	for name := range b.packages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := look(t, parts, name)
			if got.config.User != imageUser || fmt.Sprint(got.config.Entrypoint) != "[/ko-app/"+name+"]" || len(got.config.Cmd) != 0 {
				t.Errorf("got user %q, entry point %q, arguments %q; want %s, its program, none", got.config.User, got.config.Entrypoint, got.config.Cmd, imageUser)
			}
			program := got.files["/ko-app/"+name]
			static(t, name, program)
			want := append([]string{"/ko-app/" + name}, b.base(name).files...)
			slices.Sort(want)
			if files := slices.Sorted(maps.Keys(got.files)); !slices.Equal(files, want) {
				t.Errorf("got files %q, want %q", files, want)
			}
			t.Logf("%s: image %.1f MB, program %.1f MB, %d files of the base", name, float64(got.size)/1e6, float64(len(program))/1e6, len(want)-1)
			boms, err := filepath.Glob(filepath.Join(b.dir, "*"+name+"*.json"))
			if err != nil || len(boms) == 0 {
				t.Errorf("ko wrote no SBOM for it: %v", err)
			}
		})
	}
}

// image is what is in one.
type image struct {
	config struct {
		User            string
		Entrypoint, Cmd []string
	}
	files map[string][]byte
	size  int64 // of its layers, compressed
}

// look reads an image of an archive of several.
func look(t *testing.T, parts map[string][]byte, name string) (got image) {
	t.Helper()
	var manifests []struct {
		Config           string
		RepoTags, Layers []string
	}
	if err := json.Unmarshal(parts["manifest.json"], &manifests); err != nil {
		t.Fatalf("manifest: %v, %s", err, parts["manifest.json"])
	}
	tag := reference(name)
	for _, m := range manifests {
		if !slices.Contains(m.RepoTags, tag) {
			continue
		}
		read := struct{ Config any }{&got.config}
		if err := json.Unmarshal(parts[m.Config], &read); err != nil {
			t.Fatal(err)
		}
		got.files = map[string][]byte{}
		for _, layer := range m.Layers {
			got.size += int64(len(parts[layer]))
			unpacked, err := gzip.NewReader(bytes.NewReader(parts[layer]))
			if err != nil {
				t.Fatal(err)
			}
			entries(t, unpacked, got.files)
		}
		return got
	}
	t.Fatalf("there is no image %s", tag)
	return got
}

// reference is how containerd knows an image.
func reference(name string) string { return "schedgen.local/" + name + ":latest" }

func untar(t *testing.T, archive string) map[string][]byte {
	t.Helper()
	file, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() // only read
	parts := map[string][]byte{}
	entries(t, file, parts)
	return parts
}

// entries adds what an archive has but directories.
func entries(t *testing.T, from io.Reader, into map[string][]byte) {
	t.Helper()
	r := tar.NewReader(from)
	for {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.Typeflag != tar.TypeDir {
			if into[header.Name], err = io.ReadAll(r); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// static wants a program without an interpreter and without shared libraries.
func static(t *testing.T, name string, program []byte) {
	t.Helper()
	binary, err := elf.NewFile(bytes.NewReader(program))
	if err != nil {
		t.Fatalf("%s is no program: %v", name, err)
	}
	libraries, err := binary.ImportedLibraries()
	if err != nil || len(libraries) > 0 {
		t.Errorf("%s: %v, needs %q", name, err, libraries)
	}
	if slices.ContainsFunc(binary.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		t.Errorf("%s has an interpreter", name)
	}
}
