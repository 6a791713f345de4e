package metal3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/labrun/labrun/internal/sim/players/metal3/ironic"
)

// register proves the host's BMC. A result ends the reconcile; none lets it go on.
func (o *operator) register(ctx context.Context, h *host, node ironic.Node, secret *corev1.Secret) (*reconcile.Result, error) {
	version := secret.ResourceVersion
	h.status.TriedCredentials = credentialsRef{Reference: &secretRef{Name: secret.Name, Namespace: secret.Namespace}, Version: version}
	if err := o.claimMAC(ctx, h); err != nil {
		result := o.fault(h, "registration error", err.Error(), version)
		return &result, nil
	}
	if h.status.Provisioning.ID == "" {
		h.status.Provisioning.ID = uuid.NewString()
		node.UUID = h.status.Provisioning.ID
	}
	if err := o.preprovisioningImage(ctx, h); err != nil {
		return nil, err
	}
	if err := o.breakFirst(ctx, node.Access.Root); err != nil {
		return nil, err
	}
	node.Access = o.breakable(node.Access)
	ask, cancel := context.WithTimeout(ctx, max(o.world.Pace.Delay("metal3.silent", 53*time.Minute), 5*time.Second))
	defer cancel()
	found, err := node.Register(ask)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err := o.slowly(ctx, err); err != nil {
			return nil, err
		}
		kind := "registration error"
		if s := h.status.Provisioning.State; s == "provisioned" || s == "externally provisioned" {
			kind = "provisioned registration error"
		}
		result := o.fault(h, kind, ironic.PowerStateError(node.UUID, err), version)
		return &result, nil
	}
	if h.status.Provisioning.State == "registering" {
		if err := o.pause(ctx, "metal3.register", 10*time.Second); err != nil {
			return nil, err
		}
	}
	h.registered(found, secret)
	return nil, nil
}

func (h *host) registered(found ironic.Hardware, secret *corev1.Secret) {
	h.end("register")
	h.clear()
	h.status.PoweredOn = found.PoweredOn
	h.status.HardwareProfile = "unknown"
	h.status.GoodCredentials = credentialsRef{Reference: &secretRef{Name: secret.Name, Namespace: secret.Namespace}, Version: secret.ResourceVersion}
}

// slowly waits as long as Ironic takes until it reports an error of this kind.
func (o *operator) slowly(ctx context.Context, err error) error {
	var away *ironic.Unreachable
	if !errors.As(err, &away) {
		return o.pause(ctx, "metal3.register-fail", 6*time.Second)
	}
	switch away.Kind() {
	case ironic.NoName:
		return o.pause(ctx, "metal3.name", 222*time.Second)
	case ironic.BadTLS:
		return o.pause(ctx, "metal3.tls", 69*time.Second)
	case ironic.Silent:
		return nil
	}
	return o.pause(ctx, "metal3.refused", 162*time.Second)
}

// claimMAC refuses a boot MAC that another registered host has.
func (o *operator) claimMAC(ctx context.Context, h *host) error {
	all := list("BareMetalHost")
	if err := o.reader.List(ctx, all); err != nil {
		return fmt.Errorf("listing BareMetalHosts: %w", err)
	}
	var others []*host
	for i := range all.Items {
		if other, err := parse(&all.Items[i]); err == nil {
			others = append(others, other)
		}
	}
	if err := judgeMAC(h.spec.BootMACAddress, h.node(), others); err != nil {
		return err
	}
	return o.macs.claim(h.spec.BootMACAddress, h.node())
}

// preprovisioningImage makes the host's PreprovisioningImage, as the operator does on OpenShift for each host.
func (o *operator) preprovisioningImage(ctx context.Context, h *host) error {
	wanted := empty("PreprovisioningImage")
	wanted.SetNamespace(h.object.GetNamespace())
	wanted.SetName(h.object.GetName())
	wanted.SetLabels(maps.Clone(h.object.GetLabels()))
	wanted.Object["spec"] = map[string]any{
		"architecture":    orDefault(h.spec.Architecture, "x86_64"),
		"acceptFormats":   []any{"iso", "initrd"},
		"networkDataName": h.spec.PreprovisioningData,
	}
	if err := controllerutil.SetControllerReference(h.object, wanted, o.client.Scheme()); err != nil {
		return fmt.Errorf("owning PreprovisioningImage %s: %w", wanted.GetName(), err)
	}
	if err := o.client.Create(ctx, wanted); err == nil || !apierrors.IsAlreadyExists(err) {
		return err
	}
	found := empty("PreprovisioningImage")
	if err := o.reader.Get(ctx, client.ObjectKeyFromObject(wanted), found); err != nil {
		return client.IgnoreNotFound(err)
	}
	original := found.DeepCopy()
	labels := found.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	maps.Copy(labels, h.object.GetLabels())
	found.SetLabels(labels)
	return o.client.Patch(ctx, found, client.MergeFrom(original))
}

func orDefault(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

// breakFirst breaks the first BMC that is registered, where failure bmh-registration was asked for.
func (o *operator) breakFirst(ctx context.Context, root string) error {
	if !o.world.Faults.On("bmh-registration") {
		return nil
	}
	o.mu.Lock()
	first := o.broken == ""
	if first {
		o.broken = root
	}
	o.mu.Unlock()
	if !first || o.world.BreakBMC == nil {
		return nil
	}
	if err := o.world.BreakBMC(ctx, root); err != nil {
		return fmt.Errorf("breaking the BMC at %s: %w", root, err)
	}
	return nil
}

// breakable puts refusal in a broken BMC's place where nobody can break the BMC itself.
func (o *operator) breakable(access ironic.Access) ironic.Access {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.broken == access.Root && o.broken != "" && o.world.BreakBMC == nil {
		access.Transport = refuser{}
	}
	return access
}

// refuser answers in the place of a BMC whose password was changed.
type refuser struct{}

// RoundTrip answers 401 to all but the service root.
func (refuser) RoundTrip(r *http.Request) (*http.Response, error) {
	code, body := http.StatusUnauthorized, `{"error":{"code":"Base.1.0.GeneralError","message":"Incorrect username or password"}}`
	if r.Method == http.MethodGet && strings.Trim(r.URL.Path, "/") == "redfish/v1" {
		code, body = http.StatusOK, `{"@odata.id":"/redfish/v1/","RedfishVersion":"1.5.0"}`
	}
	return &http.Response{
		StatusCode: code, Status: http.StatusText(code), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r,
	}, nil
}
