package metal3

import (
	"context"
	"fmt"
	"reflect"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// kindOf is a Metal3 kind.
func kindOf(kind string) schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: "metal3.io", Version: "v1alpha1", Kind: kind}
}

func empty(kind string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(kindOf(kind))
	return u
}

func list(kind string) *unstructured.UnstructuredList {
	l := &unstructured.UnstructuredList{}
	gvk := kindOf(kind)
	gvk.Kind += "List"
	l.SetGroupVersionKind(gvk)
	return l
}

// spec is what the player reads of a BareMetalHost's spec.
type spec struct {
	BMC struct {
		Address                        string `json:"address"`
		CredentialsName                string `json:"credentialsName"`
		DisableCertificateVerification bool   `json:"disableCertificateVerification"`
	} `json:"bmc"`
	BootMACAddress        string        `json:"bootMACAddress"`
	BootMode              string        `json:"bootMode"`
	Online                bool          `json:"online"`
	ExternallyProvisioned bool          `json:"externallyProvisioned"`
	Architecture          string        `json:"architecture"`
	PreprovisioningData   string        `json:"preprovisioningNetworkDataName"`
	Image                 *image        `json:"image"`
	CustomDeploy          *customDeploy `json:"customDeploy"`
}

type image struct {
	URL      string `json:"url"`
	Format   string `json:"format,omitempty"`
	Checksum string `json:"checksum,omitempty"`
}

type customDeploy struct {
	Method string `json:"method"`
}

// wanted says whether the host is to be provisioned.
func (s spec) wanted() bool {
	return (s.Image != nil && s.Image.URL != "") || (s.CustomDeploy != nil && s.CustomDeploy.Method != "")
}

// status is a BareMetalHost's status, as far as the player writes it.
type status struct {
	OperationalStatus string         `json:"operationalStatus"`
	ErrorType         string         `json:"errorType,omitempty"`
	ErrorMessage      string         `json:"errorMessage"`
	ErrorCount        int64          `json:"errorCount"`
	LastUpdated       string         `json:"lastUpdated,omitempty"`
	HardwareProfile   string         `json:"hardwareProfile"`
	Hardware          map[string]any `json:"hardware,omitempty"`
	PoweredOn         bool           `json:"poweredOn"`
	GoodCredentials   credentialsRef `json:"goodCredentials,omitempty"`
	TriedCredentials  credentialsRef `json:"triedCredentials,omitempty"`
	History           map[string]any `json:"operationHistory,omitempty"`
	Provisioning      provisioning   `json:"provisioning"`
}

type provisioning struct {
	ID           string        `json:"ID"`
	State        string        `json:"state"`
	BootMode     string        `json:"bootMode,omitempty"`
	Image        *image        `json:"image,omitempty"`
	CustomDeploy *customDeploy `json:"customDeploy,omitempty"`
}

type credentialsRef struct {
	Reference *secretRef `json:"credentials,omitempty"`
	Version   string     `json:"credentialsVersion,omitempty"`
}

type secretRef struct {
	Name      string `json:"name,omitempty"`
	Namespace string `json:"namespace,omitempty"`
}

// host is one BareMetalHost while it is reconciled.
type host struct {
	object *unstructured.Unstructured
	spec   spec
	status status
	before status // as the server has it
}

func parse(u *unstructured.Unstructured) (*host, error) {
	h := &host{object: u}
	for field, into := range map[string]any{"spec": &h.spec, "status": &h.status} {
		part, _, err := unstructured.NestedMap(u.Object, field)
		if err != nil {
			return nil, fmt.Errorf("reading %s of BareMetalHost %s/%s: %w", field, u.GetNamespace(), u.GetName(), err)
		}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(part, into); err != nil {
			return nil, fmt.Errorf("reading %s of BareMetalHost %s/%s: %w", field, u.GetNamespace(), u.GetName(), err)
		}
	}
	h.before = h.status
	return h, nil
}

func (h *host) annotation(name string) (string, bool) {
	value, ok := h.object.GetAnnotations()[name]
	return value, ok
}

func (h *host) deleting() bool { return h.object.GetDeletionTimestamp() != nil }

// node is the host's name in Ironic.
func (h *host) node() string { return h.object.GetNamespace() + "~" + h.object.GetName() }

// cancelled says that a host that was provisioned is to be so no longer, or otherwise.
func (h *host) cancelled() bool {
	done := h.status.Provisioning
	if done.CustomDeploy != nil {
		return h.spec.CustomDeploy == nil || h.spec.CustomDeploy.Method != done.CustomDeploy.Method
	}
	if h.spec.CustomDeploy != nil && h.spec.CustomDeploy.Method != "" {
		return false
	}
	if h.spec.Image == nil || h.spec.Image.URL == "" {
		return true
	}
	return done.Image != nil && done.Image.URL != h.spec.Image.URL
}

// begin and end note when an operation ran.
func (h *host) begin(operation string) {
	if h.status.History == nil {
		h.status.History = map[string]any{}
	}
	h.status.History[operation] = map[string]any{"start": metav1.Now().UTC().Format("2006-01-02T15:04:05Z"), "end": nil}
}

func (h *host) end(operation string) {
	if one, ok := h.status.History[operation].(map[string]any); ok && one["end"] == nil {
		h.status.History[operation] = map[string]any{"start": one["start"], "end": metav1.Now().UTC().Format("2006-01-02T15:04:05Z")}
	}
}

// fail notes an error, as the operator does before it backs off.
func (h *host) fail(kind, message string) {
	h.status.OperationalStatus = "error"
	h.status.ErrorType = kind
	h.status.ErrorMessage = message
	h.status.ErrorCount++
}

// clear takes the error away and leaves its count.
func (h *host) clear() {
	h.status.OperationalStatus = "OK"
	h.status.ErrorType = ""
	h.status.ErrorMessage = ""
}

// save writes the status where it changed.
func (h *host) save(ctx context.Context, c client.Client) error {
	if reflect.DeepEqual(h.before, h.status) {
		return nil
	}
	h.status.LastUpdated = metav1.Now().UTC().Format("2006-01-02T15:04:05Z")
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&h.status)
	if err != nil {
		return fmt.Errorf("writing the status of BareMetalHost %s/%s: %w", h.object.GetNamespace(), h.object.GetName(), err)
	}
	original := h.object.DeepCopy()
	h.object.Object["status"] = content
	if err := c.Status().Patch(ctx, h.object, client.MergeFrom(original)); err != nil {
		return fmt.Errorf("writing the status of BareMetalHost %s/%s: %w", h.object.GetNamespace(), h.object.GetName(), err)
	}
	h.before = h.status
	return nil
}
