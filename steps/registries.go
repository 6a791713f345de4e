package steps

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/steps/kube"
)

// Registries tells assisted-service, and so every discovery image, where images
// are mirrored.
type Registries struct {
	kube.Patched
	Name string `yaml:"name" default:"custom-registries" doc:"ConfigMap, where AgentServiceConfig names none yet"`
}

func agentServiceConfig() kube.Ref {
	return kube.Ref{APIVersion: agentServiceConfigs().APIVersion, Kind: "AgentServiceConfig", Name: "agent", Optional: true}
}

func (s Registries) ref(f *labs.Facts, seen kube.Seen) kube.Ref {
	name := s.Name
	if named := text(seen.Get(agentServiceConfig()), "spec", "mirrorRegistryRef", "name"); named != "" {
		name = named
	}
	return configMapRef(f.MCE.Namespace, name)
}

// Reads the service's configuration, which may name another ConfigMap.
func (Registries) Reads(*labs.Facts) []kube.Ref { return []kube.Ref{agentServiceConfig()} }

// Objects add the lab's mirrors to those of other labs.
func (s Registries) Objects(f *labs.Facts, seen kube.Seen) ([]kube.Intent, error) {
	change := func(u *unstructured.Unstructured) error {
		labels := u.GetLabels()
		if labels == nil {
			labels = map[string]string{}
		}
		labels["app"] = "assisted-service"
		u.SetLabels(labels)
		conf, err := mergeRegistries(text(u, "data", "registries.conf"), f.Registry.Mirrors)
		if err != nil {
			ref := s.ref(f, seen)
			return &pipeline.Report{Report: report(what(ref)+" key registries.conf cannot be extended", "seen", err.Error(),
				fmt.Sprintf("correct it, or delete the ConfigMap: oc edit configmap -n %s %s", ref.Namespace, ref.Name))}
		}
		if err := unstructured.SetNestedField(u.Object, conf, "data", "registries.conf"); err != nil {
			return err
		}
		return appendPEM("ca-bundle.crt", f.Registry.CA.Text)(u)
	}
	return []kube.Intent{{How: kube.Merge, Object: blank(s.ref(f, seen)), Shared: true, Change: change}}, nil
}

// mergeRegistries adds mirrors to a containers-registries.conf(5) of version 2, and
// gives the text back as it was where they are all there. Keys that labrun does not
// know stay.
func mergeRegistries(have string, mirrors []labs.Mirror) (string, error) {
	conf := map[string]any{}
	if err := toml.Unmarshal([]byte(have), &conf); err != nil {
		return "", fmt.Errorf("what is there does not parse as TOML: %w", err)
	}
	changed := strings.TrimSpace(have) == ""
	if changed {
		conf["unqualified-search-registries"] = []string{"registry.access.redhat.com", "docker.io"}
	}
	list, err := tables(conf, "registry")
	if err != nil {
		return "", err
	}
	for _, m := range mirrors {
		var added bool
		if list, added, err = addMirror(list, m); err != nil {
			return "", err
		}
		changed = added || changed
	}
	if !changed {
		return have, nil
	}
	conf["registry"] = list
	b, err := toml.Marshal(conf)
	return string(b), err
}

// tables reads an array of tables, none where the key is absent.
func tables(of map[string]any, key string) ([]map[string]any, error) {
	if list, ok := of[key].([]map[string]any); ok {
		return list, nil
	}
	items, ok := of[key].([]any)
	if !ok && of[key] != nil {
		return nil, fmt.Errorf("its key %q is no list of tables: [[%s]] was expected", key, key)
	}
	list := make([]map[string]any, len(items))
	for i, item := range items {
		if list[i], ok = item.(map[string]any); !ok {
			return nil, fmt.Errorf("its key %q is no list of tables: [[%s]] was expected", key, key)
		}
	}
	return list, nil
}

// addMirror says whether something was added.
func addMirror(list []map[string]any, m labs.Mirror) (_ []map[string]any, added bool, err error) {
	i := slices.IndexFunc(list, func(r map[string]any) bool {
		return r["location"] == m.Source || r["location"] == nil && r["prefix"] == m.Source
	})
	if i < 0 {
		list = append(list, map[string]any{"prefix": "", "location": m.Source, "mirror-by-digest-only": true})
		i = len(list) - 1
	}
	mirrors, err := tables(list[i], "mirror")
	if err != nil {
		return nil, false, err
	}
	for _, location := range m.Mirrors {
		if !slices.ContainsFunc(mirrors, func(have map[string]any) bool { return have["location"] == location }) {
			mirrors, added = append(mirrors, map[string]any{"location": location}), true
		}
	}
	if added {
		list[i]["mirror"] = mirrors
	}
	return list, added, nil
}

// Judge is satisfied by the ConfigMap; AgentService sees how the service takes it.
func (s Registries) Judge(f *labs.Facts, seen kube.Seen) kube.Verdict {
	return done("%s, %s", what(s.ref(f, seen)), count(len(f.Registry.Mirrors), "source"))
}
