package generic

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/steps/kube"
)

// Apply applies objects that the lab file or another file holds.
type Apply struct {
	kube.Patched
	Manifest any       `yaml:"manifest,omitempty" doc:"one object, or a list of objects"`
	File     labs.Path `yaml:"file,omitempty" doc:"YAML or JSON file that holds them, one document an object"`
	Once     bool      `yaml:"once" default:"false" doc:"create each where it is absent, and never change it after, but for the mark of labs that share it"`
	Shared   bool      `yaml:"shared" default:"false" doc:"the objects belong to the hub and not to this lab: several labs may apply them"`
	Force    bool      `yaml:"force" default:"false" doc:"take fields from their owners instead of reporting a conflict"`
}

// Objects are those of the manifest and of the file.
func (s Apply) Objects(*labs.Facts, kube.Seen) ([]kube.Intent, error) {
	objects, err := s.objects()
	if err != nil {
		return nil, err
	}
	how := kube.Apply
	if s.Once {
		how = kube.CreateOnce
	}
	intents := make([]kube.Intent, len(objects))
	for i, o := range objects {
		intents[i] = kube.Intent{How: how, Object: &unstructured.Unstructured{Object: o}, Shared: s.Shared, Force: s.Force}
	}
	return intents, nil
}

// Judge is satisfied by the objects: k8s/wait waits for more.
func (s Apply) Judge(*labs.Facts, kube.Seen) kube.Verdict {
	return kube.Verdict{State: kube.Done}
}

func (s Apply) objects() ([]map[string]any, error) {
	objects, err := manifest(s.Manifest)
	if err != nil {
		return nil, err
	}
	if s.File != "" {
		f, err := os.Open(string(s.File))
		if err != nil {
			return nil, err
		}
		defer f.Close()
		more, err := documents(f)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", s.File, err)
		}
		objects = append(objects, more...)
	}
	if len(objects) == 0 {
		return nil, errors.New("there is nothing to apply: give a manifest or a file")
	}
	return objects, nil
}

// manifest takes one object, or a list of objects.
func manifest(m any) ([]map[string]any, error) {
	switch m := m.(type) {
	case nil:
		return nil, nil
	case map[string]any:
		return []map[string]any{m}, nil
	case []any:
		var all []map[string]any
		for i, item := range m {
			o, ok := item.(map[string]any)
			if !ok {
				return nil, fmt.Errorf("manifest[%d] is no object: expected apiVersion, kind and metadata", i)
			}
			all = append(all, o)
		}
		return all, nil
	}
	return nil, errors.New("the manifest is no object: expected apiVersion, kind and metadata, or a list of such")
}

// documents reads the objects of a file of several documents; a List's items
// stand for themselves.
func documents(r io.Reader) ([]map[string]any, error) {
	decoder := yaml.NewYAMLOrJSONDecoder(r, 4096)
	var all []map[string]any
	for {
		var o map[string]any
		err := decoder.Decode(&o)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		items, isList := o["items"].([]any)
		kind, _ := o["kind"].(string)
		switch {
		case len(o) == 0:
		case isList && strings.HasSuffix(kind, "List"):
			more, err := manifest(items)
			if err != nil {
				return nil, err
			}
			all = append(all, more...)
		default:
			all = append(all, o)
		}
	}
}
