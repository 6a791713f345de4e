package destroy

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps/crd"
	"github.com/labrun/labrun/steps/kube"
)

// Agent deletes the Agents of a server whose host is gone and whose InfraEnv stays:
// assisted-service leaves them as they were, and the pool would take one for a server
// that is off.
type Agent struct {
	Host HostOutput `yaml:"host" doc:"the host"`
}

func (s Agent) host(f *labs.Facts) kube.Ref {
	return named(crd.Metal3Version, "BareMetalHost", f.ControlPlaneNamespace(), s.Host.Name)
}

// Reads the host, which somebody may have made anew, and the Agents.
func (s Agent) Reads(f *labs.Facts) []kube.Ref { return []kube.Ref{s.host(f), agents(f)} }

// left are the Agents of a host that is gone; those that are taken are bound to a
// cluster, whose they are.
func (s Agent) left(f *labs.Facts, seen kube.Seen) (left, taken []*unstructured.Unstructured) {
	if seen.Get(s.host(f)) != nil {
		return nil, nil
	}
	for _, u := range seen.List(agents(f)) {
		if u.GetLabels()[hostOfAgent] == s.Host.Name {
			left = append(left, u)
		}
	}
	taken = bound(left)
	return slices.DeleteFunc(left, func(u *unstructured.Unstructured) bool { return slices.Contains(taken, u) }), taken
}

// Objects are the Agents.
func (s Agent) Objects(f *labs.Facts, seen kube.Seen) ([]kube.Intent, error) {
	var intents []kube.Intent
	unbound, _ := s.left(f, seen)
	for _, u := range unbound {
		intents = append(intents, kube.Intent{How: kube.Delete, Object: Item{Entry: entryOf(u)}.blank(), UID: string(u.GetUID())})
	}
	return intents, nil
}

// Judge is satisfied by their end, and says which stay.
func (s Agent) Judge(f *labs.Facts, seen kube.Seen) kube.Verdict {
	if seen.Get(s.host(f)) != nil {
		return done("BareMetalHost %s is there again: its Agents are left", s.Host.Name)
	}
	_, taken := s.left(f, seen)
	if len(taken) == 0 {
		return done("no Agent of %s is left", s.Host.Name)
	}
	v := done("%s of %s left: still bound to a cluster", count(len(taken), "Agent"), s.Host.Name)
	for _, u := range taken {
		v.Warnings = append(v.Warnings, event.Report{
			Title: kube.RefTo(u).String() + " is bound to " + text(u, "spec", "clusterDeploymentName", "name") + " while its server " + s.Host.Name + " goes: a Machine and a Node of it may be left",
			Next:  "oc get " + kube.GetArguments(kube.RefTo(u)) + " -o yaml; delete the Machine that has it"})
	}
	return v
}
