package readiness

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// settingsFile is the file of settings and secrets, NAME=value on each line.
type settingsFile struct {
	values map[string]string
	mode   fs.FileMode
}

// secretChecks look at the file of settings and secrets. No value of it is ever told.
func secretChecks() map[string]check {
	return map[string]check{
		"strong": {run: strong, args: -1, says: "the settings file has long, random, different values for $@",
			fix: "Make the secrets that are named anew, and start what reads them.", command: "scripts/secrets.sh new"},
		"private": {run: private, says: "nobody but their owner may read the settings file, and the keys beside it",
			fix: "Take the right to read the file from everybody else.", command: "chmod 600 .env"},
		"given": {run: given, args: -1, says: "the settings file has values for $@",
			fix: "Fill in the settings that are missing.", command: "${EDITOR:-vi} .env && docker compose up -d"},
		"one-of": {run: oneOf, args: -1, says: "the settings file has a value for one of $@",
			fix: "Fill in one of the settings that are named.", command: "${EDITOR:-vi} .env && docker compose up -d"},
	}
}

func (s *system) settings() (settingsFile, error) {
	return s.secrets.get(func() (settingsFile, error) {
		if s.Settings == "" {
			return settingsFile{}, notLooked{"no file of settings was named", "schedgen readiness --settings deploy/compose/.env, where the file is"}
		}
		info, err := os.Stat(s.Settings)
		if err != nil {
			return settingsFile{}, fmt.Errorf("read the settings: %w", err)
		}
		written, err := os.ReadFile(s.Settings)
		if err != nil {
			return settingsFile{}, fmt.Errorf("read the settings: %w", err)
		}
		values, err := assignments(s.Settings, written, map[string]string{})
		return settingsFile{values: values, mode: info.Mode().Perm()}, err
	})
}

func strong(_ context.Context, s *system, names []string) Finding {
	file, err := s.settings()
	if err != nil {
		return from(err)
	}
	seen := map[string]string{}
	for _, name := range names {
		value := file.values[name]
		if why := weak(value); why != "" {
			return failed("%s %s", name, why)
		}
		if other := seen[value]; other != "" {
			return failed("%s and %s are the same", other, name)
		}
		seen[value] = name
	}
	return ok("%d secrets are long, random and different", len(names))
}

// weak says why a secret can be guessed; "" if it cannot.
func weak(secret string) string {
	lower := strings.ToLower(secret)
	switch {
	case secret == "":
		return "is empty"
	case utf8.RuneCountInString(secret) < 20:
		return "has fewer than 20 characters"
	case entropy(secret) < 80:
		return "repeats itself: it is not random"
	}
	for _, word := range []string{"password", "changeme", "secret", "example", "schedgen", "12345678"} {
		if strings.Contains(lower, word) {
			return "contains a word that is tried first"
		}
	}
	return ""
}

// entropy is the bits in a text by how often it has each of its characters: more than a guess, less than a proof.
func entropy(text string) (bits float64) {
	count, n := map[rune]float64{}, 0.0
	for _, r := range text {
		count[r]++
		n++
	}
	for _, c := range count {
		bits -= c * math.Log2(c/n)
	}
	return bits
}

// keyFiles are beside the settings file, where there are any.
var keyFiles = []string{"backup-identity.txt", "smtp-password", "certificates/acme.json"}

func private(_ context.Context, s *system, _ []string) Finding {
	file, err := s.settings()
	if err != nil {
		return from(err)
	}
	modes := map[string]fs.FileMode{s.Settings: file.mode}
	for _, name := range keyFiles {
		path := filepath.Join(filepath.Dir(s.Settings), name)
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return from(fmt.Errorf("look at a file of keys: %w", err))
		}
		modes[path] = info.Mode().Perm()
	}
	for _, path := range slices.Sorted(maps.Keys(modes)) {
		if mode := modes[path]; mode&0o077 != 0 {
			f := failed("%s has the mode %04o: others may read it", path, mode)
			f.Fix, f.Command = "Take the right to read the file from everybody else, and make what is in it anew if anybody may have read it.", "chmod 600 "+path
			return f
		}
	}
	return ok("%s and %d files of keys beside it are their owner's alone", s.Settings, len(modes)-1)
}

func given(_ context.Context, s *system, names []string) Finding {
	file, err := s.settings()
	if err != nil {
		return from(err)
	}
	var missing []string
	for _, name := range names {
		if file.values[name] == "" {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return failed("%s has no %s", s.Settings, strings.Join(missing, ", "))
	}
	for _, name := range names {
		if why := useless(name, file.values[name]); why != "" {
			return failed("%s in %s %s", name, s.Settings, why)
		}
	}
	return ok("%s has %s", s.Settings, strings.Join(names, ", "))
}

// forms are what some settings look like. A dashboard's user without a hash of a password lets nobody in, or everybody.
var forms = map[string]*regexp.Regexp{
	"DASHBOARD_USERS": regexp.MustCompile(`^[^:\s]+:(\${1,2}(2[aby]|apr1)\$|\{SHA\}).+`),
	"SITE_HOST":       regexp.MustCompile(`^([a-z0-9-]+\.)+[a-z][a-z0-9-]+$`),
	"DASHBOARD_HOST":  regexp.MustCompile(`^([a-z0-9-]+\.)+[a-z][a-z0-9-]+$`),
	"ACME_EMAIL":      regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[^@\s]+$`),
}

// ofExamples is what documents write where a value belongs.
var ofExamples = regexp.MustCompile(`(?i)\bexample\.(org|com|net)\b|changeme|your-?(host|domain)`)

// useless says why a value that is there is none; "" if it is one.
func useless(name, value string) string {
	switch {
	case ofExamples.MatchString(value):
		return "is still that of the documents' examples"
	case forms[name] != nil && !forms[name].MatchString(value):
		return "does not have the form that it needs"
	}
	return ""
}

// oneOf takes A+B as settings that are of no use without each other.
func oneOf(_ context.Context, s *system, groups []string) Finding {
	file, err := s.settings()
	if err != nil {
		return from(err)
	}
	for _, group := range groups {
		names := strings.Split(group, "+")
		if !slices.ContainsFunc(names, func(name string) bool { return file.values[name] == "" || useless(name, file.values[name]) != "" }) {
			return ok("%s has %s", s.Settings, strings.Join(names, ", "))
		}
	}
	return failed("%s has none of %s", s.Settings, strings.Join(groups, ", "))
}
