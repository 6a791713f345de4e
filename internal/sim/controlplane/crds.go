package controlplane

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/labrun/labrun/internal/sim/proc"
)

// CRD is one real CustomResourceDefinition, as `make bin` collects them.
type CRD struct {
	Set  string // folder of bin/crds: openshift, hypershift, capi, mce, assisted, hive, metal3, ocm, olm
	Name string // as in infraenvs.agent-install.openshift.io
	JSON []byte // the object

	head crdHead
}

type crdHead struct {
	Metadata struct{ Name string }
	Spec     struct {
		Group    string
		Names    struct{ Plural string }
		Versions []struct {
			Name   string
			Served bool
		}
	}
}

// ReadCRDs reads the definitions of these sets, or with All of every set, in the order of set and name. A set may also
// be SET/NAME, which takes one definition of it.
func ReadCRDs(assets proc.Assets, sets ...string) ([]CRD, error) {
	var found []CRD
	seen := map[string]bool{}
	for _, set := range sets {
		files, err := crdFiles(assets, set)
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			if seen[f] {
				continue
			}
			seen[f] = true
			crd, err := readCRD(f)
			if err != nil {
				return nil, err
			}
			found = append(found, crd)
		}
	}
	return found, nil
}

func crdFiles(assets proc.Assets, set string) ([]string, error) {
	dir, err := assets.Path("crds")
	if err != nil {
		return nil, err
	}
	pattern := filepath.Join(dir, set, "*.json")
	if filepath.Base(set) != set {
		pattern = filepath.Join(dir, set) + ".json"
	}
	files, err := filepath.Glob(pattern)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("there are no CustomResourceDefinitions %s: %w", pattern, proc.ErrNoAssets)
	}
	slices.Sort(files)
	return files, nil
}

func readCRD(file string) (CRD, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return CRD{}, err
	}
	crd := CRD{Set: filepath.Base(filepath.Dir(file)), JSON: text}
	if err := json.Unmarshal(text, &crd.head); err != nil {
		return CRD{}, fmt.Errorf("reading CustomResourceDefinition %s: %w", file, err)
	}
	crd.Name = crd.head.Metadata.Name
	return crd, nil
}

// served lists group, version and resource of what the API server serves once the definition is established.
func (c CRD) served() []resource {
	var list []resource
	for _, v := range c.head.Spec.Versions {
		if v.Served {
			list = append(list, resource{c.head.Spec.Group, v.Name, c.head.Spec.Names.Plural})
		}
	}
	return list
}

type resource struct{ group, version, plural string }
