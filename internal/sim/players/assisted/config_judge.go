package assisted

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/labrun/labrun/internal/sim/players/obj"
	"github.com/pelletier/go-toml/v2"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

type configSpec struct {
	Filesystem core.PersistentVolumeClaimSpec  `json:"filesystemStorage"`
	Database   core.PersistentVolumeClaimSpec  `json:"databaseStorage"`
	Images     *core.PersistentVolumeClaimSpec `json:"imageStorage"`
	OSImages   []osImage                       `json:"osImages"`
	Mirror     *core.LocalObjectReference      `json:"mirrorRegistryRef"`
	Public     []string                        `json:"unauthenticatedRegistries"`
}

type osImage struct {
	Release string `json:"openshiftVersion"`
	Version string `json:"version"`
	URL     string `json:"url"`
	Arch    string `json:"cpuArchitecture"`
}

// judgeStorage refuses claims that are too small; all faults in one condition.
func judgeStorage(s configSpec) *obj.Condition {
	var faults []string
	check := func(what string, claim core.PersistentVolumeClaimSpec, least string) {
		minimum := resource.MustParse(least)
		if asked := claim.Resources.Requests.Storage(); asked.Cmp(minimum) < 0 {
			faults = append(faults, fmt.Sprintf("%s storage %s is too small, it must be at least %s", what, asked, &minimum))
		}
	}
	check("Database", s.Database, "1Gi")
	check("Filesystem", s.Filesystem, "1Gi")
	if s.Images != nil {
		check("Image", *s.Images, "10Gi")
	}
	if len(faults) == 0 {
		return nil
	}
	return failed("StorageFailure", strings.Join(faults, ". ")+".")
}

// failed is ReconcileCompleted False.
func failed(reason, message string) *obj.Condition {
	return &obj.Condition{Type: "ReconcileCompleted", Status: obj.False, Reason: reason, Message: message}
}

// judgeMirror judges the ConfigMap that mirrorRegistryRef names; cm is nil where there is none. The real operator's
// messages name the part that it could not make, and give the cause in its log only; here the cause follows.
func judgeMirror(name string, cm *core.ConfigMap) *obj.Condition {
	if cm == nil {
		return failed("ConfigFailure", fmt.Sprintf("Failed to generate definition for AssistedTrustedCAConfigMap: configmaps %q not found", name))
	}
	text, ok := cm.Data["registries.conf"]
	if !ok {
		return failed("DeploymentFailure", fmt.Sprintf("Failed to generate definition for AssistedServiceDeployment: Mirror registry configmap %s missing key registries.conf", name))
	}
	if cm.Labels["app"] != serviceName {
		return failed("ConfigFailure", fmt.Sprintf("Failed to generate definition for AssistedServiceConfigMap: mirror registry configmap %s has no label app: %s", name, serviceName))
	}
	if _, err := parseRegistries(text); err != nil {
		return failed("ConfigFailure", fmt.Sprintf("Failed to generate definition for AssistedServiceConfigMap: %s of configmap %s: %v", "registries.conf", name, err))
	}
	if ca := cm.Data["ca-bundle.crt"]; ca != "" {
		if err := judgeBundle(ca); err != nil {
			return failed("ConfigFailure", fmt.Sprintf("Failed to generate definition for AssistedTrustedCAConfigMap: ca-bundle.crt of configmap %s: %v", name, err))
		}
	}
	return nil
}

// registries is a registries.conf of version 2, as far as the service reads it.
type registries struct {
	Unqualified []string `toml:"unqualified-search-registries"`
	Registry    []struct {
		Prefix   string `toml:"prefix"`
		Location string `toml:"location"`
		Mirror   []struct {
			Location string `toml:"location"`
		} `toml:"mirror"`
	} `toml:"registry"`
}

// parseRegistries reads a registries.conf and refuses locations that are a bare host: mirrors are of repositories.
func parseRegistries(text string) (registries, error) {
	var r registries
	if err := toml.Unmarshal([]byte(text), &r); err != nil {
		var at *toml.DecodeError
		if errors.As(err, &at) {
			line, column := at.Position()
			return r, fmt.Errorf("failed to load value of registries.conf into toml tree; incorrectly formatted toml: (%d, %d): %w", line, column, err)
		}
		return r, fmt.Errorf("failed to load value of registries.conf into toml tree; incorrectly formatted toml: %w", err)
	}
	if len(r.Registry) == 0 {
		return r, errors.New("failed to find registry key in toml tree")
	}
	mirrors := 0
	for _, registry := range r.Registry {
		if err := judgeLocation(registry.Location); err != nil {
			return r, err
		}
		for _, m := range registry.Mirror {
			mirrors++
			if err := judgeLocation(m.Location); err != nil {
				return r, err
			}
		}
	}
	if mirrors == 0 {
		return r, errors.New("failed to find any image mirrors in registry.conf")
	}
	return r, nil
}

func judgeLocation(location string) error {
	host, path, _ := strings.Cut(location, "/")
	if host == "" || strings.Trim(path, "/") == "" {
		return fmt.Errorf("invalid location %q: a repository path is needed after the registry's host", location)
	}
	return nil
}

// public lists the registries for which a pull secret needs no credentials: what the service calls
// PUBLIC_CONTAINER_REGISTRIES.
func public(s configSpec, mirror *core.ConfigMap) []string {
	list := []string{"quay.io", "registry.ci.openshift.org"}
	if mirror != nil {
		if r, err := parseRegistries(mirror.Data["registries.conf"]); err == nil {
			list = append(list, r.Unqualified...)
			for _, registry := range r.Registry {
				host, _, _ := strings.Cut(registry.Location, "/")
				list = append(list, host)
			}
		}
	}
	list = append(list, s.Public...)
	var unique []string
	for _, host := range list {
		if !slices.Contains(unique, host) {
			unique = append(unique, host)
		}
	}
	return unique
}
