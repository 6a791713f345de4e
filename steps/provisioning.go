package steps

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/steps/kube"
)

// Provisioning lets Metal3 see hosts of all namespaces: without it hosts outside
// openshift-machine-api stay without any status for ever.
type Provisioning struct{ kube.Patched }

// ProvisioningOutputs says from where BMCs fetch their images.
type ProvisioningOutputs struct {
	BootISOSource string `yaml:"boot_iso_source" doc:"http: BMCs fetch from the image route; else from Ironic"`
	PlainHTTP     bool   `yaml:"plain_http" doc:"Ironic serves images over http (disableVirtualMediaTLS)"`
}

func provisioning() kube.Ref {
	return kube.Ref{APIVersion: "metal3.io/v1alpha1", Kind: "Provisioning", Name: "provisioning-configuration"}
}

func metal3() kube.Ref { return deploymentRef("openshift-machine-api", "metal3") }

// metal3Operator runs the baremetal-operator apart from Ironic in later versions.
func metal3Operator() kube.Ref {
	return deploymentRef("openshift-machine-api", "metal3-baremetal-operator")
}

// Reads the configuration and what runs by it.
func (Provisioning) Reads(*labs.Facts) []kube.Ref {
	return []kube.Ref{provisioning(), metal3(), metal3Operator()}
}

// Objects set one field, and make the configuration where there is none.
func (Provisioning) Objects(*labs.Facts, kube.Seen) ([]kube.Intent, error) {
	change := func(u *unstructured.Unstructured) error {
		if u.GetResourceVersion() == "" {
			if err := unstructured.SetNestedField(u.Object, "Disabled", "spec", "provisioningNetwork"); err != nil {
				return err
			}
		}
		return unstructured.SetNestedField(u.Object, true, "spec", "watchAllNamespaces")
	}
	return []kube.Intent{{How: kube.Merge, Object: blank(provisioning()), Shared: true, Change: change}}, nil
}

// Judge waits for metal3, which restarts where the configuration changed.
func (Provisioning) Judge(_ *labs.Facts, seen kube.Seen) kube.Verdict {
	u := seen.Get(provisioning())
	if observed := number(u, "status", "observedGeneration"); u != nil && observed != 0 && observed < u.GetGeneration() {
		return wait(provisioning(), fmt.Sprintf("its operator has seen generation %d, the object is at %d", observed, u.GetGeneration()))
	}
	running := []kube.Ref{metal3()}
	if seen.Get(metal3Operator()) != nil {
		running = append(running, metal3Operator())
	}
	for _, ref := range running {
		if ok, v := rolledOut(seen, ref); !ok {
			return v
		}
		if watchesOne(seen.Get(ref)) {
			return wait(ref, "it still watches its own namespace only (WATCH_NAMESPACE): it is restarted by watchAllNamespaces")
		}
	}
	return done("Metal3 watches all namespaces")
}

// watchesOne says whether a Deployment's pods look at one namespace only.
func watchesOne(u *unstructured.Unstructured) bool {
	deployment := kube.Convert[appsv1.Deployment](u)
	if deployment == nil {
		return false
	}
	for _, c := range deployment.Spec.Template.Spec.Containers {
		for _, e := range c.Env {
			if e.Name == "WATCH_NAMESPACE" && (e.Value != "" || e.ValueFrom != nil) {
				return true
			}
		}
	}
	return false
}

// Outputs say from where BMCs fetch.
func (Provisioning) Outputs(_ *labs.Facts, seen kube.Seen) ProvisioningOutputs {
	u := seen.Get(provisioning())
	if u == nil {
		return ProvisioningOutputs{}
	}
	plain, _, _ := unstructured.NestedBool(u.Object, "spec", "disableVirtualMediaTLS")
	return ProvisioningOutputs{BootISOSource: text(u, "spec", "bootIsoSource"), PlainHTTP: plain}
}
