package steps

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps/crd"
	"github.com/labrun/labrun/steps/kube"
	"github.com/labrun/labrun/steps/trouble"
)

// MCEEngine turns on multicluster engine's Agent and HyperShift components, in
// the MultiClusterEngine that is there under whatever name, or in a new one.
type MCEEngine struct {
	kube.Patched
	Name  string        `yaml:"name" default:"multiclusterengine" doc:"MultiClusterEngine to make, where none exists"`
	Grace labs.Duration `yaml:"grace" default:"5m" doc:"how long phase Error may stand before it is terminal: it can be transient"`
}

// MCEEngineOutputs is what runs.
type MCEEngineOutputs struct {
	Name    string `yaml:"name" doc:"name of the MultiClusterEngine"`
	Version string `yaml:"version" doc:"its version"`
}

func hypershiftAddOn() kube.Ref {
	return kube.Ref{APIVersion: "addon.open-cluster-management.io/v1alpha1", Kind: "ManagedClusterAddOn", Namespace: "local-cluster", Name: "hypershift-addon", Optional: true}
}

// wantedComponents are turned on by name; neededComponents are on by default, and
// turned on again where somebody turned them off.
func wantedComponents() []string { return []string{"assisted-service", "hypershift"} }

func neededComponents() []string {
	return []string{"hive", "local-cluster", "hypershift-local-hosting"}
}

// Reads the engines that exist, and what the components bring.
func (MCEEngine) Reads(*labs.Facts) []kube.Ref {
	return []kube.Ref{multiClusterEngines(), hypershiftAddOn()}
}

func (s MCEEngine) ref(seen kube.Seen) kube.Ref {
	ref := multiClusterEngines()
	ref.Optional, ref.Name = false, s.Name
	if found := seen.List(multiClusterEngines()); len(found) > 0 {
		ref.Name = found[0].GetName()
	}
	return ref
}

// Objects merge the components by name: their list has no key, so that an apply
// would replace it.
func (s MCEEngine) Objects(f *labs.Facts, seen kube.Seen) ([]kube.Intent, error) {
	change := func(u *unstructured.Unstructured) error {
		if u.GetResourceVersion() == "" {
			if err := unstructured.SetNestedField(u.Object, f.MCE.Namespace, "spec", "targetNamespace"); err != nil {
				return err
			}
		}
		return enableComponents(u)
	}
	return []kube.Intent{{How: kube.Merge, Object: blank(s.ref(seen)), Shared: true, Change: change}}, nil
}

// enableComponents sets the components of an engine, and leaves all others as
// they are.
func enableComponents(u *unstructured.Unstructured) error {
	path := []string{"spec", "overrides", "components"}
	list, _, err := unstructured.NestedSlice(u.Object, path...)
	if err != nil {
		return err
	}
	named := map[string]bool{}
	for _, item := range list {
		if m, ok := item.(map[string]any); ok {
			name, _ := m["name"].(string)
			named[name] = true
			if slices.Contains(wantedComponents(), name) || slices.Contains(neededComponents(), name) {
				m["enabled"] = true
			}
		}
	}
	for _, name := range wantedComponents() {
		if !named[name] {
			list = append(list, map[string]any{"name": name, "enabled": true})
		}
	}
	return unstructured.SetNestedSlice(u.Object, list, path...)
}

// Judge waits for the engine and for the HyperShift add-on of the local cluster.
func (s MCEEngine) Judge(_ *labs.Facts, seen kube.Seen) kube.Verdict {
	found := seen.List(multiClusterEngines())
	if len(found) == 0 {
		return wait(s.ref(seen), "it does not exist yet")
	}
	ref, u := s.ref(seen), found[0]
	switch phase := text(u, "status", "phase"); phase {
	case "Available":
	case "Error":
		return s.troubled(ref, u, seen)
	case "":
		return wait(ref, "the operator has not taken it up yet")
	default:
		return s.progress(ref, u, phase)
	}
	if v, ok := awaited(hypershiftAddOn(), seen.Get(hypershiftAddOn()), "Available"); !ok {
		return v
	}
	return done("MultiClusterEngine %s %s Available", u.GetName(), text(u, "status", "currentVersion"))
}

// troubled judges phase Error, which stands at least as long as the condition
// that changed last.
func (s MCEEngine) troubled(ref kube.Ref, u *unstructured.Unstructured, seen kube.Seen) kube.Verdict {
	var newest *crd.Condition
	var lines []event.Line
	for _, name := range []string{"Progressing", "Blocked", "MultiClusterEngineFailure", "ComponentFailure", "Available"} {
		c := crd.ConditionOf(u, name)
		if c == nil || c.Message == "" {
			continue
		}
		lines = append(lines, event.Line{Label: "condition", Text: condition(c)})
		if newest == nil || newest.LastTransitionTime.Before(&c.LastTransitionTime) {
			newest = c
		}
	}
	if newest == nil {
		return wait(ref, "phase Error")
	}
	v := stuck(ref, u, newest, seen, s.Grace.Duration, trouble.MCEError, look(ref))
	v.Report.Lines = append(v.Report.Lines, event.Line{Label: "seen", Text: "phase Error"})
	v.Report.Lines = append(v.Report.Lines, lines...)
	return v
}

// progress names the components that are not available yet.
func (s MCEEngine) progress(ref kube.Ref, u *unstructured.Unstructured, phase string) kube.Verdict {
	list, _, _ := unstructured.NestedSlice(u.Object, "status", "components")
	for _, item := range list {
		if m, ok := item.(map[string]any); ok && m["status"] == "False" {
			name, _ := m["name"].(string)
			why, _ := m["message"].(string)
			return wait(ref, "phase "+phase+", component "+name+" is not available: "+why)
		}
	}
	return wait(ref, "phase "+phase)
}

// Outputs name the engine.
func (s MCEEngine) Outputs(_ *labs.Facts, seen kube.Seen) MCEEngineOutputs {
	if found := seen.List(multiClusterEngines()); len(found) > 0 {
		return MCEEngineOutputs{Name: found[0].GetName(), Version: text(found[0], "status", "currentVersion")}
	}
	return MCEEngineOutputs{}
}
