package steps

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/steps/kube"
	"github.com/labrun/labrun/steps/trouble"
)

const telemetryFlag = "--enable-uwm-telemetry-remote-write"

// InstallFlags takes the telemetry flag out of the HyperShift operator where it
// needs to: without Secret telemeter-client, which a disconnected hub lacks, and
// one whose pull secret has no cloud.openshift.com, an operator that has the flag
// does nothing with HostedClusters, and says nothing.
type InstallFlags struct{ kube.Patched }

func installFlags() kube.Ref {
	return configMapRef("local-cluster", "hypershift-operator-install-flags")
}

// Reads the flags that are removed already, and what the flag needs.
func (InstallFlags) Reads(*labs.Facts) []kube.Ref {
	return []kube.Ref{installFlags(), telemeterClient()}
}

// stays says whether the flag does no harm.
func (InstallFlags) stays(f *labs.Facts, seen kube.Seen) bool {
	return !f.Disconnected && seen.Get(telemeterClient()) != nil
}

// Objects add the flag to those that the add-on leaves out.
func (s InstallFlags) Objects(f *labs.Facts, seen kube.Seen) ([]kube.Intent, error) {
	if s.stays(f, seen) {
		return nil, nil
	}
	change := func(u *unstructured.Unstructured) error {
		flags := strings.Fields(text(u, "data", "installFlagsToRemove"))
		if slices.Contains(flags, telemetryFlag) {
			return nil
		}
		return unstructured.SetNestedField(u.Object, strings.Join(append(flags, telemetryFlag), " "), "data", "installFlagsToRemove")
	}
	return []kube.Intent{{How: kube.Merge, Object: blank(installFlags()), Shared: true, Change: change}}, nil
}

// Judge is satisfied by the ConfigMap; HyperShiftOperator sees what becomes of it.
func (s InstallFlags) Judge(f *labs.Facts, seen kube.Seen) kube.Verdict {
	if s.stays(f, seen) {
		return done("%s stays: %s is there", telemetryFlag, what(telemeterClient()))
	}
	return done("%s is left out", telemetryFlag)
}

// HyperShiftOperator waits for the operator, and refuses one that would ignore
// HostedClusters or does not support the lab's release.
type HyperShiftOperator struct{}

// HyperShiftOperatorOutputs is what the operator supports.
type HyperShiftOperatorOutputs struct {
	Supported []string `yaml:"supported" doc:"minor versions that hosted clusters may have"`
}

func hypershiftOperator() kube.Ref { return deploymentRef("hypershift", "operator") }

func supportedVersions() kube.Ref { return configMapRef("hypershift", "supported-versions") }

func telemeterClient() kube.Ref { return secretRef("openshift-monitoring", "telemeter-client") }

// Reads the operator and what it publishes of itself.
func (HyperShiftOperator) Reads(*labs.Facts) []kube.Ref {
	return []kube.Ref{hypershiftOperator(), supportedVersions(), telemeterClient(),
		crdRef("hostedclusters.hypershift.openshift.io"), crdRef("nodepools.hypershift.openshift.io")}
}

// Objects are none: MCE installs the operator.
func (HyperShiftOperator) Objects(*labs.Facts, kube.Seen) ([]kube.Intent, error) { return nil, nil }

// Judge follows the operator's roll-out.
func (s HyperShiftOperator) Judge(f *labs.Facts, seen kube.Seen) kube.Verdict {
	for _, name := range []string{"hostedclusters.hypershift.openshift.io", "nodepools.hypershift.openshift.io"} {
		if v, ok := awaited(crdRef(name), seen.Get(crdRef(name)), "Established"); !ok {
			return v
		}
	}
	if ok, v := rolledOut(seen, hypershiftOperator()); !ok {
		return v
	}
	if seen.Get(telemeterClient()) == nil && hasArgument(seen.Get(hypershiftOperator()), telemetryFlag) {
		v := wait(hypershiftOperator(), "its argument "+telemetryFlag+" makes it ignore HostedClusters, because "+what(telemeterClient())+" is missing")
		v.Report.Next = what(installFlags()) + " takes the argument out, with the key installFlagsToRemove: step hypershift/install-flags sets it"
		return known(v, trouble.TelemetryFlag)
	}
	return s.supports(f, seen)
}

func (s HyperShiftOperator) supports(f *labs.Facts, seen kube.Seen) kube.Verdict {
	supported := s.Outputs(f, seen).Supported
	if len(supported) == 0 {
		return wait(supportedVersions(), "it lists no versions yet")
	}
	minor := minorOf(f.Release.Version)
	if !slices.Contains(supported, minor) {
		return fail(supportedVersions(), trouble.ReleaseUnsupported, "does not list "+minor, "supported: "+strings.Join(supported, ", "),
			"choose lab.release.image and lab.release.version among those, or a later lab.mce.channel")
	}
	return done("supports %s", strings.Join(supported, ", "))
}

// Outputs are the versions that the operator publishes.
func (HyperShiftOperator) Outputs(_ *labs.Facts, seen kube.Seen) HyperShiftOperatorOutputs {
	return HyperShiftOperatorOutputs{Supported: versionList(text(seen.Get(supportedVersions()), "data", "supported-versions"))}
}

// hasArgument looks through the containers of a Deployment.
func hasArgument(u *unstructured.Unstructured, argument string) bool {
	if u == nil {
		return false
	}
	containers, _, _ := unstructured.NestedSlice(u.Object, "spec", "template", "spec", "containers")
	for _, c := range containers {
		m, ok := c.(map[string]any)
		if !ok {
			continue
		}
		for _, field := range []string{"command", "args"} {
			args, _, _ := unstructured.NestedStringSlice(m, field)
			if slices.ContainsFunc(args, func(a string) bool { return a == argument || strings.HasPrefix(a, argument+"=") }) {
				return true
			}
		}
	}
	return false
}

// minorOf cuts a version to major and minor: 4.20.3 is 4.20.
func minorOf(version string) string {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 {
		return version
	}
	return parts[0] + "." + parts[1]
}
