package steps

import (
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

// Reads the configuration and what runs by it.
func (Provisioning) Reads(*labs.Facts) []kube.Ref { return []kube.Ref{provisioning(), metal3()} }

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
	if ok, v := rolledOut(seen, metal3()); !ok {
		return v
	}
	return done("Metal3 watches all namespaces")
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
