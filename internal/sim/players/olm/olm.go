// Package olm plays the Operator Lifecycle Manager: CatalogSources are connected to, a Subscription is resolved against
// its catalog, an InstallPlan makes a ClusterServiceVersion of it, and that installs where its namespace has exactly one
// OperatorGroup. An operator whose ClusterServiceVersion has Succeeded runs: its own player looks for that.
//
// Delays, by the name that --delay takes, with the real durations:
//
//	catalog        20 s   a CatalogSource's pod answers
//	olm-resolve    15 s   a Subscription is resolved and its InstallPlan made
//	olm-install    90 s   bundles are unpacked and the operator's Deployment runs
package olm

import (
	"context"
	"time"

	"github.com/labrun/labrun/internal/sim/players/obj"
	"github.com/labrun/labrun/internal/sim/players/stage"
	"github.com/labrun/labrun/internal/sim/world"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Player is OLM.
func Player() world.Player {
	return world.Player{Name: "olm", Plays: "Operator Lifecycle Manager", Setup: setUp}
}

type operator struct {
	client.Client
	world *world.World
	clock *stage.Clock
}

func setUp(mgr ctrl.Manager, w *world.World) error {
	c, err := obj.Client(mgr)
	if err != nil {
		return err
	}
	o := &operator{Client: c, world: w, clock: &stage.Clock{}}
	catalogs := ctrl.NewControllerManagedBy(mgr).Named("catalogsource").For(obj.New(obj.OLM, "CatalogSource", "", ""))
	if err := catalogs.Complete(each(o.catalog)); err != nil {
		return err
	}
	namespace := handler.EnqueueRequestsFromMapFunc(func(_ context.Context, u client.Object) []reconcile.Request {
		return []reconcile.Request{{NamespacedName: client.ObjectKey{Namespace: u.GetNamespace(), Name: "-"}}}
	})
	all := handler.EnqueueRequestsFromMapFunc(o.subscribedNamespaces)
	return ctrl.NewControllerManagedBy(mgr).Named("olm").
		Watches(obj.New(obj.OLM, "Subscription", "", ""), namespace).
		Watches(obj.New(obj.OLM, "InstallPlan", "", ""), namespace).
		Watches(obj.New(obj.OLM, "ClusterServiceVersion", "", ""), namespace).
		Watches(obj.New(obj.OLMGroup, "OperatorGroup", "", ""), namespace).
		Watches(obj.New(obj.OLM, "CatalogSource", "", ""), all).
		Complete(each(o.namespace))
}

// each makes a reconciler of a function over the object's key; namespaces are resolved as a whole, as OLM does.
type each func(ctx context.Context, key client.ObjectKey) (ctrl.Result, error)

func (f each) Reconcile(ctx context.Context, r ctrl.Request) (ctrl.Result, error) {
	return obj.Settle(f(ctx, r.NamespacedName))
}

func (o *operator) subscribedNamespaces(ctx context.Context, _ client.Object) []reconcile.Request {
	subscriptions, err := obj.List(ctx, o, obj.OLM, "Subscription")
	if err != nil {
		o.world.Log.Error("listing Subscriptions", "error", err)
		return nil
	}
	var all []reconcile.Request
	for _, s := range subscriptions {
		all = append(all, reconcile.Request{NamespacedName: client.ObjectKey{Namespace: s.GetNamespace(), Name: "-"}})
	}
	return all
}

// namespace brings all that OLM has in one namespace a step further.
func (o *operator) namespace(ctx context.Context, key client.ObjectKey) (ctrl.Result, error) {
	subscriptions, err := obj.List(ctx, o, obj.OLM, "Subscription", client.InNamespace(key.Namespace))
	if err != nil {
		return ctrl.Result{}, err
	}
	groups, err := o.groups(ctx, key.Namespace)
	if err != nil {
		return ctrl.Result{}, err
	}
	next := soonest{}
	for _, s := range subscriptions {
		left, err := o.subscription(ctx, &s)
		if err != nil {
			return ctrl.Result{}, err
		}
		next.add(left)
	}
	for _, part := range []func(context.Context, string, int) (time.Duration, error){o.installPlans, o.versions} {
		left, err := part(ctx, key.Namespace, groups)
		if err != nil {
			return ctrl.Result{}, err
		}
		next.add(left)
	}
	return ctrl.Result{RequeueAfter: next.after}, nil
}

// soonest is the shortest of several times that are not over.
type soonest struct{ after time.Duration }

func (s *soonest) add(d time.Duration) {
	if d > 0 && (s.after == 0 || d < s.after) {
		s.after = d
	}
}

// now is the present as objects hold it.
func now() string { return time.Now().UTC().Format(time.RFC3339) }
