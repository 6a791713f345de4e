package steps

import (
	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/steps/kube"
)

// Namespaces makes the namespace of the HostedCluster, which labs may share, and
// the one of its control plane.
type Namespaces struct{ kube.Patched }

// NamespacesOutputs names the namespaces.
type NamespacesOutputs struct {
	Cluster      string `yaml:"cluster" doc:"namespace of the HostedCluster"`
	ControlPlane string `yaml:"control_plane" doc:"namespace of its control plane, agents and hosts"`
}

// Objects are the two namespaces.
func (Namespaces) Objects(f *labs.Facts, _ kube.Seen) ([]kube.Intent, error) {
	return []kube.Intent{
		{Object: namespaceObject(f.Hosted.Namespace), Shared: true},
		{Object: namespaceObject(f.ControlPlaneNamespace())},
	}, nil
}

// Judge refuses a namespace that is being deleted: what is put in would go too.
func (s Namespaces) Judge(f *labs.Facts, seen kube.Seen) kube.Verdict {
	for _, name := range []string{f.Hosted.Namespace, f.ControlPlaneNamespace()} {
		ref := kube.Ref{APIVersion: "v1", Kind: "Namespace", Name: name}
		switch u := seen.Get(ref); {
		case u == nil:
			return wait(ref, "it does not exist yet")
		case u.GetDeletionTimestamp() != nil:
			return wait(ref, "it is being deleted since "+u.GetDeletionTimestamp().UTC().Format("15:04:05"))
		}
	}
	return done("%s, %s", f.Hosted.Namespace, f.ControlPlaneNamespace())
}

// Outputs name the namespaces.
func (Namespaces) Outputs(f *labs.Facts, _ kube.Seen) NamespacesOutputs {
	return NamespacesOutputs{Cluster: f.Hosted.Namespace, ControlPlane: f.ControlPlaneNamespace()}
}
