package metal3

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/labrun/labrun/internal/sim/players/metal3/ironic"
)

// soon asks for the next state at once.
func soon() reconcile.Result { return reconcile.Result{RequeueAfter: time.Millisecond} }

// Reconcile takes one host one state further.
func (o *operator) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	watched, network, err := o.watches(ctx, request.Namespace)
	if err != nil || !watched {
		return reconcile.Result{}, err
	}
	u := empty("BareMetalHost")
	if err := o.reader.Get(ctx, request.NamespacedName, u); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	h, err := parse(u)
	if err != nil {
		return reconcile.Result{}, err
	}
	if _, paused := h.annotation(pausedAnnotation); paused {
		return reconcile.Result{}, nil
	}
	if !h.deleting() {
		original := u.DeepCopy()
		if controllerutil.AddFinalizer(u, hostFinalizer) {
			if err := o.client.Patch(ctx, u, client.MergeFrom(original)); err != nil {
				return reconcile.Result{}, fmt.Errorf("adding the finalizer to BareMetalHost %s: %w", request, err)
			}
		}
	}
	result, err := o.advance(ctx, h, network)
	if err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	return result, client.IgnoreNotFound(h.save(ctx, o.client))
}

// advance judges the host and takes it on; the caller saves what it noted.
func (o *operator) advance(ctx context.Context, h *host, network string) (reconcile.Result, error) {
	if h.deleting() {
		return o.remove(ctx, h, network)
	}
	if h.status.Provisioning.State == "" {
		return o.discover(h), nil
	}
	if h.status.Provisioning.State == "unmanaged" && h.spec.BMC.Address == "" {
		return reconcile.Result{}, nil
	}
	if o.detached(h) {
		return reconcile.Result{}, nil
	}
	secret, err := o.secret(ctx, h)
	if err != nil {
		return reconcile.Result{}, err
	}
	access, again, err := o.judge(h, secret, network)
	if err != nil {
		if h.status.ErrorMessage != err.Error() {
			h.fail("registration error", err.Error())
		}
		return reconcile.Result{RequeueAfter: again}, nil
	}
	version := secret.ResourceVersion
	if h.status.ErrorType != "" {
		if rest := o.rest(h, version); rest > 0 {
			return reconcile.Result{RequeueAfter: rest}, nil
		}
		if h.status.ErrorType == "provisioning error" {
			h.status.Provisioning.State = "deprovisioning"
			h.begin("deprovision")
		}
		h.clear()
		h.forgetCredentials()
		if err := h.save(ctx, o.client); err != nil {
			return reconcile.Result{}, err
		}
	}
	node := o.node(h, access)
	if h.status.Provisioning.State == "registering" || h.status.GoodCredentials.Version != version {
		if result, err := o.register(ctx, h, node, secret); err != nil || result != nil {
			return deref(result), err
		}
	}
	o.forget(h)
	return o.stage(ctx, h, node, version)
}

func deref(r *reconcile.Result) reconcile.Result {
	if r == nil {
		return reconcile.Result{}
	}
	return *r
}

// forgetCredentials makes a host that failed to register do so again.
func (h *host) forgetCredentials() {
	if h.before.ErrorType == "registration error" || h.before.ErrorType == "provisioned registration error" {
		h.status.GoodCredentials = credentialsRef{}
	}
}

// discover gives a new host its first state.
func (o *operator) discover(h *host) reconcile.Result {
	h.status.OperationalStatus = "OK"
	if h.spec.BMC.Address == "" && h.spec.BMC.CredentialsName == "" {
		h.status.OperationalStatus, h.status.Provisioning.State = "discovered", "unmanaged"
		return reconcile.Result{}
	}
	h.status.Provisioning.State = "registering"
	h.status.Provisioning.BootMode = bootMode(h.spec)
	h.begin("register")
	return soon()
}

func bootMode(s spec) string {
	if s.BootMode == "" {
		return "UEFI"
	}
	return s.BootMode
}

