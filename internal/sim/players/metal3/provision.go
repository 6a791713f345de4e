package metal3

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/labrun/labrun/internal/sim/players/metal3/ironic"
)

// available provisions a host that is to be, and keeps the power of one that is not.
func (o *operator) available(ctx context.Context, h *host, node ironic.Node, version string) (reconcile.Result, error) {
	if !h.spec.wanted() || o.world.Faults.On("bmh-power") && !h.status.PoweredOn {
		return o.managePower(ctx, h, node, version)
	}
	h.status.Provisioning.State = "provisioning"
	h.status.Provisioning.BootMode = bootMode(h.spec)
	h.begin("provision")
	return soon(), nil
}

// managePower makes the server's power what spec.online says.
func (o *operator) managePower(ctx context.Context, h *host, node ironic.Node, version string) (reconcile.Result, error) {
	if err := node.Power(ctx, h.spec.Online); err != nil {
		if ctx.Err() != nil {
			return reconcile.Result{}, ctx.Err()
		}
		return o.fault(h, "power management error", ironic.PowerChangeError(h.spec.Online, err), version), nil
	}
	h.status.PoweredOn = h.spec.Online
	h.status.ErrorCount = 0
	return reconcile.Result{}, nil
}

// provision boots the host from its image, or from the one that its PreprovisioningImage names.
func (o *operator) provision(ctx context.Context, h *host, node ironic.Node, version string) (reconcile.Result, error) {
	if !h.spec.wanted() {
		h.status.Provisioning.State = "deprovisioning"
		h.begin("deprovision")
		return soon(), nil
	}
	source, ready, err := o.source(ctx, h)
	if err != nil {
		return reconcile.Result{}, err
	}
	if !ready {
		return reconcile.Result{RequeueAfter: o.world.Pace.Delay("metal3.preprovision", 5*time.Second)}, nil
	}
	if err := h.save(ctx, o.client); err != nil {
		return reconcile.Result{}, err
	}
	if text, err := o.deploy(ctx, node, h.node(), source); err != nil {
		return reconcile.Result{}, err
	} else if text != "" {
		if err := o.pause(ctx, "metal3.provision-fail", 28*time.Second); err != nil {
			return reconcile.Result{}, err
		}
		return o.fault(h, "provisioning error", "Image provisioning failed: "+text, version), nil
	}
	if err := o.pause(ctx, "metal3.provision", 15*time.Second); err != nil {
		return reconcile.Result{}, err
	}
	h.end("provision")
	h.clear()
	h.status.Provisioning.State, h.status.ErrorCount, h.status.PoweredOn = "provisioned", 0, true
	h.status.Provisioning.Image, h.status.Provisioning.CustomDeploy = h.spec.Image, h.spec.CustomDeploy
	return soon(), nil
}

// source is the URL of the image to boot. In the converged flow it is ready once the PreprovisioningImage is.
func (o *operator) source(ctx context.Context, h *host) (url string, ready bool, err error) {
	if h.spec.Image != nil && h.spec.Image.URL != "" {
		return h.spec.Image.URL, true, nil
	}
	found := empty("PreprovisioningImage")
	if err := o.reader.Get(ctx, client.ObjectKeyFromObject(h.object), found); err != nil {
		return "", false, client.IgnoreNotFound(err)
	}
	url, _, _ = unstructured.NestedString(found.Object, "status", "imageUrl")
	conditions, _, _ := unstructured.NestedSlice(found.Object, "status", "conditions")
	for _, c := range conditions {
		if one, ok := c.(map[string]any); ok && one["type"] == "Ready" && one["status"] == "True" {
			ready = true
		}
	}
	return url, ready && url != "", nil
}

// deploy fetches the image for the BMC and boots the server from it. text is Ironic's where that fails.
func (o *operator) deploy(ctx context.Context, node ironic.Node, name, source string) (text string, err error) {
	bootURL, err := o.world.Ironic.Serve(ctx, source, node.UUID)
	if err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return fmt.Sprintf("Deploy step deploy.deploy failed: Validation of image href %s failed, reason: %v", source, err), nil
	}
	o.log.Info("deploying", "host", name, "image", source, "bmc", node.Access.Root)
	err = node.Deploy(ctx, bootURL)
	var missing *ironic.MissingAttribute
	switch {
	case err == nil:
		return "", nil
	case ctx.Err() != nil:
		return "", ctx.Err()
	case errors.As(err, &missing):
		return fmt.Sprintf("Deploy step deploy.deploy failed with MissingAttributeError: %v.", err), nil
	}
	return fmt.Sprintf("Deploy step deploy.deploy failed: %v", err), nil
}

// deprovision makes a host available again.
func (o *operator) deprovision(ctx context.Context, h *host, node ironic.Node, version string) (reconcile.Result, error) {
	if err := o.teardown(ctx, h, node); err != nil {
		if ctx.Err() != nil {
			return reconcile.Result{}, ctx.Err()
		}
		return o.fault(h, "power management error", err.Error(), version), nil
	}
	h.status.Provisioning.State, h.status.ErrorCount = "available", 0
	return soon(), nil
}

// teardown switches the server off, empties its drive and forgets the image.
func (o *operator) teardown(ctx context.Context, h *host, node ironic.Node) error {
	if err := node.Teardown(ctx); err != nil {
		return err
	}
	o.world.Ironic.Remove(node.UUID)
	if err := o.pause(ctx, "metal3.deprovision", 10*time.Second); err != nil {
		return err
	}
	h.end("deprovision")
	h.status.PoweredOn = false
	h.status.Provisioning.Image, h.status.Provisioning.CustomDeploy = nil, nil
	return nil
}
