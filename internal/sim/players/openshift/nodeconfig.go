package openshift

import (
	"context"
	"fmt"
	"strings"

	"github.com/labrun/labrun/internal/sim/players/obj"
	"github.com/labrun/labrun/internal/sim/players/stage"
	"github.com/labrun/labrun/internal/sim/world"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// ImageConfig plays the machine config operator as far as registries go: what images.config, the mirror sets and the
// trusted CAs say reaches the nodes after a while, during which the MachineConfigPools are Updating. A ConfigMap that
// images.config names and that does not exist is not complained about: the real operator only logs it.
func ImageConfig() world.Player {
	return world.Player{
		Name:  "image-config",
		Plays: "machine-config-operator, for registries and their certificates",
		Setup: func(mgr ctrl.Manager, w *world.World) error {
			c, err := obj.Client(mgr)
			if err != nil {
				return err
			}
			one := handler.EnqueueRequestsFromMapFunc(func(_ context.Context, o client.Object) []reconcile.Request {
				if o.GetNamespace() != "" && o.GetNamespace() != "openshift-config" {
					return nil
				}
				return []reconcile.Request{{NamespacedName: client.ObjectKey{Name: "cluster"}}}
			})
			return ctrl.NewControllerManagedBy(mgr).Named("image-config").
				For(obj.New(obj.Config, "Image", "", "")).
				Watches(obj.New(obj.Config, "ImageDigestMirrorSet", "", ""), one).
				Watches(obj.New(obj.Config, "ImageTagMirrorSet", "", ""), one).
				Watches(obj.New(obj.MachineConf, "MachineConfigPool", "", ""), one).
				Watches(&core.ConfigMap{}, one).
				Complete(&nodes{Client: c, pace: w.Pace, clock: &stage.Clock{}})
		},
	}
}

type nodes struct {
	client.Client
	pace  world.Pace
	clock *stage.Clock
	told  string // the configuration that the pools had when last looked at; "" at the start
}

// Reconcile rolls a changed configuration out to the pools. What it finds at its start is taken as rolled out.
func (n *nodes) Reconcile(ctx context.Context, _ ctrl.Request) (ctrl.Result, error) {
	config, err := n.configuration(ctx)
	if err != nil {
		return obj.Settle(ctrl.Result{}, err)
	}
	if n.told == "" {
		n.told = config
	}
	left := n.clock.Left(config, nodeConfigTime(n.pace))
	if config == n.told {
		left = 0
	}
	pools, err := obj.List(ctx, n, obj.MachineConf, "MachineConfigPool")
	if err != nil {
		return obj.Settle(ctrl.Result{}, err)
	}
	for _, pool := range pools {
		now := pool.DeepCopy()
		poolStatus(now, left > 0)
		if err := obj.WriteStatus(ctx, n, &pool, now); err != nil {
			return obj.Settle(ctrl.Result{}, err)
		}
	}
	if left == 0 {
		n.told = config
		n.clock.Forget("")
	}
	return ctrl.Result{RequeueAfter: left}, nil
}

// configuration is a digestible text of all that the nodes' registries configuration is made of.
func (n *nodes) configuration(ctx context.Context) (string, error) {
	var parts []string
	for _, kind := range []string{"ImageDigestMirrorSet", "ImageTagMirrorSet", "Image"} {
		items, err := obj.List(ctx, n, obj.Config, kind)
		if err != nil {
			return "", err
		}
		for _, item := range items {
			parts = append(parts, fmt.Sprintf("%s/%s/%v", kind, item.GetName(), item.Object["spec"]))
			if ca := obj.String(&item, "spec", "additionalTrustedCA", "name"); ca != "" {
				cm := &core.ConfigMap{}
				if err := n.Get(ctx, client.ObjectKey{Namespace: "openshift-config", Name: ca}, cm); client.IgnoreNotFound(err) != nil {
					return "", err
				}
				parts = append(parts, fmt.Sprint(cm.Data))
			}
		}
	}
	return strings.Join(parts, "\n") + "\n", nil
}

func poolStatus(pool *unstructured.Unstructured, updating bool) {
	machines, _, _ := unstructured.NestedInt64(pool.Object, "status", "machineCount")
	done := machines
	if updating {
		done = 0
	}
	for _, field := range []string{"readyMachineCount", "updatedMachineCount"} {
		obj.Set(pool, done, "status", field)
	}
	obj.Set(pool, machines, "status", "machineCount")
	rendered := obj.String(pool, "spec", "configuration", "name")
	updated := obj.Condition{Type: "Updated", Status: obj.True, Message: "All nodes are updated with MachineConfig " + rendered}
	under := obj.Condition{Type: "Updating", Status: obj.False}
	if updating {
		updated = obj.Condition{Type: "Updated", Status: obj.False}
		under = obj.Condition{Type: "Updating", Status: obj.True, Message: "All nodes are updating to MachineConfig " + rendered}
	}
	obj.SetCondition(pool, updated)
	obj.SetCondition(pool, under)
	obj.SetCondition(pool, obj.Condition{Type: "Degraded", Status: obj.False})
}
