package hypershift

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/labrun/labrun/internal/sim/players/obj"
	"github.com/labrun/labrun/internal/sim/players/stage"
	"github.com/labrun/labrun/internal/sim/world"
	hyperv1 "github.com/openshift/hypershift/api/hypershift/v1beta1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Player plays HyperShift and what it brings.
func Player() world.Player {
	return world.Player{
		Name:  "hypershift",
		Plays: "HyperShift: hosted control planes, node pools, Cluster API's agent provider, the hosted cluster's operators",
		Setup: setup,
	}
}

// operator is what the controllers share.
type operator struct {
	client client.Client // asks the server each time
	world  *world.World
	log    *slog.Logger
	clock  *stage.Clock
	names  *resolver
	hosted *sites
	pods   *pods
	once   *once
}

func setup(mgr ctrl.Manager, w *world.World) error {
	if err := hyperv1.AddToScheme(mgr.GetScheme()); err != nil {
		return fmt.Errorf("registering HyperShift's kinds: %w", err)
	}
	live, err := obj.Client(mgr)
	if err != nil {
		return fmt.Errorf("making HyperShift's client: %w", err)
	}
	o := &operator{
		client: live, world: w, log: w.Log.With("player", "hypershift"), clock: &stage.Clock{},
		names: &resolver{server: w.DNS}, hosted: &sites{world: w}, once: &once{},
		pods: newPods(live),
	}
	c := &clusters{operator: o}
	if err := ctrl.NewControllerManagedBy(mgr).Named("hypershift-cluster").
		For(&hyperv1.HostedCluster{}).
		Watches(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(o.neighbours)).
		Watches(&corev1.ConfigMap{}, handler.EnqueueRequestsFromMapFunc(o.neighbours)).
		Watches(&appsv1.Deployment{}, handler.EnqueueRequestsFromMapFunc(o.ofOperator)).
		Watches(&hyperv1.NodePool{}, handler.EnqueueRequestsFromMapFunc(clusterOfPool)).
		WithOptions(controller.Options{MaxConcurrentReconciles: 4}).
		Complete(c); err != nil {
		return err
	}
	p := &pools{operator: o}
	if err := ctrl.NewControllerManagedBy(mgr).Named("hypershift-nodepool").
		For(&hyperv1.NodePool{}).
		Watches(&hyperv1.HostedCluster{}, handler.EnqueueRequestsFromMapFunc(o.poolsOfCluster)).
		Watches(obj.New(capiAPI, "Machine", "", ""), handler.EnqueueRequestsFromMapFunc(poolOfMachine)).
		Complete(p); err != nil {
		return err
	}
	m := &machines{operator: o}
	return ctrl.NewControllerManagedBy(mgr).Named("hypershift-machine").
		For(obj.New(capiAPI, "Machine", "", "")).
		Watches(obj.New(obj.AgentInstall, "Agent", "", ""), handler.EnqueueRequestsFromMapFunc(o.machinesOfAgent)).
		Complete(m)
}

// delay is a real duration, as long as it lasts here.
func (o *operator) delay(name string, real time.Duration) time.Duration {
	return o.world.Pace.Delay("hypershift."+name, real)
}

// silent says that the operator does not run: there is no Deployment, or it waits for a Secret that never comes.
func (o *operator) silent(ctx context.Context) (bool, error) {
	deployment := &appsv1.Deployment{}
	if err := o.client.Get(ctx, types.NamespacedName{Namespace: operatorNamespace, Name: operatorName}, deployment); err != nil {
		return true, client.IgnoreNotFound(err)
	}
	if !hasArgument(deployment, telemetryFlag) {
		return false, nil
	}
	err := o.client.Get(ctx, types.NamespacedName{Namespace: "openshift-monitoring", Name: "telemeter-client"}, &corev1.Secret{})
	return err != nil, client.IgnoreNotFound(err)
}

func hasArgument(d *appsv1.Deployment, argument string) bool {
	for _, c := range d.Spec.Template.Spec.Containers {
		for _, a := range append(append([]string{}, c.Command...), c.Args...) {
			if a == argument || a == argument+"=true" {
				return true
			}
		}
	}
	return false
}

// neighbours are the HostedClusters that an object of their namespace may belong to.
func (o *operator) neighbours(ctx context.Context, object client.Object) []reconcile.Request {
	switch object.GetNamespace() {
	case operatorNamespace, "openshift-monitoring":
		return o.allClusters(ctx, "")
	}
	return o.allClusters(ctx, object.GetNamespace())
}

func (o *operator) ofOperator(ctx context.Context, object client.Object) []reconcile.Request {
	if object.GetNamespace() != operatorNamespace {
		return nil
	}
	return o.allClusters(ctx, "")
}

func (o *operator) allClusters(ctx context.Context, namespace string) []reconcile.Request {
	var list hyperv1.HostedClusterList
	if err := o.client.List(ctx, &list, client.InNamespace(namespace)); err != nil {
		return nil
	}
	var requests []reconcile.Request
	for i := range list.Items {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
	}
	return requests
}

func clusterOfPool(_ context.Context, object client.Object) []reconcile.Request {
	pool, ok := object.(*hyperv1.NodePool)
	if !ok {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: pool.Namespace, Name: pool.Spec.ClusterName}}}
}

func (o *operator) poolsOfCluster(ctx context.Context, cluster client.Object) []reconcile.Request {
	pools, err := o.poolsOf(ctx, cluster.GetNamespace(), cluster.GetName())
	if err != nil {
		return nil
	}
	var requests []reconcile.Request
	for i := range pools {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&pools[i])})
	}
	return requests
}

func (o *operator) poolsOf(ctx context.Context, namespace, cluster string) ([]hyperv1.NodePool, error) {
	var list hyperv1.NodePoolList
	if err := o.client.List(ctx, &list, client.InNamespace(namespace)); err != nil {
		return nil, fmt.Errorf("listing NodePools: %w", err)
	}
	var found []hyperv1.NodePool
	for _, p := range list.Items {
		if p.Spec.ClusterName == cluster {
			found = append(found, p)
		}
	}
	return found, nil
}
