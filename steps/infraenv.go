package steps

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps/crd"
	"github.com/labrun/labrun/steps/kube"
	"github.com/labrun/labrun/steps/trouble"
)

// InfraEnv makes the discovery environment and waits for its image.
type InfraEnv struct {
	kube.Patched
	Grace labs.Duration `yaml:"grace" default:"30s" doc:"how long an image error may stand before it is terminal"`
}

// InfraEnvOutputs is where the image is.
type InfraEnvOutputs struct {
	ISOURL    string `yaml:"iso_url" doc:"URL of the discovery image"`
	ImageType string `yaml:"image_type" doc:"minimal-iso or full-iso; empty where the hub does not know the field"`
	CA        string `yaml:"ca" doc:"certificates that the management cluster's routes are signed with; empty where it publishes none"`
}

func infraEnvCRD() kube.Ref { return crdRef("infraenvs.agent-install.openshift.io") }

// controlPlanePullSecret is HyperShift's own copy: labrun waits for it, and never
// makes it.
func controlPlanePullSecret(f *labs.Facts) kube.Ref {
	return secretRef(f.ControlPlaneNamespace(), "pull-secret")
}

// ingressCA holds what the routes of the management cluster are signed with.
func ingressCA() kube.Ref { return configMapRef("openshift-config-managed", "default-ingress-cert") }

func infraEnv(f *labs.Facts) kube.Ref {
	return kube.Ref{APIVersion: crd.AgentInstallVersion, Kind: "InfraEnv", Namespace: f.ControlPlaneNamespace(), Name: f.Hosted.Name}
}

// Reads what the hub's InfraEnv can hold.
func (InfraEnv) Reads(f *labs.Facts) []kube.Ref {
	return []kube.Ref{infraEnvCRD(), controlPlanePullSecret(f), ingressCA(), hosts(f)}
}

// Objects are the InfraEnv. It names no cluster: Agents are bound by the NodePool.
// Once hosts exist it stays as it is: a new image would not reach them.
func (s InfraEnv) Objects(f *labs.Facts, seen kube.Seen) ([]kube.Intent, error) {
	how := kube.Apply
	if len(seen.List(hosts(f))) > 0 {
		how = kube.CreateOnce
	}
	return []kube.Intent{{How: how, Object: s.wanted(f, seen)}}, nil
}

func (InfraEnv) wanted(f *labs.Facts, seen kube.Seen) *crd.InfraEnv {
	o := &crd.InfraEnv{
		TypeMeta: typeMeta(crd.AgentInstallVersion, "InfraEnv"), ObjectMeta: meta(f.ControlPlaneNamespace(), f.Hosted.Name),
		Spec: crd.InfraEnvSpec{
			PullSecretRef:              &corev1.LocalObjectReference{Name: "pull-secret"},
			SSHAuthorizedKey:           f.SSHKey.Text,
			OSImageVersion:             minorOf(f.Release.Version),
			CPUArchitecture:            f.Release.Arch,
			NMStateConfigLabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{networkLabel: f.ControlPlaneNamespace()}},
		},
	}
	if f.Disconnected {
		o.Spec.AdditionalTrustBundle = f.Registry.CA.Text
	}
	if hasField(seen.Get(infraEnvCRD()), "imageType") {
		o.Spec.ImageType = f.InfraEnv.ImageType
	}
	return o
}

