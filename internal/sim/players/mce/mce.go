// Package mce plays the multicluster engine operator (backplane-operator) and what it brings: the components'
// Deployments, the local cluster with its hypershift-addon, and the HyperShift operator's Deployment. It is there once
// OLM has installed it: while no ClusterServiceVersion of it has Succeeded, nothing happens to a MultiClusterEngine.
//
// The HyperShift operator is run with the flags that the add-on gives it. ConfigMap hypershift-operator-install-flags in
// the local cluster's namespace adds and removes some; with --enable-uwm-telemetry-remote-write among them and no Secret
// telemeter-client in openshift-monitoring, that operator reconciles no HostedCluster and says so in its log only.
//
// Delays, by the name that --delay takes, with the real durations:
//
//	mce-install       2 min  the operator starts to deploy components
//	mce-uninstall    60 s    between two looks at what is left of a MultiClusterEngine that is deleted
//	local-cluster    90 s    the hub is imported as a managed cluster
//	hypershift-addon 60 s    the add-on's agent installs the HyperShift operator
//
// Deployments take the time that players/openshift gives them.
package mce

import (
	"context"
	"strings"
	"time"

	"github.com/labrun/labrun/internal/sim/players/admit"
	"github.com/labrun/labrun/internal/sim/players/obj"
	"github.com/labrun/labrun/internal/sim/players/stage"
	"github.com/labrun/labrun/internal/sim/world"
	registration "k8s.io/api/admissionregistration/v1"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Player is the multicluster engine operator.
func Player() world.Player {
	return world.Player{Name: "mce", Plays: "multicluster engine operator, its local cluster and hypershift-addon", Setup: setUp}
}

const (
	hookName     = "multiclusterengines.multicluster.openshift.io"
	localCluster = "local-cluster"
	finalizer    = "finalizer.multicluster.openshift.io"
	installFlags = "hypershift-operator-install-flags"
)

func installTime(p world.Pace) time.Duration { return p.Delay("mce-install", 2*time.Minute) }
func importTime(p world.Pace) time.Duration  { return p.Delay("local-cluster", 90*time.Second) }
func addonTime(p world.Pace) time.Duration   { return p.Delay("hypershift-addon", time.Minute) }

type engine struct {
	client.Client
	world *world.World
	clock *stage.Clock
	hooks *admit.Server
}

func setUp(mgr ctrl.Manager, w *world.World) error {
	c, err := obj.Client(mgr)
	if err != nil {
		return err
	}
	e := &engine{Client: c, world: w, clock: &stage.Clock{}}
	e.hooks, err = admit.Listen(admit.Hook{
		Name: hookName, Group: "multicluster.openshift.io", Version: "v1", Resource: "multiclusterengines",
		Operations: []registration.OperationType{registration.Create, registration.Update, registration.Delete},
		Judge:      e.admit,
	})
	if err != nil {
		return err
	}
	if err := mgr.Add(e.hooks); err != nil {
		return err
	}
	all := handler.EnqueueRequestsFromMapFunc(e.all)
	return ctrl.NewControllerManagedBy(mgr).Named("multiclusterengine").
		For(obj.New(obj.MCE, "MultiClusterEngine", "", "")).
		Watches(obj.New(obj.OLM, "ClusterServiceVersion", "", ""), all).
		Watches(&apps.Deployment{}, all).
		Watches(&core.ConfigMap{}, all).
		Watches(obj.New(obj.Cluster, "ManagedCluster", "", ""), all).
		Watches(obj.New(obj.Addon, "ManagedClusterAddOn", "", ""), all).
		Complete(e)
}

// all asks for every MultiClusterEngine where something that one depends on has changed, and for none in particular,
// so that the webhook follows the operator.
func (e *engine) all(ctx context.Context, o client.Object) []reconcile.Request {
	switch o.(type) {
	case *core.ConfigMap:
		if o.GetName() != installFlags {
			return nil
		}
	case *apps.Deployment:
		if o.GetNamespace() == "openshift-machine-api" {
			return nil
		}
	}
	requests := []reconcile.Request{{NamespacedName: client.ObjectKey{Name: "-"}}}
	engines, err := obj.List(ctx, e, obj.MCE, "MultiClusterEngine")
	if err != nil {
		e.world.Log.Error("listing MultiClusterEngines", "error", err)
	}
	for _, m := range engines {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKey{Name: m.GetName()}})
	}
	return requests
}

// Reconcile brings one MultiClusterEngine a step further.
func (e *engine) Reconcile(ctx context.Context, r ctrl.Request) (ctrl.Result, error) {
	return obj.Settle(e.reconcile(ctx, r.Name))
}

func (e *engine) reconcile(ctx context.Context, name string) (ctrl.Result, error) {
	version, phase, err := e.installed(ctx)
	if err != nil {
		return ctrl.Result{}, err
	}
	switch phase {
	case "Succeeded":
		err = e.hooks.Register(ctx, e, hookName)
	case "Installing": // OLM installs an operator's webhooks before it calls the operator installed
		return ctrl.Result{}, e.hooks.Register(ctx, e, hookName)
	default:
		return ctrl.Result{}, admit.Unregister(ctx, e, hookName)
	}
	if err != nil {
		return ctrl.Result{}, err
	}
	m, err := obj.Get(ctx, e, obj.MCE, "MultiClusterEngine", "", name)
	if err != nil || m == nil {
		return ctrl.Result{}, err
	}
	if m.GetDeletionTimestamp() != nil {
		left, err := e.uninstall(ctx, m)
		return ctrl.Result{RequeueAfter: left}, err
	}
	with := m.DeepCopy()
	if err := setDefaults(with); err != nil {
		return ctrl.Result{}, err
	}
	if changed, err := obj.Write(ctx, e, m, with); err != nil || changed {
		return ctrl.Result{}, err
	}
	left, err := e.install(ctx, m, version)
	return ctrl.Result{RequeueAfter: left}, err
}

// installed is the version of the operator and the phase of its ClusterServiceVersion.
func (e *engine) installed(ctx context.Context) (version, phase string, err error) {
	versions, err := obj.List(ctx, e, obj.OLM, "ClusterServiceVersion")
	if err != nil {
		return "", "", err
	}
	for _, v := range versions {
		number, ours := strings.CutPrefix(v.GetName(), "multicluster-engine.v")
		if !ours {
			continue
		}
		version, phase = number, obj.String(&v, "status", "phase")
		if phase == "Succeeded" {
			break
		}
	}
	return version, phase, nil
}
