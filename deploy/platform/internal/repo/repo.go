// Package repo reads the project's files as data, so that a check can be run on a changed copy of them.
package repo

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Tree is files by their path from the project's root, with slashes.
type Tree map[string][]byte

// Root is the project's directory: the nearest one above this one that has go.work.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.work here or above: run this inside the project")
		}
		dir = parent
	}
}

// Read reads the files at and below the given paths of root. A path that is not there is an error.
func Read(root string, paths ...string) (Tree, error) {
	tree := Tree{}
	for _, path := range paths {
		err := filepath.WalkDir(filepath.Join(root, filepath.FromSlash(path)), func(file string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			data, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			name, err := filepath.Rel(root, file)
			if err != nil {
				return err
			}
			tree[filepath.ToSlash(name)] = data
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
	}
	return tree, nil
}

// Here is Read of the project's directory, which it gives, too.
func Here(paths ...string) (root string, tree Tree, err error) {
	root, err = Root()
	if err != nil {
		return "", nil, err
	}
	tree, err = Read(root, paths...)
	return root, tree, err
}

// With is a copy in which one file is another.
func (t Tree) With(path string, data []byte) Tree {
	changed := maps.Clone(t)
	changed[path] = data
	return changed
}

// Under lists the paths that begin with prefix, sorted.
func (t Tree) Under(prefix string) []string {
	var all []string
	for path := range t {
		if strings.HasPrefix(path, prefix) {
			all = append(all, path)
		}
	}
	slices.Sort(all)
	return all
}

// Write writes the files that begin with one of the prefixes below root.
func (t Tree) Write(root string, prefixes ...string) error {
	for _, prefix := range prefixes {
		for _, path := range t.Under(prefix) {
			file := filepath.Join(root, filepath.FromSlash(path))
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				return fmt.Errorf("write %s: %w", path, err)
			}
			if err := os.WriteFile(file, t[path], 0o644); err != nil {
				return fmt.Errorf("write %s: %w", path, err)
			}
		}
	}
	return nil
}
