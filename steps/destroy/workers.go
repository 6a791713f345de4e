package destroy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps/crd"
	"github.com/labrun/labrun/steps/kube"
)

// ManagedCluster detaches the hosted cluster from multicluster engine.
type ManagedCluster struct{ inventoried }

func managedCluster(f *labs.Facts) kube.Ref {
	return named("cluster.open-cluster-management.io/v1", "ManagedCluster", "", f.Hosted.Name)
}

// Reads what was imported.
func (ManagedCluster) Reads(f *labs.Facts) []kube.Ref { return []kube.Ref{managedCluster(f)} }

// Objects are the ManagedCluster that the hypershift add-on imported by itself, where
// the HostedCluster is to go.
func (ManagedCluster) Objects(f *labs.Facts, seen kube.Seen) ([]kube.Intent, error) {
	u := imported(f, seen)
	if u == nil {
		return nil, nil
	}
	return []kube.Intent{{How: kube.Delete, Object: Item{Entry: entryOf(u)}.blank(), UID: string(u.GetUID())}}, nil
}

// imported is the ManagedCluster that is to go, nil for none.
func imported(f *labs.Facts, seen kube.Seen) *unstructured.Unstructured {
	u := seen.Get(managedCluster(f))
	hc, ok := find(Items(f.Name, seen), hostedCluster(f))
	if u == nil || !ok || hc.Fate != Doomed || u.GetAnnotations()[createdVia] != "hypershift" {
		return nil
	}
	return u
}

func entryOf(u *unstructured.Unstructured) kube.Entry {
	return kube.Entry{APIVersion: u.GetAPIVersion(), Kind: u.GetKind(), Namespace: u.GetNamespace(), Name: u.GetName()}
}

// Judge says why one is left.
func (ManagedCluster) Judge(f *labs.Facts, seen kube.Seen) kube.Verdict {
	switch u := seen.Get(managedCluster(f)); {
	case u == nil:
		return done("none is there")
	case u.GetAnnotations()[createdVia] != "hypershift":
		return done("ManagedCluster %s is left: it was not imported by the hypershift add-on (%s is %q)", u.GetName(), createdVia, u.GetAnnotations()[createdVia])
	}
	return done("ManagedCluster %s goes with its HostedCluster", f.Hosted.Name)
}

// freed waits until Machines and AgentMachines are gone and Agents unbound.
func freed(f *labs.Facts, machines, agentMachines, agents []*unstructured.Unstructured, end string) kube.Verdict {
	if len(machines)+len(agentMachines)+len(agents) == 0 {
		return done("%s", end)
	}
	v := kube.Verdict{Report: event.Report{
		Title: fmt.Sprintf("left in %s: %s, %s, %s", f.ControlPlaneNamespace(), count(len(machines), "Machine"), count(len(agentMachines), "AgentMachine"), count(len(agents), "bound Agent")),
		Next:  "oc get -n " + f.ControlPlaneNamespace() + " machines.cluster.x-k8s.io,agentmachines.capi-provider.agent-install.openshift.io,agents.agent-install.openshift.io",
	}}
	for _, u := range slices.Concat(machines, agentMachines, agents) {
		line := kube.RefTo(u).String()
		if phase := text(u, "status", "phase"); phase != "" {
			line += ", " + phase
		}
		if state := text(u, "status", "debugInfo", "state"); state != "" {
			line += ", " + state
		}
		if since := u.GetDeletionTimestamp(); since != nil {
			line += ", deleted at " + since.UTC().Format("15:04:05")
		}
		if held := u.GetFinalizers(); len(held) > 0 && u.GetDeletionTimestamp() != nil {
			line += ", held by " + strings.Join(held, ", ")
		}
		v.Report.Lines = append(v.Report.Lines, event.Line{Label: "seen", Text: line})
	}
	return v
}

// bound are the Agents that a cluster has.
func bound(agents []*unstructured.Unstructured) []*unstructured.Unstructured {
	return slices.DeleteFunc(slices.Clone(agents), func(u *unstructured.Unstructured) bool {
		return text(u, "spec", "clusterDeploymentName", "name") == ""
	})
}

// Host deletes one BareMetalHost. The entry stays: the server behind it has yet to be
// switched off.
type Host struct {
	inventoried
	Host HostOutput `yaml:"host" doc:"the host"`
}

// Reads the Agents, of which one may be this host's.
func (Host) Reads(f *labs.Facts) []kube.Ref { return []kube.Ref{agents(f)} }

func (s Host) item(f *labs.Facts, seen kube.Seen) (Item, bool) {
	return find(Items(f.Name, seen), named(crd.Metal3Version, "BareMetalHost", f.ControlPlaneNamespace(), s.Host.Name))
}

// Objects are the host, once Metal3 has it again: it neither powers off nor cleans a
// detached one. assisted-service gives it back once its Agent is unbound; a host
// whose Agent is gone nobody gives back, and its server is switched off all the same.
func (s Host) Objects(f *labs.Facts, seen kube.Seen) ([]kube.Intent, error) {
	i, ok := s.item(f, seen)
	if !ok || i.Fate != Doomed {
		return nil, nil
	}
	u := seen.Get(i.Ref())
	value, is := u.GetAnnotations()[detached]
	if is && u.GetDeletionTimestamp() == nil && agentOf(seen.List(agents(f)), u.GetName()) != nil {
		return nil, &kube.NotYet{Report: event.Report{
			Title: i.Ref().String() + " is detached: Metal3 would neither power it off nor clean it",
			Lines: []event.Line{{Label: "seen", Text: "annotation " + detached + ": " + value}},
			Next:  "assisted-service takes the annotation off once the Agent is unbound: oc get " + kube.GetArguments(kube.RefTo(agentOf(seen.List(agents(f)), u.GetName())))}}
	}
	note, err := json.Marshal(s.Host) // an undo that is cut off here switches off this very server
	if err != nil {
		return nil, err
	}
	return []kube.Intent{{How: kube.Delete, Object: i.blank(), UID: i.UID, Enter: true, Note: note}}, nil
}

func agentOf(agents []*unstructured.Unstructured, host string) *unstructured.Unstructured {
	for _, u := range agents {
		if u.GetLabels()[hostOfAgent] == host {
			return u
		}
	}
	return nil
}

// Judge is satisfied by the end of the host.
func (s Host) Judge(f *labs.Facts, seen kube.Seen) kube.Verdict {
	if i, ok := s.item(f, seen); ok && i.Fate == Left {
		return done("%s is left: %s", i.Ref(), i.Why)
	}
	return done("BareMetalHost %s/%s is gone", f.ControlPlaneNamespace(), s.Host.Name)
}