// detached says whether the host is taken out of the operator's hands.
func (o *operator) detached(h *host) bool {
	_, asked := h.annotation(detachedAnnotation)
	switch h.status.Provisioning.State {
	case "provisioned", "externally provisioned", "available", "ready":
		if asked {
			h.clear()
			h.status.OperationalStatus = "detached"
			return true
		}
	}
	if h.status.OperationalStatus == "detached" {
		h.status.OperationalStatus = "OK"
	}
	return false
}

// judge says what the operator has against the host; again is when it looks anew by itself, zero for never.
func (o *operator) judge(h *host, secret *corev1.Secret, network string) (ironic.Access, time.Duration, error) {
	key := h.object.GetNamespace() + "/" + h.spec.BMC.CredentialsName
	who, err := judgeCredentials(h.spec, key, secret)
	if err != nil {
		if errors.Is(err, errSecretMissing) {
			return ironic.Access{}, o.world.Pace.Delay("metal3.secret", 5*time.Second), err
		}
		return ironic.Access{}, 0, err
	}
	access, err := judgeAddress(h.spec, network, who)
	return access, 0, err
}

func (o *operator) node(h *host, access ironic.Access) ironic.Node {
	return ironic.Node{
		UUID:         h.status.Provisioning.ID,
		Access:       o.powerless(h, o.breakable(access)),
		PowerTimeout: max(o.world.Pace.Delay("metal3.power", 2*time.Minute), 30*time.Second),
		Poll:         powerPoll,
	}
}

// backoff is how long the operator leaves a host alone after its n-th error in a row.
func (o *operator) backoff(n int64) time.Duration {
	upper := time.Minute << min(n, maxBackoffCount)
	return o.world.Pace.Delay("metal3.backoff", upper-time.Duration(rand.Int64N(int64(upper/2))))
}

// fault notes an error and backs off.
func (o *operator) fault(h *host, kind, message, secret string) reconcile.Result {
	h.fail(kind, message)
	o.log.Info("host failed", "host", h.node(), "errorType", kind, "errorCount", h.status.ErrorCount, "message", message)
	return o.failed(h, secret, o.backoff(h.status.ErrorCount))
}

// stage does the work of the host's state.
func (o *operator) stage(ctx context.Context, h *host, node ironic.Node, version string) (reconcile.Result, error) {
	switch h.status.Provisioning.State {
	case "unmanaged":
		h.status.Provisioning.State = "registering"
		return soon(), nil
	case "registering":
		return o.leaveRegistering(h), nil
	case "inspecting":
		return o.inspect(ctx, h)
	case "preparing":
		if err := o.pause(ctx, "metal3.prepare", 100*time.Millisecond); err != nil {
			return reconcile.Result{}, err
		}
		h.status.Provisioning.State, h.status.ErrorCount = "available", 0
		return soon(), nil
	case "available":
		return o.available(ctx, h, node, version)
	case "provisioning":
		return o.provision(ctx, h, node, version)
	case "provisioned":
		if h.cancelled() {
			h.status.Provisioning.State = "deprovisioning"
			h.begin("deprovision")
			return soon(), nil
		}
		return o.managePower(ctx, h, node, version)
	case "deprovisioning":
		return o.deprovision(ctx, h, node, version)
	case "externally provisioned":
		return o.managePower(ctx, h, node, version)
	}
	return reconcile.Result{}, nil
}

func (o *operator) leaveRegistering(h *host) reconcile.Result {
	h.status.ErrorCount = 0
	how, _ := h.annotation(inspectAnnotation)
	switch {
	case h.spec.ExternallyProvisioned:
		h.status.Provisioning.State = "externally provisioned"
	case how == "disabled":
		h.status.Provisioning.State = "preparing"
	default:
		h.status.Provisioning.State = "inspecting"
		h.begin("inspect")
	}
	return soon()
}

func (o *operator) inspect(ctx context.Context, h *host) (reconcile.Result, error) {
	if err := o.pause(ctx, "metal3.inspect", 5*time.Minute); err != nil {
		return reconcile.Result{}, err
	}
	h.end("inspect")
	h.status.Provisioning.State, h.status.ErrorCount = "preparing", 0
	return soon(), nil
}
