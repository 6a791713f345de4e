package mce

import (
	"context"
	"slices"
	"time"

	"github.com/labrun/labrun/internal/sim/players/obj"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// uninstall removes what was made, and lets the MultiClusterEngine go when all of it is gone. Deployments go with
// their owner; namespace hive stays, as Hive leaves it.
func (e *engine) uninstall(ctx context.Context, m *unstructured.Unstructured) (time.Duration, error) {
	if !slices.Contains(m.GetFinalizers(), finalizer) {
		return 0, nil
	}
	now := m.DeepCopy()
	obj.Set(now, "Uninstalling", "status", "phase")
	if err := obj.WriteStatus(ctx, e, m, now); err != nil {
		return 0, err
	}
	left := 0
	for _, o := range []client.Object{
		obj.New(obj.Addon, "ManagedClusterAddOn", localCluster, "hypershift-addon"),
		&apps.Deployment{ObjectMeta: meta.ObjectMeta{Namespace: "hypershift", Name: "operator"}},
		obj.New(obj.Cluster, "ManagedCluster", "", localCluster),
		namespace(localCluster), namespace("hypershift"), namespace("open-cluster-management-hub"),
		namespace("open-cluster-management-agent"), namespace("open-cluster-management-agent-addon"),
	} {
		err := e.Delete(ctx, o)
		if client.IgnoreNotFound(err) != nil && !apierrors.IsConflict(err) { // a namespace that is going already is one
			return 0, err
		}
		if err == nil || apierrors.IsConflict(err) {
			left++
		}
	}
	if left > 0 {
		return e.world.Pace.Delay("mce-uninstall", time.Minute), nil
	}
	without := now.DeepCopy()
	without.SetFinalizers(slices.DeleteFunc(without.GetFinalizers(), func(f string) bool { return f == finalizer }))
	e.clock.Forget(string(m.GetUID()))
	_, err := obj.Write(ctx, e, now, without)
	return 0, err
}

func namespace(name string) *core.Namespace {
	return &core.Namespace{ObjectMeta: meta.ObjectMeta{Name: name}}
}
