package destroy

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps/crd"
	"github.com/labrun/labrun/steps/kube"
)

const (
	hyperShift = "hypershift.openshift.io/v1beta1"
	clusterAPI = "cluster.x-k8s.io/v1beta1"
	agentAPI   = "capi-provider.agent-install.openshift.io/v1beta1"

	hostOfAgent  = "agent-install.openshift.io/bmh"   // label of an Agent: its BareMetalHost
	machineOf    = "agentMachineRef"                  // label of an Agent: the UID of its AgentMachine
	detached     = "baremetalhost.metal3.io/detached" // Metal3 does nothing with such a host
	deleteFirst  = "cluster.x-k8s.io/delete-machine"  // marks the Machine that a smaller pool loses
	keepsPlane   = "hypershift.openshift.io/skip-delete-hosted-controlplane-namespace"
	createdVia   = "open-cluster-management/created-via" // of a ManagedCluster: who imported it
	drainDefault = "10m0s"
)

func named(apiVersion, kind, namespace, name string) kube.Ref {
	return kube.Ref{APIVersion: apiVersion, Kind: kind, Namespace: namespace, Name: name, Optional: true}
}

func every(apiVersion, kind, namespace string) kube.Ref {
	return kube.Ref{APIVersion: apiVersion, Kind: kind, Namespace: namespace, Optional: true}
}

func hostedCluster(f *labs.Facts) kube.Ref {
	return named(hyperShift, "HostedCluster", f.Hosted.Namespace, f.Hosted.Name)
}
func nodePools(f *labs.Facts) kube.Ref { return every(hyperShift, "NodePool", f.Hosted.Namespace) }
func machines(f *labs.Facts) kube.Ref {
	return every(clusterAPI, "Machine", f.ControlPlaneNamespace())
}
func agentMachines(f *labs.Facts) kube.Ref {
	return every(agentAPI, "AgentMachine", f.ControlPlaneNamespace())
}
func agents(f *labs.Facts) kube.Ref {
	return every(crd.AgentInstallVersion, "Agent", f.ControlPlaneNamespace())
}
func planeNamespace(f *labs.Facts) kube.Ref {
	return named("v1", "Namespace", "", f.ControlPlaneNamespace())
}

// inventoried is embedded in the steps that look into the inventories and read all
// that these name.
type inventoried struct{}

// LooksIntoInventory says so.
func (inventoried) LooksIntoInventory() {}

// Follows are the objects that the inventories hold.
func (inventoried) Follows(_ *labs.Facts, seen kube.Seen) []kube.Ref {
	var refs []kube.Ref
	for _, entries := range [][]kube.Entry{seen.Entries(), seen.SharedEntries()} {
		for _, e := range entries {
			if e.Cluster == "" {
				refs = append(refs, e.Ref())
			}
		}
	}
	return refs
}

// find gives the item of an object's reference, false where no inventory holds it.
func find(items []Item, ref kube.Ref) (Item, bool) {
	for _, i := range items {
		if i.Entry.Kind == ref.Kind && i.Entry.Namespace == ref.Namespace && i.Entry.Name == ref.Name && i.Entry.Cluster == "" {
			return i, true
		}
	}
	return Item{}, false
}

func text(u *unstructured.Unstructured, path ...string) string {
	if u == nil {
		return ""
	}
	s, _, _ := unstructured.NestedString(u.Object, path...)
	return s
}

func done(format string, args ...any) kube.Verdict {
	return kube.Verdict{State: kube.Done, Summary: fmt.Sprintf(format, args...)}
}

func wait(title, seen, next string) kube.Verdict {
	return kube.Verdict{Report: event.Report{Title: title, Lines: []event.Line{{Label: "seen", Text: seen}}, Next: next}}
}

// count writes a number with its noun: 1 object, 3 objects.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func flag(u *unstructured.Unstructured, path ...string) bool {
	b, _, _ := unstructured.NestedBool(u.Object, path...)
	return b
}
