package hypershift

import (
	"context"
	"fmt"
	"time"

	hyperv1 "github.com/openshift/hypershift/api/hypershift/v1beta1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/labrun/labrun/internal/sim/players/obj"
)

// remove takes a HostedCluster down: NodePools, Cluster, HostedControlPlane, namespace, and lets it go. What holds a
// step up (a finalizer of somebody else's, a Machine that cannot be drained) holds up all that follow.
func (c *clusters) remove(ctx context.Context, hc *hyperv1.HostedCluster) (reconcile.Result, error) {
	look := reconcile.Result{RequeueAfter: c.delay("retest", 30*time.Second)}
	pools, err := c.poolsOf(ctx, hc.Namespace, hc.Name)
	if err != nil {
		return reconcile.Result{}, err
	}
	for i := range pools {
		if pools[i].DeletionTimestamp == nil {
			if err := c.client.Delete(ctx, &pools[i]); client.IgnoreNotFound(err) != nil {
				return reconcile.Result{}, fmt.Errorf("failed to delete NodePool %q for cluster %q: %w", pools[i].Name, hc.Name, err)
			}
		}
	}
	if len(pools) > 0 {
		return look, nil
	}
	for _, step := range []struct{ apiVersion, kind, name, finalizer string }{
		{capiAPI, "Cluster", hc.Spec.InfraID, clusterCRFinalizer},
		{agentAPI, "AgentCluster", hc.Name, ""},
		{hiveAPI, "ClusterDeployment", hc.Name, ""},
		{hyperAPI, "HostedControlPlane", hc.Name, controlPlaneFinalizer},
	} {
		if gone, err := c.take(ctx, step.apiVersion, step.kind, planeNamespace(hc), step.name, step.finalizer); err != nil || !gone {
			return look, err
		}
	}
	if left := c.clock.Left(string(hc.UID)+"/teardown", c.delay("teardown", 30*time.Second)); left > 0 {
		return reconcile.Result{RequeueAfter: left}, nil
	}
	if gone, err := c.removeNamespace(ctx, hc); err != nil || !gone {
		return look, err
	}
	c.hosted.forget(planeNamespace(hc))
	original := hc.DeepCopy()
	controllerutil.RemoveFinalizer(hc, clusterFinalizer)
	return reconcile.Result{}, client.IgnoreNotFound(c.client.Patch(ctx, hc, client.MergeFrom(original)))
}

// take deletes an object of the control plane and takes its own finalizer off; gone is whether it is no more there.
func (c *clusters) take(ctx context.Context, apiVersion, kind, namespace, name, finalizer string) (bool, error) {
	if name == "" {
		return true, nil
	}
	found, err := obj.Get(ctx, c.client, apiVersion, kind, namespace, name)
	if err != nil || found == nil {
		return found == nil, err
	}
	if found.GetDeletionTimestamp() == nil {
		if err := c.client.Delete(ctx, found); client.IgnoreNotFound(err) != nil {
			return false, fmt.Errorf("deleting %s %s/%s: %w", kind, namespace, name, err)
		}
	}
	original := found.DeepCopy()
	if finalizer != "" && controllerutil.RemoveFinalizer(found, finalizer) {
		if err := c.client.Patch(ctx, found, client.MergeFrom(original)); client.IgnoreNotFound(err) != nil {
			return false, fmt.Errorf("releasing %s %s/%s: %w", kind, namespace, name, err)
		}
	}
	return c.gone(ctx, found)
}

// removeNamespace deletes the control plane's namespace and all in it, unless the HostedCluster says to keep it.
func (c *clusters) removeNamespace(ctx context.Context, hc *hyperv1.HostedCluster) (bool, error) {
	if hc.Annotations[keepNamespace] == "true" {
		return true, nil
	}
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: planeNamespace(hc)}}
	if gone, err := c.gone(ctx, ns); err != nil || gone {
		return gone, err
	}
	if ns.DeletionTimestamp == nil {
		if err := c.client.Delete(ctx, ns); client.IgnoreNotFound(err) != nil {
			return false, fmt.Errorf("deleting namespace %s: %w", ns.Name, err)
		}
	}
	return false, nil
}
