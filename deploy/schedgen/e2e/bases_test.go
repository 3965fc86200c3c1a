package e2e_test

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/schedgen/schedgen/shared/dev/stack/process"
)

// standIn is an image in a registry of our own in place of a base that is not to be had without a way to it.
type standIn struct {
	ref   string
	files []string // what it has, without directories
}

// standsInFor makes an image that has what schedgen's images need of a base, and no more: nothing of
// distroless, pg_dump and pg_restore of PostgreSQL's. Like them, the first names a user and the second none.
func standsInFor(base, dir, registry string) (standIn, error) {
	switch name, _, _ := strings.Cut(base, ":"); name {
	case "gcr.io/distroless/static-debian12":
		return push(dir, registry+"/distroless", nil, "--user", "65532")
	case "postgres":
		files, err := postgresPrograms()
		if err != nil {
			return standIn{}, err
		}
		return push(dir, registry+"/postgres", files, "--entrypoint", "docker-entrypoint.sh", "--cmd", "postgres")
	}
	return standIn{}, fmt.Errorf("nothing stands in for the base %s", base)
}

// postgresPrograms are the files, on this machine and in an image, that pg_dump and pg_restore need to run.
func postgresPrograms() ([]string, error) {
	var files []string
	for _, name := range []string{"pg_dump", "pg_restore"} {
		found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
		if err != nil || len(found) == 0 {
			return nil, fmt.Errorf("no %s: run make setup (%w)", name, err)
		}
		program := found[len(found)-1]
		out, err := exec.Command("ldd", program).Output()
		if err != nil {
			return nil, fmt.Errorf("ask for the libraries of %s: %w", program, err)
		}
		files = append(files, program)
		for _, word := range strings.Fields(string(out)) {
			if filepath.IsAbs(word) {
				files = append(files, word)
			}
		}
	}
	return files, nil
}

// push puts an image into a registry: /tmp, these files of this machine at the same places, and a configuration.
func push(dir, ref string, files []string, config ...string) (standIn, error) {
	layer := filepath.Join(dir, filepath.Base(ref)+".tar")
	base := standIn{ref: ref + ":latest"}
	var err error
	if base.files, err = writeLayer(layer, files); err != nil {
		return standIn{}, err
	}
	for _, args := range [][]string{
		{"append", "--new_layer", layer, "--new_tag", base.ref},
		append(append([]string{"mutate", "--set-platform", "linux/amd64", "-t", base.ref}, config...), base.ref),
	} {
		if out, err := exec.Command("crane", args...).CombinedOutput(); err != nil {
			return standIn{}, fmt.Errorf("crane %s: %w: %s", args[0], err, out)
		}
	}
	return base, nil
}

// writeLayer writes /tmp and each of the files once, and gives their names in the layer.
func writeLayer(layer string, files []string) (names []string, err error) {
	file, err := os.Create(layer)
	if err != nil {
		return nil, err
	}
	w := tar.NewWriter(file)
	defer func() { err = errors.Join(err, w.Close(), file.Close()) }()
	if err := w.WriteHeader(&tar.Header{Name: "tmp/", Typeflag: tar.TypeDir, Mode: 0o1777}); err != nil {
		return nil, err
	}
	written := map[string]bool{}
	for _, path := range files {
		name := strings.TrimPrefix(path, "/")
		if written[name] {
			continue
		}
		written[name] = true
		content, err := os.ReadFile(path) // of what a link leads to
		if err != nil {
			return nil, err
		}
		if err := w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o755, Size: int64(len(content))}); err != nil {
			return nil, err
		}
		if _, err := w.Write(content); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
}

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
