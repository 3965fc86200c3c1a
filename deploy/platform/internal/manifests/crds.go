package manifests

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/json"
)

// Definitions are custom resource definitions: what an API server validates Knative's and Traefik's
// objects with.
type Definitions struct{ kinds map[string]definition }

// definition is one version of one kind.
type definition struct {
	validator validation.SchemaValidator
	schema    *structural.Structural
}

// ReadDefinitions reads the definitions in YAML files.
func ReadDefinitions(files ...string) (*Definitions, error) {
	all := &Definitions{kinds: map[string]definition{}}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if err := all.add(data); err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(file), err)
		}
	}
	return all, nil
}

func (d *Definitions) add(data []byte) error {
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(data), 4096)
	for {
		var raw runtime.RawExtension
		if err := decoder.Decode(&raw); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		var crd apiextensionsv1.CustomResourceDefinition
		if err := json.UnmarshalCaseSensitivePreserveInts(raw.Raw, &crd); err != nil {
			return err
		}
		if crd.Kind != "CustomResourceDefinition" {
			continue
		}
		for _, version := range crd.Spec.Versions {
			one, err := compile(version)
			if err != nil {
				return fmt.Errorf("%s %s: %w", crd.Name, version.Name, err)
			}
			d.kinds[crd.Spec.Group+"/"+version.Name+" "+crd.Spec.Names.Kind] = one
		}
	}
}

func compile(version apiextensionsv1.CustomResourceDefinitionVersion) (d definition, err error) {
	var schema apiextensions.JSONSchemaProps
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(version.Schema.OpenAPIV3Schema, &schema, nil); err != nil {
		return d, err
	}
	if d.validator, _, err = validation.NewSchemaValidator(&schema); err != nil {
		return d, err
	}
	d.schema, err = structural.NewStructural(&schema)
	return d, err
}

// Validate gives what an API server would refuse, unknown fields among it.
func (d *Definitions) Validate(data map[string]any) []string {
	var p problems
	one, ok := d.kinds[text(data["apiVersion"])+" "+text(data["kind"])]
	if !ok {
		p.addf("no definition of %v %v", data["apiVersion"], data["kind"])
		return p
	}
	for _, problem := range validation.ValidateCustomResource(nil, data, one.validator) {
		p.addf("%s", problem)
	}
	unknown := pruning.PruneWithOptions(runtime.DeepCopyJSON(data), one.schema, true,
		structural.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	for _, field := range unknown {
		p.addf("unknown field %s", field)
	}
	return p
}
