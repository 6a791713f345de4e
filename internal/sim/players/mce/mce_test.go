package mce_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/labrun/labrun/internal/sim/controlplane"
	"github.com/labrun/labrun/internal/sim/controlplane/cptest"
	"github.com/labrun/labrun/internal/sim/players/mce"
	"github.com/labrun/labrun/internal/sim/players/obj"
	"github.com/labrun/labrun/internal/sim/players/openshift"
	"github.com/labrun/labrun/internal/sim/players/playtest"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func engine(name string, components ...any) *unstructured.Unstructured {
	m := obj.New(obj.MCE, "MultiClusterEngine", "", name)
	m.Object["spec"] = map[string]any{}
	if len(components) > 0 {
		obj.Set(m, components, "spec", "overrides", "components")
	}
	return m
}

// installed makes the ClusterServiceVersion as OLM leaves it.
func installed(t *testing.T, c client.Client) *unstructured.Unstructured {
	csv := obj.New(obj.OLM, "ClusterServiceVersion", "multicluster-engine", "multicluster-engine.v2.10.1")
	obj.Set(csv, map[string]any{"displayName": "x", "install": map[string]any{"strategy": "deployment"}}, "spec")
	playtest.Create(t, c, csv)
	obj.Set(csv, "Succeeded", "status", "phase")
	if err := c.Status().Update(context.Background(), csv); err != nil {
		t.Fatal(err)
	}
	return csv
}

func TestEngine(t *testing.T) {
	cp := cptest.ForTest(t, controlplane.Options{CRDs: []string{"olm", "mce", "ocm", "assisted"}, WithControllerManager: true})
	c := playtest.Client(t, cp.Config())
	ctx := context.Background()
	playtest.Run(t, playtest.World(cp.Config()), mce.Player(), openshift.Workloads())

	installed(t, c)
	playtest.Refuses(t, c, engine("probe", map[string]any{"name": "probe", "enabled": true}))
	refused := func(err error, want string) {
		t.Helper()
		want = `admission webhook "multiclusterengines.multicluster.openshift.io" denied the request: ` + want
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the answer is %v, want %s", err, want)
		}
	}
	refused(c.Create(ctx, engine("multiclusterengine", map[string]any{"name": "hypershit", "enabled": true})), "invalid component config: hypershit is not a known component")

	m := engine("multiclusterengine", map[string]any{"name": "assisted-service", "enabled": true})
	playtest.Create(t, c, m)
	refused(c.Create(ctx, engine("second")), "invalid TargetNamespace: MultiClusterEngine with targetNamespace already exists: 'multiclusterengine'")
	playtest.Until(t, c, m, playtest.Field("Available", "status", "phase"))
	playtest.Until(t, c, obj.New(obj.Addon, "ManagedClusterAddOn", "local-cluster", "hypershift-addon"), playtest.Has(obj.Condition{Type: "Degraded", Status: "False", Reason: "HypershiftDeployed"}))
	playtest.Until(t, c, obj.New("v1", "ConfigMap", "hypershift", "supported-versions"), func(u *unstructured.Unstructured) string {
		if !strings.HasPrefix(obj.String(u, "data", "supported-versions"), `{"versions":["4.20","4.19",`) {
			return "versions are " + obj.String(u, "data", "supported-versions")
		}
		return ""
	})

	t.Run("install flags reach the operator", func(t *testing.T) {
		operator := obj.New("apps/v1", "Deployment", "hypershift", "operator")
		playtest.Until(t, c, operator, func(u *unstructured.Unstructured) string { return flagged(u, true) })
		playtest.Create(t, c, &core.ConfigMap{
			ObjectMeta: meta.ObjectMeta{Namespace: "local-cluster", Name: "hypershift-operator-install-flags"},
			Data:       map[string]string{"installFlagsToRemove": "--enable-uwm-telemetry-remote-write"},
		})
		playtest.Until(t, c, operator, func(u *unstructured.Unstructured) string { return flagged(u, false) })
		playtest.Until(t, c, operator, playtest.Has(obj.Condition{Type: "Progressing", Status: "True", Reason: "NewReplicaSetAvailable"}))
	})
	t.Run("without local hosting there is no add-on", func(t *testing.T) {
		seen, err := obj.Get(ctx, c, obj.MCE, "MultiClusterEngine", "", m.GetName())
		if err != nil {
			t.Fatal(err)
		}
		components, _, _ := unstructured.NestedSlice(seen.Object, "spec", "overrides", "components")
		for _, x := range components {
			if entry := x.(map[string]any); entry["name"] == "hypershift-local-hosting" {
				entry["enabled"] = false
			}
		}
		obj.Set(seen, components, "spec", "overrides", "components")
		if err := c.Update(ctx, seen); err != nil {
			t.Fatal(err)
		}
		playtest.Gone(t, c, obj.New(obj.Addon, "ManagedClusterAddOn", "local-cluster", "hypershift-addon"))
	})
	t.Run("is not deleted under an AgentServiceConfig", func(t *testing.T) {
		claim := map[string]any{"accessModes": []any{"ReadWriteOnce"}, "resources": map[string]any{"requests": map[string]any{"storage": "10Gi"}}}
		asc := obj.New(obj.AgentInstall, "AgentServiceConfig", "", "agent")
		obj.Set(asc, map[string]any{"databaseStorage": claim, "filesystemStorage": claim}, "spec")
		playtest.Create(t, c, asc)
		refused(c.Delete(ctx, m), "cannot delete multiclusterengine resource. Existing AgentServiceConfig resources must first be deleted")
		if err := c.Delete(ctx, asc); err != nil {
			t.Fatal(err)
		}
		if err := c.Delete(ctx, m); err != nil {
			t.Fatal(err)
		}
		playtest.Gone(t, c, m)
		playtest.Gone(t, c, obj.New("apps/v1", "Deployment", "hypershift", "operator"))
	})
}

func flagged(u *unstructured.Unstructured, want bool) string {
	containers, _, _ := unstructured.NestedSlice(u.Object, "spec", "template", "spec", "containers")
	args, _, _ := unstructured.NestedStringSlice(containers[0].(map[string]any), "args")
	if slices.Contains(args, "--enable-uwm-telemetry-remote-write") != want {
		return "arguments are " + strings.Join(args, " ")
	}
	return ""
}
