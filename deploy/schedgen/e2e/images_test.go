package e2e_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/schedgen/schedgen/shared/localstack/process"
	"github.com/schedgen/schedgen/shared/xtest"
)

// containersWanted says that make test-platform asked for what takes containers.
func containersWanted() bool { return os.Getenv("SCHEDGEN_TEST_PLATFORM") != "" }

// built are the images that are built and looked into: every function that is there but backup, whose
// base is PostgreSQL's image and not to be had without a way to it.
var built = func() []string {
	mains, _ := filepath.Glob(filepath.Join("..", "..", "..", "functions", "*", "cmd", "*")) // the pattern is well-formed
	var names []string
	for _, main := range mains {
		if name := filepath.Base(main); name != "backup" {
			names = append(names, name)
		}
	}
	return names
}()

// What an image says of its build.
const (
	builtVersion = "v0.0.0-of-a-test"
	builtCommit  = "0123456789abcdef0123456789abcdef01234567"
)

// images is the directory of the functions' images, NAME.tar each, built by ko as .ko.yaml says. An empty
// base with a user stands in for distroless, in a registry of our own that ends with the build.
var images = sync.OnceValues(func() (dir string, err error) {
	if dir, err = xtest.Dir("images"); err != nil {
		return "", err
	}
	if err := xtest.Reap(dir); err != nil {
		return "", err
	}
	address, stop, err := registry(dir)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, stop()) }()
	base := address + "/base:latest"
	if err := emptyBase(dir, base); err != nil {
		return "", err
	}
	for _, name := range built {
		build := exec.Command("ko", "build", "--push=false", "--platform=linux/amd64", "--base-import-paths", "--sbom-dir", dir,
			"--tarball", filepath.Join(dir, name+".tar"), "github.com/schedgen/schedgen/functions/"+name+"/cmd/"+name)
		build.Dir = filepath.Join("..", "..", "..")
		build.Env = append(os.Environ(), "KO_DEFAULTBASEIMAGE="+base, "KO_DOCKER_REPO=schedgen.local", "SCHEDGEN_VERSION="+builtVersion, "SCHEDGEN_COMMIT="+builtCommit)
		if out, err := build.CombinedOutput(); err != nil {
			return "", fmt.Errorf("build the image of %s: %w: %s", name, err, out)
		}
	}
	return dir, nil
})

// registry is a registry on a free port.
func registry(dir string) (address string, stop func() error, err error) {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	address = listener.Addr().String()
	if err := listener.Close(); err != nil {
		return "", nil, err
	}
	crane, err := exec.LookPath("crane")
	if err != nil {
		return "", nil, fmt.Errorf("%w: run make test-platform", err)
	}
	child, err := process.Start(process.Spec{Path: crane, Args: []string{"registry", "serve", "--address", address}, Dir: dir,
		Log: filepath.Join(dir, "registry.log"), Env: os.Environ(), Death: syscall.SIGTERM})
	if err != nil {
		return "", nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err = child.Ready(ctx, func(ctx context.Context) error {
		_, err := get(ctx, http.DefaultClient, "http://"+address+"/v2/")
		return err
	})
	return address, child.Kill, err
}

// emptyBase puts an image into a registry that has nothing but /tmp and a user that is not root.
func emptyBase(dir, base string) error {
	layer := filepath.Join(dir, "empty.tar")
	file, err := os.Create(layer)
	if err != nil {
		return err
	}
	w := tar.NewWriter(file)
	err = w.WriteHeader(&tar.Header{Name: "tmp/", Typeflag: tar.TypeDir, Mode: 0o1777})
	if err := errors.Join(err, w.Close(), file.Close()); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"append", "--new_layer", layer, "--new_tag", base}, {"mutate", "--set-platform", "linux/amd64", "--user", "65532", "-t", base, base},
	} {
		if out, err := exec.Command("crane", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("crane %s: %w: %s", args[0], err, out)
		}
	}
	return nil
}

// TestImagesHoldOneStaticProgram looks into the images: the user, what starts, and that there is nothing
// but a static program, which says what it was built of.
func TestImagesHoldOneStaticProgram(t *testing.T) {
	t.Parallel()
	if !containersWanted() {
		t.Skip("builds images: run make test-platform")
	}
	dir, err := images()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range built {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			archive := filepath.Join(dir, name+".tar")
			config, programs := look(t, archive)
			if config.User != "65532" || fmt.Sprint(config.Entrypoint) != "[/ko-app/"+name+"]" {
				t.Errorf("got user %q, entry point %q", config.User, config.Entrypoint)
			}
			if len(programs) != 1 {
				t.Fatalf("got files %d, want one program", len(programs))
			}
			for file, program := range programs {
				static(t, file, program)
				t.Logf("%s: image %.1f MB, program %.1f MB", name, float64(size(t, archive))/1e6, float64(len(program))/1e6)
			}
			boms, err := filepath.Glob(filepath.Join(dir, "*"+name+"*.json"))
			if err != nil || len(boms) == 0 {
				t.Errorf("ko wrote no SBOM for it: %v", err)
			}
		})
	}
}

func size(t *testing.T, file string) int64 {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// imageConfig is what we read of an image's configuration.
type imageConfig struct {
	User       string
	Entrypoint []string
}

// look reads an image's configuration and the files of its layers.
func look(t *testing.T, archive string) (imageConfig, map[string][]byte) {
	t.Helper()
	parts := untar(t, archive)
	var manifest []struct {
		Config string
		Layers []string
	}
	if err := json.Unmarshal(parts["manifest.json"], &manifest); err != nil || len(manifest) != 1 {
		t.Fatalf("manifest: %v, %s", err, parts["manifest.json"])
	}
	var image struct{ Config imageConfig }
	if err := json.Unmarshal(parts[manifest[0].Config], &image); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, layer := range manifest[0].Layers {
		unpacked, err := gzip.NewReader(bytes.NewReader(parts[layer]))
		if err != nil {
			t.Fatal(err)
		}
		entries(t, unpacked, files)
	}
	return image.Config, files
}

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

// entries adds the regular files of an archive.
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
		if header.Typeflag == tar.TypeReg {
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
	for _, segment := range binary.Progs {
		if segment.Type == elf.PT_INTERP {
			t.Errorf("%s has an interpreter", name)
		}
	}
	if !strings.HasPrefix(name, "/ko-app/") && !strings.HasPrefix(name, "ko-app/") {
		t.Errorf("%s is not where ko puts programs", name)
	}
}
