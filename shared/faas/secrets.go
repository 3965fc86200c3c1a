package faas

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// secretsDir is where OpenFaaS mounts a function's secrets; it has no other way to give them.
const secretsDir = "/var/openfaas/secrets"

// secretPrefix keeps schedgen's secrets apart from those of other functions of one namespace.
const secretPrefix = "schedgen-"

// secretsToEnvironment sets the variable of each file in dir that is not set: schedgen-session-key is
// SESSION_KEY, and schedgen-s3-secret-key.pdf-parse is S3_SECRET_KEY of that function alone. A platform
// without such a directory gives secrets as variables already.
func secretsToEnvironment(dir, function string) error {
	files, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, file := range files {
		name, ours := strings.CutPrefix(file.Name(), secretPrefix)
		if !ours {
			continue
		}
		name = strings.TrimSuffix(name, "."+function)
		variable := strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		if _, given := os.LookupEnv(variable); given {
			continue
		}
		value, err := os.ReadFile(filepath.Join(dir, file.Name()))
		if err != nil {
			return fmt.Errorf("secret %s: %w", file.Name(), err)
		}
		// Files end with a line feed that nobody meant.
		if err := os.Setenv(variable, strings.TrimRight(string(value), "\r\n")); err != nil {
			return fmt.Errorf("secret %s: %w", file.Name(), err)
		}
	}
	return nil
}
