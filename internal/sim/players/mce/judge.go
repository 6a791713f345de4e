package mce

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/labrun/labrun/internal/sim/players/admit"
	"github.com/labrun/labrun/internal/sim/players/obj"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

type engineSpec struct {
	Availability    string `json:"availabilityConfig"`
	TargetNamespace string `json:"targetNamespace"`
	Overrides       struct {
		Components []component `json:"components"`
	} `json:"overrides"`
}

type component struct {
	Name    string `json:"name"`
	Enabled bool   `json:"enabled"`
}

// enabled says whether a component is on; one that is not named has its default.
func (s engineSpec) enabled(name string) bool {
	for _, c := range s.Overrides.Components {
		if c.Name == name {
			return c.Enabled
		}
	}
	return slices.Contains(defaultComponents(), name)
}

// defaultComponents are on where nothing is said.
func defaultComponents() []string {
	return []string{
		"assisted-service", "cluster-lifecycle", "cluster-manager", "cluster-proxy-addon", "console-mce", "discovery", "hive",
		"hypershift", "hypershift-local-hosting", "local-cluster", "managedserviceaccount", "server-foundation",
	}
}

// optionalComponents are known, and off where nothing is said.
func optionalComponents() []string {
	return []string{
		"cluster-api", "cluster-api-preview", "cluster-api-provider-aws", "cluster-api-provider-aws-preview",
		"cluster-api-provider-azure-preview", "cluster-api-provider-metal3", "cluster-api-provider-metal3-preview",
		"cluster-api-provider-openshift-assisted", "cluster-api-provider-openshift-assisted-preview", "cluster-permission",
		"hypershift-preview", "image-based-install-operator", "image-based-install-operator-preview", "managedserviceaccount-preview",
	}
}

// admit is the operator's validating webhook.
func (e *engine) admit(ctx context.Context, r admit.Request) error {
	if r.Object == nil {
		return e.admitDelete(ctx, r.Old)
	}
	spec, err := obj.Decode[engineSpec](r.Object, "spec")
	if err != nil {
		return err
	}
	if err := e.judge(spec); err != nil {
		return err
	}
	if r.Old != nil {
		old, err := obj.Decode[engineSpec](r.Old, "spec")
		if err != nil {
			return err
		}
		return judgeChange(old, spec)
	}
	others, err := obj.List(ctx, e, obj.MCE, "MultiClusterEngine")
	if err != nil {
		return fmt.Errorf("unable to list BackplaneConfigs: %w", err)
	}
	return judgeOnlyOne(spec, others)
}

// judge is judgeSpec. By failure mce-component-refused the engine is one that does not know HyperShift yet.
func (e *engine) judge(s engineSpec) error {
	named := slices.ContainsFunc(s.Overrides.Components, func(c component) bool { return c.Name == "hypershift" })
	if named && e.world.Faults.On("mce-component-refused") {
		return errors.New("invalid component config: hypershift is not a known component")
	}
	return judgeSpec(s)
}

func judgeSpec(s engineSpec) error {
	if !slices.Contains([]string{"", "Basic", "High"}, s.Availability) {
		return errors.New("invalid AvailabilityConfig")
	}
	known := slices.Concat(defaultComponents(), optionalComponents())
	for _, c := range s.Overrides.Components {
		if !slices.Contains(known, c.Name) {
			return fmt.Errorf("invalid component config: %s is not a known component", c.Name)
		}
	}
	hyperShift := s.enabled("hypershift") || s.enabled("hypershift-preview") || s.enabled("hypershift-local-hosting")
	clusterAPI := slices.ContainsFunc(optionalComponents()[:9], s.enabled)
	if hyperShift && clusterAPI {
		return errors.New("component exclusivity violation: HyperShift components (hypershift, hypershift-local-hosting) and Cluster API components " +
			"(cluster-api, cluster-api-provider-aws, cluster-api-provider-azure-preview, cluster-api-provider-metal3, cluster-api-provider-openshift-assisted) " +
			"cannot be enabled simultaneously. Please enable only one set of components")
	}
	return nil
}

func judgeChange(old, s engineSpec) error {
	if old.TargetNamespace != "" && old.TargetNamespace != s.TargetNamespace {
		return errors.New("invalid TargetNamespace: changes cannot be made to target namespace")
	}
	return nil
}

func judgeOnlyOne(s engineSpec, others []unstructured.Unstructured) error {
	if len(others) == 0 {
		return nil
	}
	other := others[0]
	if namespaceOr(obj.String(&other, "spec", "targetNamespace")) == namespaceOr(s.TargetNamespace) {
		return fmt.Errorf("invalid TargetNamespace: MultiClusterEngine with targetNamespace already exists: '%s'", other.GetName())
	}
	//lint:ignore ST1005 the operator's own text
	return fmt.Errorf("invalid DeploymentMode: MultiClusterEngine in Standalone mode already exists: `%s`. "+
		"Only one resource may exist in Standalone mode.", other.GetName())
}

func namespaceOr(name string) string {
	if name == "" {
		return "multicluster-engine"
	}
	return name
}

func (e *engine) admitDelete(ctx context.Context, old *unstructured.Unstructured) error {
	left, err := obj.List(ctx, e, obj.AgentInstall, "AgentServiceConfig")
	if err != nil {
		return fmt.Errorf("unable to list AgentServiceConfig: %w", err)
	}
	if len(left) > 0 {
		return fmt.Errorf("cannot delete %s resource. Existing AgentServiceConfig resources must first be deleted", old.GetName())
	}
	clusters, err := obj.List(ctx, e, obj.Cluster, "ManagedCluster")
	if err != nil {
		return fmt.Errorf("unable to list ManagedCluster: %w", err)
	}
	for _, c := range clusters {
		if c.GetName() != localCluster {
			return fmt.Errorf("cannot delete %s resource. Existing ManagedCluster resources must first be deleted", old.GetName())
		}
	}
	return nil
}

// setDefaults writes what the operator itself writes into the spec: the default components that are not named, where
// components go, and how available they are.
func setDefaults(m *unstructured.Unstructured) error {
	spec, err := obj.Decode[engineSpec](m, "spec")
	if err != nil {
		return err
	}
	components, _, err := unstructured.NestedSlice(m.Object, "spec", "overrides", "components")
	if err != nil {
		return err
	}
	added := false
	for _, name := range defaultComponents() {
		if !slices.ContainsFunc(spec.Overrides.Components, func(c component) bool { return c.Name == name }) {
			components, added = append(components, map[string]any{"name": name, "enabled": true}), true
		}
	}
	if added {
		obj.Set(m, components, "spec", "overrides", "components")
	}
	if spec.TargetNamespace == "" {
		obj.Set(m, namespaceOr(""), "spec", "targetNamespace")
	}
	if spec.Availability == "" {
		obj.Set(m, "High", "spec", "availabilityConfig")
	}
	if !slices.Contains(m.GetFinalizers(), finalizer) {
		m.SetFinalizers(append(m.GetFinalizers(), finalizer))
	}
	return nil
}
