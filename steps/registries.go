package steps

import (
	"fmt"
	"slices"

	"github.com/pelletier/go-toml/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/steps/kube"
)

// Registries tells assisted-service, and so every discovery image, where images
// are mirrored.
type Registries struct {
	kube.Patched
	Name string `yaml:"name" default:"custom-registries" doc:"ConfigMap, where AgentServiceConfig names none yet"`
}

// registriesConf is containers-registries.conf(5), version 2, as far as it is used.
type registriesConf struct {
	UnqualifiedSearch []string   `toml:"unqualified-search-registries,omitempty"`
	Registry          []registry `toml:"registry"`
}

type registry struct {
	Prefix             string   `toml:"prefix,omitempty"`
	Location           string   `toml:"location"`
	MirrorByDigestOnly bool     `toml:"mirror-by-digest-only"`
	Mirror             []mirror `toml:"mirror"`
}

type mirror struct {
	Location string `toml:"location"`
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
			return fmt.Errorf("%s key registries.conf: %w", what(s.ref(f, seen)), err)
		}
		if err := unstructured.SetNestedField(u.Object, conf, "data", "registries.conf"); err != nil {
			return err
		}
		return appendPEM("ca-bundle.crt", f.Registry.CA.Text)(u)
	}
	return []kube.Intent{{How: kube.Merge, Object: blank(s.ref(f, seen)), Shared: true, Change: change}}, nil
}

// mergeRegistries adds mirrors to a registries.conf, and gives the text back as
// it was where they are all there.
func mergeRegistries(have string, mirrors []labs.Mirror) (string, error) {
	var conf registriesConf
	if err := toml.Unmarshal([]byte(have), &conf); err != nil {
		return "", fmt.Errorf("what is there does not parse as TOML: %w", err)
	}
	changed := have == ""
	if have == "" {
		conf.UnqualifiedSearch = []string{"registry.access.redhat.com", "docker.io"}
	}
	for _, m := range mirrors {
		changed = addMirror(&conf, m) || changed
	}
	if !changed {
		return have, nil
	}
	b, err := toml.Marshal(conf)
	return string(b), err
}

// addMirror says whether something was added.
func addMirror(conf *registriesConf, m labs.Mirror) bool {
	i := slices.IndexFunc(conf.Registry, func(r registry) bool { return r.Location == m.Source })
	if i < 0 {
		conf.Registry = append(conf.Registry, registry{Prefix: "", Location: m.Source, MirrorByDigestOnly: true})
		i = len(conf.Registry) - 1
	}
	added := false
	for _, location := range m.Mirrors {
		if !slices.Contains(conf.Registry[i].Mirror, mirror{location}) {
			conf.Registry[i].Mirror = append(conf.Registry[i].Mirror, mirror{location})
			added = true
		}
	}
	return added
}

// Judge is satisfied by the ConfigMap; AgentService sees how the service takes it.
func (s Registries) Judge(f *labs.Facts, seen kube.Seen) kube.Verdict {
	return done("%s, %s", what(s.ref(f, seen)), count(len(f.Registry.Mirrors), "source"))
}
