package manifests

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// secrets are what the operator creates with scripts/secrets.sh.
type secrets struct {
	kubernetes map[string]map[string]string // values by Secret and key
	openfaas   map[string]string            // values by name
	file       map[string]string            // variables of the file for Compose
}

func readSecrets(kubernetes, openfaas, file []byte) (s secrets, err error) {
	if s.kubernetes, err = decodeSecrets(kubernetes, "schedgen"); err != nil {
		return s, err
	}
	inOpenFaaS, err := decodeSecrets(openfaas, "openfaas-fn")
	if err != nil {
		return s, err
	}
	s.openfaas, s.file = map[string]string{}, map[string]string{}
	for name, keys := range inOpenFaaS {
		value, ok := keys[name]
		if !ok {
			return s, fmt.Errorf("the Secret %s has no key of its own name, which OpenFaaS makes the file of", name)
		}
		s.openfaas[name] = value
	}
	for line := range strings.Lines(string(file)) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if ok && !strings.HasPrefix(line, "#") {
			s.file[name] = value
		}
	}
	return s, nil
}

func decodeSecrets(data []byte, namespace string) (map[string]map[string]string, error) {
	all := map[string]map[string]string{}
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(data), 4096)
	for {
		var secret core.Secret
		err := decoder.Decode(&secret)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		if secret.Name == "" {
			continue // what is before the first separator
		}
		if secret.Namespace != namespace {
			return nil, fmt.Errorf("the Secret %s is in %q, want %q", secret.Name, secret.Namespace, namespace)
		}
		keys := map[string]string{}
		for key, value := range secret.Data {
			keys[key] = string(value)
		}
		all[secret.Name] = keys
	}
}
