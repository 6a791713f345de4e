package olm_test

import (
	"os"
	"testing"

	"github.com/labrun/labrun/internal/sim/controlplane"
	"github.com/labrun/labrun/internal/sim/controlplane/cptest"
	"github.com/labrun/labrun/internal/sim/players/obj"
	"github.com/labrun/labrun/internal/sim/players/olm"
	"github.com/labrun/labrun/internal/sim/players/playtest"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var hub = cptest.Shared{Options: controlplane.Options{CRDs: []string{"olm"}}}

func TestMain(m *testing.M) { os.Exit(hub.Main(m)) }

func group(ns, name string) *unstructured.Unstructured {
	g := obj.New(obj.OLMGroup, "OperatorGroup", ns, name)
	obj.Set(g, []any{ns}, "spec", "targetNamespaces")
	return g
}

func subscription(ns, channel, source string) *unstructured.Unstructured {
	s := obj.New(obj.OLM, "Subscription", ns, "multicluster-engine")
	obj.Set(s, map[string]any{"name": "multicluster-engine", "channel": channel, "source": source, "sourceNamespace": "openshift-marketplace"}, "spec")
	return s
}

func TestInstall(t *testing.T) {
	config := hub.Get(t).Config()
	c := playtest.Client(t, config)
	w := playtest.World(config)
	w.Registry = "127.0.0.1:5000" // disconnected
	playtest.Run(t, w, olm.Player())
	for name, image := range map[string]string{"mirrored": "registry.lab:5000/index:v4.20", "public": "registry.redhat.io/redhat/redhat-operator-index:v4.20"} {
		s := obj.New(obj.OLM, "CatalogSource", "openshift-marketplace", name)
		obj.Set(s, map[string]any{"sourceType": "grpc", "image": image}, "spec")
		playtest.Create(t, c, s)
	}
	csv := func(ns string) *unstructured.Unstructured {
		return obj.New(obj.OLM, "ClusterServiceVersion", ns, "multicluster-engine.v2.10.1")
	}
	t.Run("succeeds", func(t *testing.T) {
		ns := hub.Namespace(t, "good")
		sub := subscription(ns, "stable-2.10", "mirrored")
		playtest.Create(t, c, group(ns, "mce"), sub)
		playtest.Until(t, c, csv(ns), playtest.Field("Succeeded", "status", "phase"))
		playtest.Until(t, c, sub, playtest.Field("multicluster-engine.v2.10.1", "status", "installedCSV"))
		playtest.Create(t, c, group(ns, "second"))
		playtest.Until(t, c, csv(ns), playtest.Field("TooManyOperatorGroups", "status", "reason"))
	})
	for _, test := range []struct {
		trap, channel, source string
		want                  obj.Condition
	}{
		{"CatalogSource missing", "stable-2.10", "nowhere", obj.Condition{Type: "CatalogSourcesUnhealthy", Status: "True", Reason: "UnhealthyCatalogSourceFound", Message: "targeted catalogsource openshift-marketplace/nowhere missing"}},
		{"CatalogSource of a public registry", "stable-2.10", "public", obj.Condition{Type: "ResolutionFailed", Status: "True", Reason: "ErrorPreventedResolution"}},
		{"unknown channel", "stable-9.9", "mirrored", obj.Condition{Type: "ResolutionFailed", Status: "True", Reason: "ConstraintsNotSatisfiable"}},
	} {
		t.Run(test.trap, func(t *testing.T) {
			ns := hub.Namespace(t, "bad")
			sub := subscription(ns, test.channel, test.source)
			playtest.Create(t, c, group(ns, "mce"), sub)
			playtest.Until(t, c, sub, playtest.Has(test.want))
		})
	}
	t.Run("no OperatorGroup", func(t *testing.T) {
		ns := hub.Namespace(t, "groupless")
		sub := subscription(ns, "stable-2.10", "mirrored")
		playtest.Create(t, c, sub)
		seen := playtest.Until(t, c, sub, playtest.Field("UpgradePending", "status", "state"))
		plan := obj.New(obj.OLM, "InstallPlan", ns, obj.String(seen, "status", "installPlanRef", "name"))
		playtest.Until(t, c, plan, playtest.Has(obj.Condition{Type: "Installed", Status: "False", Reason: "InstallCheckFailed", Message: "no operator group found that is managing this namespace"}))
		playtest.Create(t, c, group(ns, "mce"))
		playtest.Until(t, c, csv(ns), playtest.Field("Succeeded", "status", "phase"))
	})
	t.Run("manual approval", func(t *testing.T) {
		ns := hub.Namespace(t, "manual")
		sub := subscription(ns, "stable-2.9", "mirrored")
		obj.Set(sub, "Manual", "spec", "installPlanApproval")
		playtest.Create(t, c, group(ns, "mce"), sub)
		seen := playtest.Until(t, c, sub, playtest.Has(obj.Condition{Type: "InstallPlanPending", Status: "True", Reason: "RequiresApproval"}))
		var plan client.Object = obj.New(obj.OLM, "InstallPlan", ns, obj.String(seen, "status", "installPlanRef", "name"))
		playtest.Patch(t, c, plan, `{"spec":{"approved":true}}`)
		playtest.Until(t, c, obj.New(obj.OLM, "ClusterServiceVersion", ns, "multicluster-engine.v2.9.2"), playtest.Field("Succeeded", "status", "phase"))
	})
}

// The failure that --fail catalog-unreachable asks for.
func TestNoCatalogAnswers(t *testing.T) {
	config := hub.Get(t).Config()
	c := playtest.Client(t, config)
	w := playtest.World(config)
	w.Faults["catalog-unreachable"] = true
	playtest.Run(t, w, olm.Player())
	s := obj.New(obj.OLM, "CatalogSource", "openshift-marketplace", "silent")
	obj.Set(s, map[string]any{"sourceType": "grpc", "image": "registry.lab:5000/index:v4.20"}, "spec")
	playtest.Create(t, c, s)
	ns := hub.Namespace(t, "unreachable")
	sub := subscription(ns, "stable-2.10", "silent")
	playtest.Create(t, c, group(ns, "mce"), sub)
	playtest.Until(t, c, s, playtest.Field("TRANSIENT_FAILURE", "status", "connectionState", "lastObservedState"))
	playtest.Until(t, c, sub, playtest.Has(obj.Condition{Type: "CatalogSourcesUnhealthy", Status: "True", Reason: "UnhealthyCatalogSourceFound", Message: "targeted catalogsource openshift-marketplace/silent unhealthy"}))
	playtest.Until(t, c, sub, playtest.Has(obj.Condition{Type: "ResolutionFailed", Status: "True", Reason: "ErrorPreventedResolution"}))
}
