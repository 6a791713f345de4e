package destroy

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/labs"
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
	ref := named(crd.Metal3Version, "BareMetalHost", f.ControlPlaneNamespace(), s.Host.Name)
	ref.Optional = true
	return ref
}

// Reads the host, which somebody may have made anew, and the Agents.
func (s Agent) Reads(f *labs.Facts) []kube.Ref { return []kube.Ref{s.host(f), agents(f)} }

// left are the Agents of a host that is gone. One that is bound is its cluster's.
func (s Agent) left(f *labs.Facts, seen kube.Seen) []*unstructured.Unstructured {
	if seen.Get(s.host(f)) != nil {
		return nil
	}
	var left []*unstructured.Unstructured
	for _, u := range seen.List(agents(f)) {
		if u.GetLabels()[hostOfAgent] == s.Host.Name && text(u, "spec", "clusterDeploymentName", "name") == "" {
			left = append(left, u)
		}
	}
	return left
}

// Objects are the Agents.
func (s Agent) Objects(f *labs.Facts, seen kube.Seen) ([]kube.Intent, error) {
	var intents []kube.Intent
	for _, u := range s.left(f, seen) {
		intents = append(intents, kube.Intent{How: kube.Delete, Object: Item{Entry: entryOf(u)}.blank(), UID: string(u.GetUID())})
	}
	return intents, nil
}

// Judge is satisfied by their end.
func (s Agent) Judge(*labs.Facts, kube.Seen) kube.Verdict {
	return done("no Agent of %s is left", s.Host.Name)
}
