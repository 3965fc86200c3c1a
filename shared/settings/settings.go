// Package settings reads a function's Config from environment variables, and fills one written in code.
//
// A Config is a struct whose fields carry the tags of go-envconfig. They are the only place for a
// variable's name and default; docs/configuration.md is made from them:
//
//	type Config struct {
//		Postgres  postgres.Config                                        // its own fields, by their own tags
//		Batch     int           `env:"SWEEP_BATCH, default=200"`         // 200 when unset, empty, zero or negative
//		Retention time.Duration `env:"RETENTION, default=24h" zero:"allowed"` // 0 is a choice: delete at once
//	}
//
// Read serves programs: it takes the environment and the defaults. WithDefaults serves New, whose
// Config a test may have written with the fields that matter to it alone.
//
// The tag zero:"allowed" is this package's own. It marks a number whose zero has a meaning: Read
// gives its default when the variable is unset, and WithDefaults never touches it. A bool is always
// such a field.
package settings

import (
	"context"
	"encoding"
	"fmt"
	"reflect"
	"strings"

	"github.com/sethvargo/go-envconfig"
)

// Read fills the struct at cfg from the process's environment.
func Read(ctx context.Context, cfg any) error {
	return ReadFrom(ctx, cfg, envconfig.OsLookuper())
}

// ReadFrom is Read from other places than the environment, such as the flags of a command. A
// variable that is set to nothing counts as unset. A setting that was renamed is also read under its former name.
func ReadFrom(ctx context.Context, cfg any, from envconfig.Lookuper) error {
	lookup := envconfig.LookuperFunc(func(name string) (string, bool) {
		value, ok := from.Lookup(name)
		if former := renamed[name]; value == "" && former != "" {
			value, ok = from.Lookup(former)
		}
		return value, ok && value != ""
	})
	if err := envconfig.ProcessWith(ctx, &envconfig.Config{Target: cfg, Lookuper: lookup}); err != nil {
		return fmt.Errorf("read the settings: %w", err)
	}
	return nil
}

// WithDefaults returns cfg with the default of each field that is zero or negative. Fields that are
// required stay as they are: what they belong to checks them.
func WithDefaults[C any](cfg C) C {
	asIs := map[string]bool{}
	var keep []func() // the library decodes a struct's default whether or not it is given
	walk(reflect.ValueOf(&cfg).Elem(), "", func(name string, field reflect.StructField, value reflect.Value) {
		tag := field.Tag.Get("env")
		if value.Kind() == reflect.Struct && !value.IsZero() {
			given := reflect.ValueOf(value.Interface())
			keep = append(keep, func() { value.Set(given) })
		}
		switch {
		case strings.Contains(tag, "required"), field.Tag.Get("zero") == "allowed", value.Kind() == reflect.Bool:
			asIs[name] = true
		case strings.Contains(tag, "default=") && isNumber(value) && value.Int() < 0:
			value.SetZero()
		}
	})
	nothing := envconfig.LookuperFunc(func(name string) (string, bool) { return "", asIs[name] })
	err := envconfig.ProcessWith(context.Background(), &envconfig.Config{Target: &cfg, Lookuper: nothing})
	if err != nil {
		panic(fmt.Sprintf("the tags of %T: %v", cfg, err)) // a mistake in the source, which every test of New meets
	}
	for _, restore := range keep {
		restore()
	}
	return cfg
}

// isNumber tells a number from a type that has its own spelling, such as slog.Level.
func isNumber(value reflect.Value) bool {
	_, spelled := value.Addr().Interface().(encoding.TextUnmarshaler)
	return value.CanInt() && !spelled
}

// walk visits each field of a struct that has a variable, and those of the structs in it.
func walk(of reflect.Value, prefix string, visit func(name string, field reflect.StructField, value reflect.Value)) {
	for i := range of.NumField() {
		field, value := of.Type().Field(i), of.Field(i)
		switch name := ownName(field); {
		case name != "":
			visit(prefix+name, field, value)
		case value.Kind() == reflect.Struct && field.IsExported():
			_, inner, _ := strings.Cut(field.Tag.Get("env"), "prefix=")
			walk(value, prefix+inner, visit)
		}
	}
}

// ownName is the variable of a field, without the prefix of the structs that it is in.
func ownName(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("env"), ",")
	return strings.TrimSpace(name)
}
