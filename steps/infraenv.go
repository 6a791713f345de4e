package steps

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/steps/crd"
	"github.com/labrun/labrun/steps/kube"
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
	if len(seen.List(hosts(f))) > 0 {
		return []kube.Intent{{How: kube.CreateOnce, Object: o}}, nil
	}
	return []kube.Intent{{Object: o}}, nil
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

// Judge waits for the image, of which the reason may have several names.
func (s InfraEnv) Judge(f *labs.Facts, seen kube.Seen) kube.Verdict {
	ref := infraEnv(f)
	u := seen.Get(ref)
	if u != nil && seen.Get(controlPlanePullSecret(f)) == nil {
		return wait(controlPlanePullSecret(f), "HyperShift has not copied it yet")
	}
	v, ok := awaited(ref, u, "ImageCreated")
	if !ok {
		if c := crd.ConditionOf(u, "ImageCreated"); c.Is("False") && c.Reason == "ImageCreationError" {
			return stuck(ref, u, c, seen, s.Grace.Duration, "mend what the message names, then run again")
		}
		return v
	}
	url := text(u, "status", "isoDownloadURL")
	if url == "" {
		return wait(ref, "ImageCreated, but status.isoDownloadURL is not set yet")
	}
	return done("%s%s", url, s.note(f, seen))
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