// unapplied says what the lab file and the patch want that does not reach an
// InfraEnv whose hosts exist.
func (s InfraEnv) unapplied(f *labs.Facts, seen kube.Seen, there *unstructured.Unstructured) []event.Report {
	if len(seen.List(hosts(f))) == 0 {
		return nil
	}
	wanted, err := kube.Patch(s.wanted(f, seen), s.Patched)
	if err != nil {
		return []event.Report{report(what(infraEnv(f))+" cannot be compared with what the lab wants", "seen", err.Error(), look(infraEnv(f)))}
	}
	var differ []string
	want, _, _ := unstructured.NestedMap(wanted.Object, "spec")
	have, _, _ := unstructured.NestedMap(there.Object, "spec")
	for _, field := range slices.Sorted(maps.Keys(want)) {
		if !holds(have[field], want[field]) {
			differ = append(differ, "spec."+field)
		}
	}
	if len(differ) == 0 {
		return nil
	}
	return []event.Report{report(what(infraEnv(f))+" stays as it was made: its hosts have booted its image", "differs", strings.Join(differ, ", "),
		"take the change back; or, where the workers may be lost, delete the BareMetalHosts of "+f.ControlPlaneNamespace()+" first, then run again")}
}

// holds says whether a value has all that is wanted of it; the server may have
// added to it.
func holds(have, want any) bool {
	wanted, ok := want.(map[string]any)
	if !ok {
		return equality.Semantic.DeepEqual(have, want)
	}
	there, ok := have.(map[string]any)
	if !ok {
		return false
	}
	for key, value := range wanted {
		if !holds(there[key], value) {
			return false
		}
	}
	return true
}

// hasField says whether a CRD's spec knows a field.
func hasField(definition *unstructured.Unstructured, field string) bool {
	if definition == nil {
		return false
	}
	versions, _, _ := unstructured.NestedSlice(definition.Object, "spec", "versions")
	for _, v := range versions {
		m, ok := v.(map[string]any)
		if !ok {
			continue
		}
		if _, found, _ := unstructured.NestedFieldNoCopy(m, "schema", "openAPIV3Schema", "properties", "spec", "properties", field); found {
			return true
		}
	}
	return false
}

// mend is what to do about an image that cannot be made.
func (InfraEnv) mend(f *labs.Facts, c *crd.Condition) string {
	if !strings.Contains(c.Message, "must contain auth for") {
		return "mend what the message names, then run again"
	}
	return "add the registry that it names to the pull secret (" + pullSecretFile(f) + "), or to lab.agent_service.public_registries where it needs no login, then run again"
}

// Judge waits for the image, of which the reason may have several names.
func (s InfraEnv) Judge(f *labs.Facts, seen kube.Seen) kube.Verdict {
	ref := infraEnv(f)
	u := seen.Get(ref)
	if u != nil && seen.Get(controlPlanePullSecret(f)) == nil {
		return known(wait(controlPlanePullSecret(f), "HyperShift has not copied it yet"), trouble.InfraEnvPending)
	}
	v, ok := awaited(ref, u, "ImageCreated")
	if !ok {
		if c := crd.ConditionOf(u, "ImageCreated"); c.Is("False") && c.Reason == "ImageCreationError" {
			return stuck(ref, u, c, seen, s.Grace.Duration, trouble.InfraEnvImage, s.mend(f, c))
		}
		return v
	}
	url := text(u, "status", "isoDownloadURL")
	if url == "" {
		return wait(ref, "ImageCreated, but status.isoDownloadURL is not set yet")
	}
	v = done("%s%s", url, s.note(f, seen))
	v.Warnings = s.unapplied(f, seen, u)
	return v
}

func (InfraEnv) note(f *labs.Facts, seen kube.Seen) string {
	if !hasField(seen.Get(infraEnvCRD()), "imageType") {
		return " (this hub's InfraEnv has no imageType: " + f.InfraEnv.ImageType + " is not asked for)"
	}
	return ""
}

// Outputs say where the image is.
func (InfraEnv) Outputs(f *labs.Facts, seen kube.Seen) InfraEnvOutputs {
	out := InfraEnvOutputs{
		ISOURL: text(seen.Get(infraEnv(f)), "status", "isoDownloadURL"),
		CA:     text(seen.Get(ingressCA()), "data", "ca-bundle.crt"),
	}
	if hasField(seen.Get(infraEnvCRD()), "imageType") {
		out.ImageType = f.InfraEnv.ImageType
	}
	return out
}
