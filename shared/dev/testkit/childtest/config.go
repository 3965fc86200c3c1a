package childtest

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/schedgen/schedgen/shared/secret"
)

// sent is a Config on its way to a child: JSON shows secrets as stars, so they go beside it, in the order of walk.
type sent struct {
	Config  json.RawMessage
	Secrets []string
}

// EncodeConfig is a Config as text with its secrets, for a child's environment.
func EncodeConfig(cfg any) (string, error) {
	config, err := json.Marshal(cfg)
	if err != nil {
		return "", fmt.Errorf("encode the configuration: %w", err)
	}
	all := sent{Config: config}
	copied := reflect.New(reflect.TypeOf(cfg)).Elem() // whose fields have addresses
	copied.Set(reflect.ValueOf(cfg))
	walk(copied, func(s *secret.String) { all.Secrets = append(all.Secrets, s.Reveal()) })
	text, err := json.Marshal(all)
	return string(text), err
}

// DecodeConfig reads what EncodeConfig made of a Config of cfg's type.
func DecodeConfig(text string, cfg any) error {
	var all sent
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		return fmt.Errorf("decode the configuration: %w", err)
	}
	if err := json.Unmarshal(all.Config, cfg); err != nil {
		return fmt.Errorf("decode the configuration: %w", err)
	}
	walk(reflect.ValueOf(cfg).Elem(), func(s *secret.String) {
		if len(all.Secrets) > 0 {
			*s, all.Secrets = secret.New(all.Secrets[0]), all.Secrets[1:]
		}
	})
	return nil
}

// walk visits the secrets in v's exported fields and in lists.
func walk(v reflect.Value, visit func(*secret.String)) {
	if s, ok := v.Addr().Interface().(*secret.String); ok {
		visit(s)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				walk(v.Field(i), visit)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			walk(v.Index(i), visit)
		}
	}
}
