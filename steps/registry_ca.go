package steps

import (
	"fmt"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/steps/kube"
)

const openshiftConfig = "openshift-config"

// RegistryCA makes the management cluster trust the lab's registry: a ConfigMap
// with the registry's CA, or a further key in the one that images.config names.
type RegistryCA struct {
	kube.Patched
	Name string `yaml:"name" default:"registry-config" doc:"ConfigMap in openshift-config, where images.config names none yet"`
}

func imageConfig() kube.Ref {
	return kube.Ref{APIVersion: "config.openshift.io/v1", Kind: "Image", Name: "cluster"}
}

// trusted gives the ConfigMap that images.config names, or else name.
func trusted(seen kube.Seen, name string) string {
	if named := text(seen.Get(imageConfig()), "spec", "additionalTrustedCA", "name"); named != "" {
		return named
	}
	return name
}

// registryKey is the registry as a ConfigMap key: the colon becomes two dots.
func registryKey(r labs.Registry) string {
	if r.Port == 0 {
		return r.Host
	}
	return fmt.Sprintf("%s..%d", r.Host, r.Port)
}

// Reads images.config, which may name another ConfigMap.
func (s RegistryCA) Reads(*labs.Facts) []kube.Ref { return []kube.Ref{imageConfig()} }

// Objects add the registry's key; other labs' and people's keys stay.
func (s RegistryCA) Objects(f *labs.Facts, seen kube.Seen) ([]kube.Intent, error) {
	ref := configMapRef(openshiftConfig, trusted(seen, s.Name))
	return []kube.Intent{{
		How: kube.Merge, Object: blank(ref), Shared: true,
		Change: setData(map[string]string{registryKey(f.Registry): f.Registry.CA.Text}),
	}}, nil
}

// Judge is satisfied by the key.
func (s RegistryCA) Judge(f *labs.Facts, seen kube.Seen) kube.Verdict {
	return done("ConfigMap %s/%s key %s", openshiftConfig, trusted(seen, s.Name), registryKey(f.Registry))
}

// ImageConfig makes images.config trust the ConfigMap with the registry's CA.
type ImageConfig struct {
	kube.Patched
	Name string `yaml:"name" default:"registry-config" doc:"ConfigMap in openshift-config, where images.config names none yet"`
}

// Reads images.config.
func (s ImageConfig) Reads(*labs.Facts) []kube.Ref { return []kube.Ref{imageConfig()} }

// Objects name the ConfigMap where none is named: pointing elsewhere would drop
// the CAs that are trusted now.
func (s ImageConfig) Objects(_ *labs.Facts, seen kube.Seen) ([]kube.Intent, error) {
	return []kube.Intent{{
		How: kube.Merge, Object: blank(imageConfig()), Shared: true,
		Change: setText(trusted(seen, s.Name), "spec", "additionalTrustedCA", "name"),
	}}, nil
}

// Judge is satisfied by the name.
func (s ImageConfig) Judge(_ *labs.Facts, seen kube.Seen) kube.Verdict {
	return done("images.config trusts ConfigMap %s", trusted(seen, s.Name))
}

// UserCABundle extends the management cluster's own trust bundle by the registry's CA.
type UserCABundle struct {
	kube.Patched
}

func userCABundle() kube.Ref { return configMapRef(openshiftConfig, "user-ca-bundle") }

func proxyConfig() kube.Ref {
	return kube.Ref{APIVersion: "config.openshift.io/v1", Kind: "Proxy", Name: "cluster", Optional: true}
}

// Reads the bundle and who uses it.
func (UserCABundle) Reads(*labs.Facts) []kube.Ref { return []kube.Ref{userCABundle(), proxyConfig()} }

// Objects append the CA to the bundle, and never replace what it holds.
func (UserCABundle) Objects(f *labs.Facts, _ kube.Seen) ([]kube.Intent, error) {
	return []kube.Intent{{
		How: kube.Merge, Object: blank(userCABundle()), Shared: true,
		Change: appendPEM("ca-bundle.crt", f.Registry.CA.Text),
	}}, nil
}

// Judge says where the bundle has no effect.
func (UserCABundle) Judge(_ *labs.Facts, seen kube.Seen) kube.Verdict {
	if text(seen.Get(proxyConfig()), "spec", "trustedCA", "name") != "user-ca-bundle" {
		return done("extended; without effect until proxies.config.openshift.io/cluster names it")
	}
	return done("extended; the nodes restart to take it")
}
