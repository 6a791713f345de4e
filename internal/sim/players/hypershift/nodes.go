package hypershift

import (
	"context"
	"fmt"
	"strings"
	"time"

	hyperv1 "github.com/openshift/hypershift/api/hypershift/v1beta1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// node brings the Node of an installed Agent about: it exists some time after the reboot and is Ready some time later.
func (m *machines) node(ctx context.Context, one *machine, hc *hyperv1.HostedCluster, agent string, view agentView) (name string, healthy bool, again time.Duration, err error) {
	if !view.installed() {
		return "", false, 0, nil // the Agent is watched
	}
	key := string(one.object.GetUID())
	if one.Status.NodeRef == nil {
		if left := m.clock.Left(key+"/join", m.delay("join", 3*time.Minute)); left > 0 {
			return "", false, left, nil
		}
	}
	site, err := m.hosted.client(ctx, planeNamespace(hc))
	if err != nil {
		return "", false, 0, err
	}
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: view.hostname()}}
	err = site.Get(ctx, client.ObjectKeyFromObject(n), n)
	if apierrors.IsNotFound(err) {
		n.Labels = map[string]string{
			"kubernetes.io/hostname": n.Name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
			"node-role.kubernetes.io/worker": "", "hypershift.openshift.io/managed": "true",
		}
		n.Spec.ProviderID = "agent://" + agent
		err = site.Create(ctx, n)
	}
	if err != nil {
		return "", false, 0, fmt.Errorf("joining node %s: %w", n.Name, err)
	}
	if isReady(n) {
		return n.Name, true, 0, nil
	}
	left := m.clock.Left(key+"/ready", m.delay("node-ready", time.Minute))
	if err := m.nodeStatus(ctx, site, n, view, left <= 0); err != nil {
		return "", false, 0, err
	}
	return n.Name, left <= 0, left, nil
}

func isReady(n *corev1.Node) bool {
	for _, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

func (m *machines) nodeStatus(ctx context.Context, site client.Client, n *corev1.Node, view agentView, ready bool) error {
	state, reason, text := corev1.ConditionFalse, "KubeletNotReady", "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady"
	if ready {
		state, reason, text = corev1.ConditionTrue, "KubeletReady", "kubelet is posting ready status"
	}
	now := at()
	n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: state, Reason: reason, Message: text, LastHeartbeatTime: now, LastTransitionTime: now}}
	n.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeHostName, Address: n.Name}}
	for _, nic := range view.Status.Inventory.Interfaces {
		for _, prefix := range append(append([]string{}, nic.IPv4...), nic.IPv6...) {
			address, _, _ := strings.Cut(prefix, "/")
			if !strings.HasPrefix(strings.ToLower(address), "fe80:") {
				n.Status.Addresses = append(n.Status.Addresses, corev1.NodeAddress{Type: corev1.NodeInternalIP, Address: address})
			}
		}
	}
	n.Status.Capacity = corev1.ResourceList{
		corev1.ResourceCPU:    *resource.NewQuantity(view.Status.Inventory.CPU.Count, resource.DecimalSI),
		corev1.ResourceMemory: *resource.NewQuantity(view.Status.Inventory.Memory.PhysicalBytes, resource.BinarySI),
	}
	n.Status.NodeInfo = corev1.NodeSystemInfo{OperatingSystem: "linux", Architecture: "amd64", OSImage: "Red Hat Enterprise Linux CoreOS (simulated)", KubeletVersion: "v1.33.5"}
	if err := site.Status().Update(ctx, n); err != nil {
		return fmt.Errorf("writing the status of node %s: %w", n.Name, err)
	}
	return nil
}

// drain empties and deletes a Machine's Node. A hosted API that does not answer holds it up until nodeDrainTimeout
// has passed, for ever where that is zero or not set.
func (m *machines) drain(ctx context.Context, one *machine, pool *hyperv1.NodePool, hc *hyperv1.HostedCluster) (time.Duration, error) {
	key := string(one.object.GetUID())
	if left := m.clock.Left(key+"/drain", m.delay("drain", 20*time.Second)); left > 0 {
		return left, nil
	}
	site, err := m.hosted.client(ctx, planeNamespace(hc))
	if err == nil {
		err = site.Delete(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: one.Status.NodeRef.Name}})
	}
	if client.IgnoreNotFound(err) == nil {
		return 0, nil
	}
	m.log.Info("node cannot be drained", "node", one.Status.NodeRef.Name, "why", err.Error())
	retest := m.delay("retest", 30*time.Second)
	if pool == nil || pool.Spec.NodeDrainTimeout == nil || pool.Spec.NodeDrainTimeout.Duration == 0 {
		return retest, nil
	}
	if left := m.clock.Left(key+"/drain-timeout", m.delay("drain-timeout", pool.Spec.NodeDrainTimeout.Duration)); left > 0 {
		return min(left, retest), nil
	}
	return 0, nil
}
