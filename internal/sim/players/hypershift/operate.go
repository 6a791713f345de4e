package hypershift

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	configv1 "github.com/openshift/api/config/v1"
	hyperv1 "github.com/openshift/hypershift/api/hypershift/v1beta1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// planeOperators run in the control plane, workerOperators on workers.
func planeOperators() []string {
	return []string{
		"csi-snapshot-controller", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "openshift-apiserver",
		"openshift-controller-manager", "openshift-samples", "operator-lifecycle-manager", "operator-lifecycle-manager-catalog",
		"operator-lifecycle-manager-packageserver",
	}
}

func workerOperators() []string {
	return []string{
		"dns", "image-registry", "insights", "kube-storage-version-migrator", "monitoring", "network", "node-tuning", "service-ca", "storage",
	}
}

// workers is how many nodes the node pools of a cluster ask for.
func (c *clusters) workers(ctx context.Context, hc *hyperv1.HostedCluster) (int, error) {
	pools, err := c.poolsOf(ctx, hc.Namespace, hc.Name)
	if err != nil {
		return 0, err
	}
	wanted := 0
	for _, p := range pools {
		if p.Spec.Replicas != nil {
			wanted += int(*p.Spec.Replicas)
		}
	}
	return wanted, nil
}

// operate does in the hosted cluster what its own operators do, and tells the HostedCluster of it.
func (c *clusters) operate(ctx context.Context, hc *hyperv1.HostedCluster, found release) (time.Duration, error) {
	site, err := c.hosted.client(ctx, planeNamespace(hc))
	if err != nil {
		return 0, err
	}
	again := c.delay("hosted", 10*time.Second)
	ready, err := readyNodes(ctx, site)
	if err != nil {
		return 0, err
	}
	workers, err := c.workers(ctx, hc)
	if err != nil {
		return 0, err
	}
	routers, err := placeRouters(ctx, site, ready, workers, hc.Spec.InfrastructureAvailabilityPolicy)
	if err != nil {
		return 0, err
	}
	if len(ready) > 0 {
		if left := c.settled(hc); left > 0 {
			ready, again = nil, left
		}
	}
	view := ingress{Domain: "apps." + hc.Name + "." + hc.Spec.DNS.BaseDomain, Server: c.names.server, Routers: routers}
	if len(routers) > 0 {
		view.Answers, view.Err = c.names.lookup(ctx, view.console())
	}
	missing, err := writeOperators(ctx, site, len(ready) > 0, view, found.Version, c.brokenOperators())
	if err != nil {
		return 0, err
	}
	if err := writeVersion(ctx, site, hc, found, missing); err != nil {
		return 0, err
	}
	c.tellVersion(hc, found, missing)
	if len(missing) == 0 {
		return 6 * again, nil
	}
	return again, nil
}

// settled is how long the operators on workers still take; none once they were through.
func (c *clusters) settled(hc *hyperv1.HostedCluster) time.Duration {
	if v := hc.Status.Version; v != nil && len(v.History) > 0 && v.History[0].State == configv1.CompletedUpdate {
		return 0
	}
	return c.clock.Left(string(hc.UID)+"/operators", c.delay("operators", 2*time.Minute))
}

// tellVersion says on the HostedCluster how far the hosted ClusterVersion is.
func (c *clusters) tellVersion(hc *hyperv1.HostedCluster, found release, missing []string) {
	history := &hc.Status.Version.History[0]
	connected := note{hyperv1.ConditionType("DataPlaneConnectionAvailable"), true, hyperv1.AsExpectedReason, hyperv1.AllIsWellMessage}
	if len(missing) > 0 {
		text := waitingFor(missing)
		tell(hc,
			note{hyperv1.ClusterVersionAvailable, false, hyperv1.FromClusterVersionReason, "Condition not found in the CVO."},
			note{hyperv1.ClusterVersionSucceeding, false, "ClusterOperatorsNotAvailable", text},
			note{hyperv1.ClusterVersionProgressing, true, "ClusterOperatorsNotAvailable", fmt.Sprintf("Unable to apply %s: some cluster operators are not available", found.Version)})
		return
	}
	if history.State != configv1.CompletedUpdate {
		history.State = configv1.CompletedUpdate
		now := at()
		history.CompletionTime = &now
		c.log.Info("hosted cluster completed", "hostedcluster", hc.Name, "version", found.Version)
	}
	tell(hc, connected,
		note{hyperv1.ClusterVersionAvailable, true, hyperv1.FromClusterVersionReason, "Done applying " + found.Version},
		note{hyperv1.ClusterVersionSucceeding, true, hyperv1.FromClusterVersionReason, ""},
		note{hyperv1.ClusterVersionProgressing, false, hyperv1.FromClusterVersionReason, "Cluster version is " + found.Version})
	c.tellProgress(hc, nil)
}

func waitingFor(missing []string) string {
	if len(missing) == 1 {
		return fmt.Sprintf("Cluster operator %s is not available", missing[0])
	}
	return fmt.Sprintf("Cluster operators %s are not available", strings.Join(missing, ", "))
}

// readyNodes are the hosted cluster's nodes that are Ready.
func readyNodes(ctx context.Context, site client.Client) ([]corev1.Node, error) {
	var list corev1.NodeList
	if err := site.List(ctx, &list); err != nil {
		return nil, fmt.Errorf("listing the hosted cluster's nodes: %w", err)
	}
	var ready []corev1.Node
	for _, n := range list.Items {
		for _, c := range n.Status.Conditions {
			if c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue && n.DeletionTimestamp == nil {
				ready = append(ready, n)
			}
		}
	}
	return ready, nil
}

// internalIPs are a node's own addresses.
func internalIPs(n corev1.Node) []netip.Addr {
	var found []netip.Addr
	for _, a := range n.Status.Addresses {
		if addr, err := netip.ParseAddr(a.Address); err == nil && a.Type == corev1.NodeInternalIP {
			found = append(found, addr.Unmap())
		}
	}
	return found
}
