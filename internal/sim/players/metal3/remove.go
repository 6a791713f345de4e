package metal3

import (
	"context"
	"encoding/json"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// remove takes a host that is deleted through deprovisioning and lets it go. A detached host is let go as it is,
// neither powered off nor cleaned.
func (o *operator) remove(ctx context.Context, h *host, network string) (reconcile.Result, error) {
	switch h.status.Provisioning.State {
	case "", "registering", "unmanaged", "deleting":
		return o.release(ctx, h)
	case "provisioning", "provisioned":
		if h.status.OperationalStatus == "detached" {
			if h.deletionDelayed() {
				return reconcile.Result{}, nil
			}
			return o.release(ctx, h)
		}
		h.status.Provisioning.State = "deprovisioning"
		h.clear()
		h.status.ErrorCount = 0
		h.begin("deprovision")
		return soon(), nil
	}
	secret, err := o.secret(ctx, h)
	if err != nil {
		return reconcile.Result{}, err
	}
	access, _, refused := o.judge(h, secret, network)
	if refused != nil || h.status.ErrorCount > cleanupAttempts {
		return o.release(ctx, h)
	}
	if h.status.ErrorType != "" {
		if rest := o.rest(h, secret.ResourceVersion); rest > 0 {
			return reconcile.Result{RequeueAfter: rest}, nil
		}
		h.clear()
		if err := h.save(ctx, o.client); err != nil {
			return reconcile.Result{}, err
		}
	}
	if err := o.teardown(ctx, h, o.node(h, access)); err != nil {
		if ctx.Err() != nil {
			return reconcile.Result{}, ctx.Err()
		}
		return o.fault(h, "power management error", err.Error(), secret.ResourceVersion), nil
	}
	return o.release(ctx, h)
}

// deletionDelayed reads the detached annotation's deleteAction.
func (h *host) deletionDelayed() bool {
	value, present := h.annotation(detachedAnnotation)
	if !present {
		return true
	}
	var arguments struct {
		DeleteAction string `json:"deleteAction"`
	}
	return json.Unmarshal([]byte(value), &arguments) == nil && arguments.DeleteAction == "delay"
}

// release takes the finalizers away.
func (o *operator) release(ctx context.Context, h *host) (reconcile.Result, error) {
	h.status = h.before // nothing is noted on what is gone
	o.forget(h)
	o.macs.release(h.node())
	if err := o.releaseSecret(ctx, h); err != nil {
		return reconcile.Result{}, fmt.Errorf("releasing the Secret of %s: %w", h.node(), err)
	}
	original := h.object.DeepCopy()
	if controllerutil.RemoveFinalizer(h.object, hostFinalizer) {
		return reconcile.Result{}, client.IgnoreNotFound(o.client.Patch(ctx, h.object, client.MergeFrom(original)))
	}
	return reconcile.Result{}, nil
}
