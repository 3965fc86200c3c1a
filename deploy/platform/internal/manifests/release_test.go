package manifests

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/deploy/platform/internal/repo"
)

// project is a small git repository with the scripts of this one, and stand-ins for the programs that they call.
type project struct {
	t   *testing.T
	dir string
}

// changelog is CHANGELOG.md of a project.
const changelog = `# Changelog

## [Unreleased]

- next

## [1.2.3] - 2026-12-01

### Added

- this

## [1.2.2] - 2026-11-01

- before

[1.2.3]: https://example.org
`

func newProject(t *testing.T) *project {
	t.Helper()
	root, err := repo.Root()
	if err != nil {
		t.Fatal(err)
	}
	p := &project{t, t.TempDir()}
	for _, name := range []string{"scripts/release.sh", "scripts/lib.sh", "LICENSE"} {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		p.write(name, string(text))
	}
	p.write("CHANGELOG.md", changelog)
	p.write("go.work", "use (\n\t./deploy/schedgen\n)\n")
	p.write(".gitignore", "/release/\n/.cache/\n/log\n/functions/\n/programs/\n")
	p.write("functions/web/dist/page/index.html", "")
	// Only what the scripts ask of these: the versions of installed tools, and a program to pack.
	p.write("programs/go", `#!/bin/bash
case "$1 $2" in
"version -m") echo v1.10.0 v0.19.1 ;;
"build -trimpath") while [ "$1" != -o ]; do shift; done; echo "$GOOS/$GOARCH" >"$2" ;;
esac`)
	p.write(".cache/bin/cyclonedx-gomod", `#!/bin/bash
while [ "$1" != -output ]; do shift; done; echo bom >"$2"`)
	p.write(".cache/bin/ko", `#!/bin/bash
echo "ko $*" >>log
[ ! -e fails ] || exit 1
while [ "$1" != --image-refs ]; do shift; done; printf 'r/a@sha256:1\nr/b@sha256:2\n' >"$2"`)
	p.write("programs/cosign", `#!/bin/bash
echo "cosign $*" >>log`)
	p.write("programs/npm", "#!/bin/bash\nmkdir -p node_modules")
	if err := os.MkdirAll(filepath.Join(p.dir, "functions/web/app/node_modules"), 0o700); err != nil {
		t.Fatal(err)
	}
	p.git("init", "--quiet")
	p.git("add", "--all")
	p.git("-c", "user.name=T", "-c", "user.email=t@example.org", "commit", "--quiet", "--message", "all")
	return p
}

func (p *project) write(name, text string) {
	p.t.Helper()
	path := filepath.Join(p.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
		p.t.Fatal(err)
	}
}

// read is a file of the project; empty if it is not there.
func (p *project) read(name string) string {
	p.t.Helper()
	text, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil && !os.IsNotExist(err) {
		p.t.Fatal(err)
	}
	return string(text)
}

func (p *project) git(args ...string) {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), "git", args...)
	cmd.Dir = p.dir
	if said, err := cmd.CombinedOutput(); err != nil {
		p.t.Fatalf("git %s: %v: %s", args, err, said)
	}
}

// release runs release.sh.
func (p *project) release(args ...string) (said string, err error) {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), filepath.Join(p.dir, "scripts/release.sh"), args...)
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Join(p.dir, "programs")+":"+os.Getenv("PATH"), "GO=go", "OUT=", "PLATFORMS=", "MODULES=",
		"REGISTRY=r", "COSIGN_KEY=cosign.key")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// files are the names in release/, in their order.
func (p *project) files() (names []string) {
	p.t.Helper()
	entries, err := os.ReadDir(filepath.Join(p.dir, "release"))
	if err != nil && !os.IsNotExist(err) {
		p.t.Fatal(err)
	}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// TestAReleaseIsOfItsTag: the files have the tag's version and notes, and the images are signed by their digest.
func TestAReleaseIsOfItsTag(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	p.git("-c", "user.name=T", "-c", "user.email=t@example.org", "tag", "-a", "v1.2.3", "-m", "v1.2.3")
	if said, err := p.release(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	want := "NOTES.md SHA256SUMS images.txt schedgen_v1.2.3_linux_amd64.sbom.json schedgen_v1.2.3_linux_amd64.tar.gz " +
		"schedgen_v1.2.3_linux_arm64.sbom.json schedgen_v1.2.3_linux_arm64.tar.gz"
	if got := strings.Join(p.files(), " "); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := strings.TrimSpace(p.read("release/NOTES.md")), "### Added\n\n- this"; got != want {
		t.Errorf("the notes are %q, want %q", got, want)
	}
	if got := strings.Count(p.read("release/SHA256SUMS"), "\n"); got != 6 {
		t.Errorf("%d files have checksums, want 6", got)
	}
	log := strings.Split(strings.TrimSpace(p.read("log")), "\n")
	if len(log) != 3 || !strings.Contains(log[0], "ko build --image-user 65532 --base-import-paths --tags v1.2.3 ") ||
		log[1] != "cosign sign --yes --key cosign.key r/a@sha256:1 r/b@sha256:2" || !strings.HasPrefix(log[2], "cosign sign-blob --yes --key cosign.key ") {
		t.Errorf("got %q, want the images built, then signed, then the checksums signed", log)
	}
	program := exec.CommandContext(t.Context(), "tar", "-xzOf", "release/schedgen_v1.2.3_linux_arm64.tar.gz", "schedgen_v1.2.3_linux_arm64/schedgen")
	program.Dir = p.dir
	if got, err := program.Output(); err != nil || string(got) != "linux/arm64\n" {
		t.Errorf("the archive for arm64 holds %q, %v", got, err)
	}
}

// TestWhatIsNoReleaseIsRefused before anything is pushed, and leaves no folder that looks like one.
func TestWhatIsNoReleaseIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		tag, file string // what is there besides
		want      string
	}{
		"no tag":             {"", "", "has no tag"},
		"a tag of no form":   {"v1.2", "", "not of the form"},
		"no notes":           {"v9.0.0", "", "no section [9.0.0]"},
		"files not in it":    {"v1.2.3", "new", "not committed"},
		"a folder of others": {"v1.2.3", "release/mine", "holds no release"},
		"images fail":        {"v1.2.3", "fails", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProject(t)
			if c.tag != "" {
				p.git("tag", c.tag)
			}
			if name == "images fail" {
				p.write(".git/info/exclude", "/fails\n")
			}
			if c.file != "" {
				p.write(c.file, "")
			}
			said, err := p.release()
			if err == nil || !strings.Contains(said, c.want) {
				t.Errorf("got %v: %s; want %q", err, said, c.want)
			}
			if log := p.read("log"); c.want != "" && log != "" {
				t.Errorf("all the same: %s", log)
			}
			if strings.Contains(strings.Join(p.files(), " "), "SHA256SUMS") {
				t.Errorf("it left %q", p.files())
			}
		})
	}
}

// TestADryRunOfAReleasePushesNothing, of a commit without a tag and with changes.
func TestADryRunOfAReleasePushesNothing(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	p.write("LICENSE", "changed")
	said, err := p.release("--dry-run")
	if err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	if log := p.read("log"); log != "" {
		t.Errorf("it did %s", log)
	}
	for _, part := range []string{"    ko build ", "    cosign sign ", "    cosign sign-blob "} {
		if !strings.Contains(said, part) {
			t.Errorf("it does not say %q: %s", part, said)
		}
	}
	if notes := strings.TrimSpace(p.read("release/NOTES.md")); notes != "- next" || len(p.files()) != 6 {
		t.Errorf("got the notes %q and the files %q", notes, p.files())
	}
}
