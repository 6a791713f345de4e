package openshift

import (
	"context"
	"fmt"
	"strconv"

	"github.com/labrun/labrun/internal/sim/players/admit"
	"github.com/labrun/labrun/internal/sim/players/obj"
	"github.com/labrun/labrun/internal/sim/world"
	registration "k8s.io/api/admissionregistration/v1"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

const (
	machineAPI       = "openshift-machine-api"
	provisioningName = "provisioning-configuration"
	provisioningHook = "vprovisioning.kb.io"
)

// metal3Deployments run Ironic and the baremetal-operator; both take their settings from the Provisioning, so that a
// change of it restarts them.
func metal3Deployments() []string { return []string{"metal3", "metal3-baremetal-operator"} }

// Provisioning plays the cluster-baremetal-operator: it judges the one Provisioning, runs metal3 by it, and reports as
// ClusterOperator baremetal.
func Provisioning() world.Player {
	return world.Player{Name: "provisioning", Plays: "cluster-baremetal-operator", Setup: setUpProvisioning}
}

func setUpProvisioning(mgr ctrl.Manager, _ *world.World) error {
	c, err := obj.Client(mgr)
	if err != nil {
		return err
	}
	server, err := admit.Listen(admit.Hook{
		Name: provisioningHook, Group: "metal3.io", Version: "v1alpha1", Resource: "provisionings",
		Operations: []registration.OperationType{registration.Create, registration.Update},
		Judge:      admitProvisioning,
	})
	if err != nil {
		return err
	}
	if err := mgr.Add(server); err != nil {
		return err
	}
	if err := mgr.Add(manager.RunnableFunc(func(ctx context.Context) error { return server.Register(ctx, c, provisioningHook) })); err != nil {
		return err
	}
	one := handler.EnqueueRequestsFromMapFunc(func(_ context.Context, o client.Object) []reconcile.Request {
		if o.GetNamespace() != machineAPI && o.GetName() != "baremetal" {
			return nil
		}
		return []reconcile.Request{{NamespacedName: client.ObjectKey{Name: provisioningName}}}
	})
	return ctrl.NewControllerManagedBy(mgr).Named("provisioning").
		For(obj.New(obj.Metal3, "Provisioning", "", "")).
		Watches(&apps.Deployment{}, one).
		Watches(obj.New(obj.Config, "ClusterOperator", "", ""), one).
		Complete(&bareMetal{c})
}

type bareMetal struct{ client.Client }

// Reconcile brings metal3 to what the Provisioning says. Others than the one are left alone.
func (b *bareMetal) Reconcile(ctx context.Context, r ctrl.Request) (ctrl.Result, error) {
	if r.Name != provisioningName {
		return ctrl.Result{}, nil
	}
	return obj.Settle(ctrl.Result{}, b.reconcile(ctx))
}

func (b *bareMetal) reconcile(ctx context.Context) error {
	p, err := obj.Get(ctx, b, obj.Metal3, "Provisioning", "", provisioningName)
	if err != nil {
		return err
	}
	if p == nil {
		return b.report(ctx, operatorState{available: true, reason: "WaitingForProvisioningCR", message: "Waiting for Provisioning CR"})
	}
	spec, err := obj.Decode[provisioningSpec](p, "spec")
	if err != nil {
		return err
	}
	if err := judgeProvisioning(spec); err != nil {
		return b.report(ctx, operatorState{available: true, degraded: true, progressing: true, reason: "InvalidConfiguration",
			message: err.Error(), progress: "Unable to apply Provisioning CR: invalid configuration"})
	}
	now := p.DeepCopy()
	ready, err := b.deploy(ctx, now, spec)
	if err != nil {
		return err
	}
	Observed(now)
	if err := obj.WriteStatus(ctx, b, p, now); err != nil {
		return err
	}
	if !ready {
		return b.report(ctx, operatorState{available: true, progressing: true, reason: "SyncingResources", progress: "Applying metal3 resources"})
	}
	return b.report(ctx, operatorState{available: true, reason: "DeployComplete", message: "metal3 pod, service, and others completed"})
}

// Observed notes that the object's present generation was acted on.
func Observed(u *unstructured.Unstructured) {
	obj.Set(u, u.GetGeneration(), "status", "observedGeneration")
}

// deploy writes the Deployments and says whether all run as they should.
func (b *bareMetal) deploy(ctx context.Context, owner *unstructured.Unstructured, spec provisioningSpec) (bool, error) {
	if err := obj.Create(ctx, b, &core.Namespace{ObjectMeta: meta.ObjectMeta{Name: machineAPI}}); err != nil {
		return false, err
	}
	all := true
	for _, name := range metal3Deployments() {
		d := &apps.Deployment{ObjectMeta: meta.ObjectMeta{Namespace: machineAPI, Name: name}}
		if _, err := controllerutil.CreateOrUpdate(ctx, b, d, func() error { return shapeMetal3(d, owner, spec) }); err != nil {
			return false, err
		}
		all = all && rolledOut(d.Status, d.Generation, 1)
	}
	return all, nil
}

func shapeMetal3(d *apps.Deployment, owner *unstructured.Unstructured, spec provisioningSpec) error {
	namespaces := machineAPI
	if spec.WatchAllNamespaces {
		namespaces = ""
	}
	labels := map[string]string{"k8s-app": d.Name}
	d.Spec.Replicas = ptr(int32(1))
	d.Spec.Selector = &meta.LabelSelector{MatchLabels: labels}
	d.Spec.Strategy = apps.DeploymentStrategy{Type: apps.RecreateDeploymentStrategyType}
	d.Spec.Template.Labels = labels
	container := core.Container{Name: d.Name, Image: "registry.redhat.io/openshift4/ose-baremetal-rhel9-operator"}
	if len(d.Spec.Template.Spec.Containers) == 1 {
		container = d.Spec.Template.Spec.Containers[0] // with the API server's defaults
	}
	container.Env = []core.EnvVar{
		{Name: "WATCH_NAMESPACE", Value: namespaces},
		{Name: "PROVISIONING_NETWORK", Value: spec.ProvisioningNetwork},
		{Name: "BOOT_ISO_SOURCE", Value: spec.BootIsoSource},
		{Name: "IRONIC_VMEDIA_TLS", Value: strconv.FormatBool(!spec.DisableVirtualMediaTLS)},
	}
	d.Spec.Template.Spec.Containers = []core.Container{container}
	return setOwner(owner, d)
}

// setOwner makes an object the owner's, so that it goes with it; the owner's kind is one that no scheme knows.
func setOwner(owner *unstructured.Unstructured, o client.Object) error {
	if owner.GetUID() == "" {
		return fmt.Errorf("making %s an object of %s: it has no UID yet", o.GetName(), owner.GetName())
	}
	o.SetOwnerReferences([]meta.OwnerReference{*meta.NewControllerRef(owner, owner.GroupVersionKind())})
	return nil
}

func ptr[T any](v T) *T { return &v }
