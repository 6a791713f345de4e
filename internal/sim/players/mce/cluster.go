package mce

import (
	"context"

	"github.com/labrun/labrun/internal/sim/players/obj"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// cluster imports the hub as a cluster that it manages itself, where that is enabled.
func (e *engine) cluster(ctx context.Context, spec engineSpec, r *report) error {
	was, err := obj.Get(ctx, e, obj.Cluster, "ManagedCluster", "", localCluster)
	if err != nil {
		return err
	}
	if !spec.enabled("local-cluster") {
		if was == nil {
			return nil
		}
		return client.IgnoreNotFound(e.Delete(ctx, was))
	}
	if was == nil {
		was = obj.New(obj.Cluster, "ManagedCluster", "", localCluster)
		was.SetLabels(map[string]string{"local-cluster": "true", "cloud": "auto-detect", "vendor": "auto-detect", "velero.io/exclude-from-backup": "true"})
		obj.Set(was, map[string]any{"hubAcceptsClient": true, "leaseDurationSeconds": int64(60)}, "spec")
		if err := e.Create(ctx, was); err != nil {
			return err
		}
	}
	namespace := &core.Namespace{ObjectMeta: meta.ObjectMeta{Name: localCluster, Labels: map[string]string{"cluster.open-cluster-management.io/managedCluster": localCluster}}}
	if err := obj.Create(ctx, e, namespace); err != nil {
		return err
	}
	now := was.DeepCopy()
	obj.SetCondition(now, obj.Condition{Type: "HubAcceptedManagedCluster", Status: obj.True, Reason: "HubClusterAdminAccepted", Message: "Accepted by hub cluster admin"})
	left := e.clock.Left(string(was.GetUID()), importTime(e.world.Pace))
	if obj.FindCondition(was, "ManagedClusterConditionAvailable").Status == obj.True {
		left = 0
	}
	state := componentState{localCluster, "local-cluster", "HubAcceptedManagedCluster", obj.True, "HubClusterAdminAccepted", "Accepted by hub cluster admin", false}
	if left == 0 {
		obj.SetCondition(now, obj.Condition{Type: "ManagedClusterJoined", Status: obj.True, Reason: "ManagedClusterJoined", Message: "Managed cluster joined"})
		obj.SetCondition(now, obj.Condition{Type: "ManagedClusterConditionAvailable", Status: obj.True, Reason: "ManagedClusterAvailable", Message: "Managed cluster is available"})
		state = componentState{localCluster, "local-cluster", "ManagedClusterImportSuccess", obj.True, "ManagedClusterImported", "ManagedCluster is accepted, joined, and available", true}
	}
	r.wait(left)
	r.components = append(r.components, state)
	return obj.WriteStatus(ctx, e, was, now)
}
