package site

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps/kube"
	"github.com/labrun/labrun/steps/trouble"
)

// Prerequisite is a definition that a management cluster has before labrun begins, and who brings it.
type Prerequisite struct{ Definition, From string }

// Prerequisites lists them.
func Prerequisites() []Prerequisite {
	return []Prerequisite{
		{"baremetalhosts.metal3.io", "the baremetal operator"},
		{"provisionings.metal3.io", "the baremetal operator"},
		{"subscriptions.operators.coreos.com", "the Operator Lifecycle Manager"},
		{"clusterserviceversions.operators.coreos.com", "the Operator Lifecycle Manager"},
	}
}

func askHub(ctx context.Context, s Site) finding {
	const build = "build the management cluster, or name its kubeconfig: --kubeconfig FILE, or lab.management_cluster.kubeconfig"
	if _, err := os.Stat(s.Kubeconfig); errors.Is(err, os.ErrNotExist) {
		return unknown(build, "there is no kubeconfig %s", s.Kubeconfig)
	}
	hub, err := s.Hub(ctx)
	if err != nil {
		return fail("", "%v", err)
	}
	_, err = hub.May(ctx, everything())
	switch {
	case err == nil:
		return pass("%s answers and accepts the user", hub.Host())
	case codeOf(err) == trouble.ServerSilent || ctx.Err() != nil:
		return unknown("see that the API server runs and can be reached from here; "+build, "%s does not answer: %s", hub.Host(), reason(cause(err)))
	}
	return clusterFailed(err)
}

// cause is what stands at the bottom of a report.
func cause(err error) error {
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return err
}

func codeOf(err error) trouble.ID {
	var told event.Reporter
	if errors.As(err, &told) {
		return trouble.ID(told.Tell().Code)
	}
	return ""
}

// clusterFailed tells what the cluster answered.
func clusterFailed(err error) finding {
	var told event.Reporter
	if !errors.As(err, &told) {
		return fail("", "%v", err)
	}
	r := told.Tell()
	seen := r.Title
	for _, l := range r.Lines {
		seen += "; " + l.Text
	}
	return fail(r.Next, "%s", seen)
}

// look reads what references find on the hub.
func (s Site) look(ctx context.Context, refs ...kube.Ref) (kube.Seen, error) {
	hub, err := s.Hub(ctx)
	if err != nil {
		return kube.Seen{}, err
	}
	return hub.Look(ctx, refs...)
}

func askVersion(ctx context.Context, s Site) finding {
	ref := kube.Ref{APIVersion: "config.openshift.io/v1", Kind: "ClusterVersion", Name: "version", Optional: true}
	seen, err := s.look(ctx, ref)
	if err != nil {
		return clusterFailed(err)
	}
	u := seen.Get(ref)
	if u == nil {
		return fail("", "there is no ClusterVersion version: this is no OpenShift")
	}
	history, _, _ := unstructured.NestedSlice(u.Object, "status", "history")
	for _, h := range history {
		if entry, ok := h.(map[string]any); ok && entry["state"] == "Completed" {
			return pass("OpenShift %v", entry["version"])
		}
	}
	return fail("let the installation finish: oc get clusterversion", "no version of ClusterVersion version is completed yet")
}

func askCRDs(ctx context.Context, s Site) finding {
	var missing, from []string
	for _, p := range Prerequisites() {
		ref := kube.Ref{APIVersion: "apiextensions.k8s.io/v1", Kind: "CustomResourceDefinition", Name: p.Definition}
		seen, err := s.look(ctx, ref)
		if err != nil {
			return clusterFailed(err)
		}
		if seen.Get(ref) == nil {
			missing = append(missing, p.Definition)
			from = append(from, p.From)
		}
	}
	if len(missing) == 0 {
		return pass("all %d are there", len(Prerequisites()))
	}
	return fail("enable "+strings.Join(slices.Compact(from), " and ")+" of the management cluster (a capability of its installation): oc get clusterversion version -o yaml",
		"missing: %s", strings.Join(missing, ", "))
}

func askStorageClass(ctx context.Context, s Site) finding {
	ref := kube.Ref{APIVersion: "storage.k8s.io/v1", Kind: "StorageClass"}
	seen, err := s.look(ctx, ref)
	if err != nil {
		return clusterFailed(err)
	}
	var names, defaults []string
	for _, u := range seen.List(ref) {
		names = append(names, u.GetName())
		if u.GetAnnotations()["storageclass.kubernetes.io/is-default-class"] == "true" {
			defaults = append(defaults, u.GetName())
		}
	}
	there := "the cluster has no storage class"
	if len(names) > 0 {
		there = "the cluster has " + strings.Join(names, ", ")
	}
	for _, asked := range []struct{ fact, name string }{
		{"lab.hosted_cluster.storage_class", s.Facts.Hosted.StorageClass}, {"lab.agent_service.storage_class", s.Facts.AgentService.StorageClass},
	} {
		switch {
		case asked.name != "" && !slices.Contains(names, asked.name):
			return fail("", "there is no storage class %s (%s); %s", asked.name, asked.fact, there)
		case asked.name == "" && len(defaults) == 0:
			return fail("", "no storage class is the default, and %s names none; %s", asked.fact, there)
		}
	}
	if len(defaults) > 1 {
		return warn("leave the annotation storageclass.kubernetes.io/is-default-class on one", "%s are all the default: the newest is taken", strings.Join(defaults, ", "))
	}
	return pass("%s", there)
}

func askWatchAll(ctx context.Context, s Site) finding {
	ref := kube.Ref{APIVersion: "metal3.io/v1alpha1", Kind: "Provisioning", Name: "provisioning-configuration", Optional: true}
	seen, err := s.look(ctx, ref)
	if err != nil {
		return clusterFailed(err)
	}
	u := seen.Get(ref)
	if u == nil {
		return pass("there is no Provisioning yet: a run makes it")
	}
	if on, _, _ := unstructured.NestedBool(u.Object, "spec", "watchAllNamespaces"); on {
		return pass("true")
	}
	return warn("", "spec.watchAllNamespaces of Provisioning provisioning-configuration is not true: a run sets it, and Metal3 restarts")
}

// internalAddresses are those of a Node by which others in its network reach it.
func internalAddresses(node *unstructured.Unstructured) []string {
	var all []string
	list, _, _ := unstructured.NestedSlice(node.Object, "status", "addresses")
	for _, item := range list {
		if entry, ok := item.(map[string]any); ok && entry["type"] == "InternalIP" {
			if text, ok := entry["address"].(string); ok {
				all = append(all, text)
			}
		}
	}
	return all
}
