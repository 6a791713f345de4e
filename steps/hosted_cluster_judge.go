package steps

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps/crd"
	"github.com/labrun/labrun/steps/kube"
	"github.com/labrun/labrun/steps/trouble"
)

// HostedCluster makes the HostedCluster and waits for its control plane, which
// comes up without workers.
type HostedCluster struct {
	kube.Patched
	Grace labs.Duration `yaml:"grace" default:"2m" doc:"how long a refusal that HyperShift re-tests may stand before it is terminal"`
}

// operatorLog shows what HyperShift says where it sets no condition.
const operatorLog = "oc logs -n hypershift deployment/operator"

// HostedClusterOutputs is where the control plane is found.
type HostedClusterOutputs struct {
	IgnitionEndpoint string `yaml:"ignition_endpoint" doc:"where workers fetch their ignition"`
	Version          string `yaml:"version" doc:"version that is being rolled out"`
}

// Judge waits for Available and the ignition endpoint, and knows the conditions
// by which HyperShift refuses a HostedCluster.
func (s HostedCluster) Judge(f *labs.Facts, seen kube.Seen) kube.Verdict {
	ref := hostedClusterRef(f)
	u := seen.Get(ref)
	if u == nil {
		return wait(ref, "it does not exist yet")
	}
	if v, refused := s.refused(f, ref, u, seen); refused {
		return v
	}
	available := crd.ConditionOf(u, "Available")
	if !available.Is("True") {
		return s.unavailable(f, ref, u, available, seen)
	}
	for _, name := range append([]string{"Available"}, refusals()...) {
		if c := crd.ConditionOf(u, name); c != nil && stale(u, c) {
			return outdated(ref, u, c)
		}
	}
	endpoint := text(u, "status", "ignitionEndpoint")
	if endpoint == "" {
		return wait(ref, "Available, but status.ignitionEndpoint is not set yet")
	}
	return done("HostedCluster %s Available, ignition at %s", f.Hosted.Name, endpoint)
}

// refusals are the conditions by which HyperShift refuses a HostedCluster.
func refusals() []string {
	return []string{"ValidConfiguration", "SupportedHostedCluster", "ValidReleaseImage"}
}

// refused judges the conditions that stand False where the lab's facts are wrong.
func (s HostedCluster) refused(f *labs.Facts, ref kube.Ref, u *unstructured.Unstructured, seen kube.Seen) (kube.Verdict, bool) {
	for _, name := range refusals() {
		if c := crd.ConditionOf(u, name); c.Is("False") {
			return stuck(ref, u, c, seen, s.Grace.Duration, refusal(c), mendOf(f, u, c)), true
		}
	}
	return kube.Verdict{}, false
}

// mendOf is what to do about a condition that stands False.
func mendOf(f *labs.Facts, u *unstructured.Unstructured, c *crd.Condition) string {
	switch {
	case c.Type != "ValidReleaseImage":
		return "mend what the message names in the lab file, then run again"
	case refusal(c) == trouble.RegistryAuth && f.Disconnected:
		return "renew the login in the pull secret, then run again: podman login --authfile " + pullSecretFile(f) + " " + f.Registry.Address()
	}
	mirrors := ""
	if f.Disconnected {
		mirrors = " that the hub's ImageDigestMirrorSets have mirrors for the release's sources (oc get imagedigestmirrorset -o yaml),"
	}
	return "check lab.release.image, that the mirror holds it," + mirrors + " and that the pull secret has its registry: oc adm release info -a " + pullSecretFile(f) + " " + text(u, "spec", "release", "image")
}

// pullSecretFile is the file of the lab's pull secret as it is typed.
func pullSecretFile(f *labs.Facts) string {
	if f.PullSecret.File != "" {
		return string(f.PullSecret.File)
	}
	return "PULL_SECRET"
}

// refusal names the trouble of a condition that stands False.
func refusal(c *crd.Condition) trouble.ID {
	switch {
	case c.Type != "ValidReleaseImage":
		return trouble.InvalidConfiguration
	case c.Reason == "SecretNotFound":
		return trouble.SecretUnusable
	case strings.Contains(strings.ToLower(c.Message), "unauthorized"), strings.Contains(c.Message, "401"):
		return trouble.RegistryAuth
	}
	return trouble.InvalidRelease
}

// unavailable says what stands in the way: what blocks is shown at once, then
// the part of the control plane that is missing.
func (s HostedCluster) unavailable(f *labs.Facts, ref kube.Ref, u *unstructured.Unstructured, available *crd.Condition, seen kube.Seen) kube.Verdict {
	v := known(pending(ref, "Available", available), trouble.NeverAvailable)
	if available == nil && len(conditionsOf(u)) == 0 {
		v = wait(ref, "HyperShift has not taken it up: no condition is set")
		v.Report.Next = operatorLog
		return known(v, trouble.HyperShiftSilent)
	}
	v = blocked(v, u)
	if c := crd.ConditionOf(u, "ReconciliationSucceeded"); c.Is("False") {
		v.Report.Lines = append(v.Report.Lines, event.Line{Label: "reconcile", Text: c.Message})
		v = known(v, trouble.Blocked)
	}
	for _, part := range []string{"EtcdAvailable", "KubeAPIServerAvailable", "InfrastructureReady", "IgnitionEndpointAvailable"} {
		if c := crd.ConditionOf(u, part); c.Is("False") && c.Message != "" {
			v.Report.Lines = append(v.Report.Lines, event.Line{Label: "part", Text: condition(c)})
			break
		}
	}
	return deeper(f, v, seen)
}

// blocked adds why HyperShift does not roll out what the spec asks for.
func blocked(v kube.Verdict, u *unstructured.Unstructured) kube.Verdict {
	c := crd.ConditionOf(u, "Progressing")
	if !c.Is("False") || c.Reason != "Blocked" {
		return v
	}
	v.Report.Lines = append(v.Report.Lines, event.Line{Label: "blocked", Text: c.Message})
	return known(v, trouble.Blocked)
}

func conditionsOf(u *unstructured.Unstructured) []any {
	list, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	return list
}

// Outputs say where the control plane is.
func (HostedCluster) Outputs(f *labs.Facts, seen kube.Seen) HostedClusterOutputs {
	u := seen.Get(hostedClusterRef(f))
	return HostedClusterOutputs{IgnitionEndpoint: text(u, "status", "ignitionEndpoint"), Version: f.Release.Version}
}
