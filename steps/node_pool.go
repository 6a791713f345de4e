package steps

import (
	"strings"

	"github.com/openshift/hypershift/api/hypershift/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/steps/crd"
	"github.com/labrun/labrun/steps/kube"
	"github.com/labrun/labrun/steps/trouble"
)

// NodePool makes the pool of workers, empty: it is scaled once their Agents are
// ready. Its replicas are set by the first create alone, and moved by Scale.
type NodePool struct {
	kube.Patched
	AgentLabels map[string]string `yaml:"agent_labels,omitempty" doc:"labels that an Agent must have to be taken"`
}

func nodePool(f *labs.Facts) kube.Ref {
	return kube.Ref{APIVersion: hyperShiftVersion, Kind: "NodePool", Namespace: f.Hosted.Namespace, Name: f.Hosted.Name}
}

// nodePoolArch maps the workers' architecture to HyperShift's name for it.
func nodePoolArch(arch string) string {
	if arch == "aarch64" {
		return "arm64"
	}
	return "amd64"
}

// Objects are the NodePool.
func (s NodePool) Objects(f *labs.Facts, _ kube.Seen) ([]kube.Intent, error) {
	platform := &v1beta1.AgentNodePoolPlatform{}
	if len(s.AgentLabels) > 0 {
		platform.AgentLabelSelector = &metav1.LabelSelector{MatchLabels: s.AgentLabels}
	}
	pool := &v1beta1.NodePool{
		TypeMeta:   typeMeta(hyperShiftVersion, "NodePool"),
		ObjectMeta: meta(f.Hosted.Namespace, f.Hosted.Name),
		Spec: v1beta1.NodePoolSpec{
			ClusterName:      f.Hosted.Name,
			Release:          v1beta1.Release{Image: f.Release.Image},
			Platform:         v1beta1.NodePoolPlatform{Type: v1beta1.AgentPlatform, Agent: platform},
			Management:       v1beta1.NodePoolManagement{UpgradeType: v1beta1.UpgradeTypeInPlace},
			NodeDrainTimeout: &metav1.Duration{Duration: f.Hosted.NodeDrainTimeout.Duration},
			Arch:             nodePoolArch(f.Release.Arch),
		},
	}
	empty := func(u *unstructured.Unstructured) error {
		return unstructured.SetNestedField(u.Object, int64(0), "spec", "replicas")
	}
	return []kube.Intent{{Object: pool, Initial: empty}}, nil
}

// Judge waits until HyperShift has taken the pool up.
func (NodePool) Judge(f *labs.Facts, seen kube.Seen) kube.Verdict {
	ref := nodePool(f)
	u := seen.Get(ref)
	if u == nil {
		return wait(ref, "it does not exist yet")
	}
	if len(conditionsOf(u)) == 0 {
		v := wait(ref, "HyperShift has not taken it up: no condition is set")
		v.Report.Next = operatorLog
		return known(v, trouble.HyperShiftSilent)
	}
	for _, name := range []string{"ValidReleaseImage", "ValidArchPlatform", "ValidMachineConfig"} {
		if c := crd.ConditionOf(u, name); c.Is("False") {
			v := pending(ref, name, c)
			if name == "ValidReleaseImage" && strings.Contains(c.Message, "the latest version supported is") {
				v.Report.Next = "HyperShift takes a NodePool of a new minor version only once the HostedCluster has completed it: wait until " + look(hostedClusterRef(f)) + " has it Completed in status.version.history, then labrun run LAB --from node_pool"
			}
			return known(v, trouble.NodePoolRefused)
		}
	}
	return done("%s", what(ref))
}

// Scale gives the pool its workers. It never takes one away.
type Scale struct {
	Replicas int `yaml:"replicas" doc:"number of workers whose Agents are ready"`
}

// Reads the pool as it is.
func (Scale) Reads(f *labs.Facts) []kube.Ref { return []kube.Ref{nodePool(f)} }

// Objects are one field of the NodePool.
func (s Scale) Objects(f *labs.Facts, seen kube.Seen) ([]kube.Intent, error) {
	u := blank(nodePool(f))
	if err := unstructured.SetNestedField(u.Object, s.wanted(f, seen), "spec", "replicas"); err != nil {
		return nil, err
	}
	return []kube.Intent{{Object: u, Partial: true, Force: true}}, nil
}

func (s Scale) wanted(f *labs.Facts, seen kube.Seen) int64 {
	return max(int64(s.Replicas), number(seen.Get(nodePool(f)), "spec", "replicas"))
}

// Judge is satisfied by the field: the Agents tell how the workers join.
func (s Scale) Judge(f *labs.Facts, seen kube.Seen) kube.Verdict {
	return done("NodePool %s at %s", f.Hosted.Name, count(int(s.wanted(f, seen)), "worker"))
}
