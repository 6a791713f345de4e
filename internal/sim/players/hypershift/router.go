package hypershift

import (
	"context"
	"fmt"
	"net/netip"

	hyperv1 "github.com/openshift/hypershift/api/hypershift/v1beta1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	routerNamespace = "openshift-ingress"
	routerName      = "router-default"
	routerLabel     = "ingresscontroller.operator.openshift.io/deployment-ingresscontroller"
)

// placeRouters runs the router on ready nodes, one replica or two, and gives the addresses at which it listens: those
// of its nodes (it uses their network), and of load balancers in its namespace. The first router waits until all workers
// are ready: then the nodes' names decide where it runs, and not who was first, so that the lab's name server can know.
func placeRouters(ctx context.Context, site client.Client, ready []corev1.Node, workers int, policy hyperv1.AvailabilityPolicy) (map[netip.Addr]string, error) {
	replicas := 1
	if policy == hyperv1.HighlyAvailable {
		replicas = 2
	}
	if err := routerDeployment(ctx, site, int32(replicas), int32(min(replicas, len(ready)))); err != nil {
		return nil, err
	}
	var pods corev1.PodList
	if err := site.List(ctx, &pods, client.InNamespace(routerNamespace), client.MatchingLabels{routerLabel: "default"}); err != nil {
		return nil, fmt.Errorf("listing router pods: %w", err)
	}
	byName := map[string]corev1.Node{}
	for _, n := range ready {
		byName[n.Name] = n
	}
	running := map[string]bool{}
	for i := range pods.Items {
		if _, ok := byName[pods.Items[i].Spec.NodeName]; ok && len(running) < replicas {
			running[pods.Items[i].Spec.NodeName] = true
			continue
		}
		if err := site.Delete(ctx, &pods.Items[i], client.GracePeriodSeconds(0)); client.IgnoreNotFound(err) != nil {
			return nil, fmt.Errorf("moving a router pod: %w", err)
		}
	}
	if len(running) == 0 && len(ready) < workers {
		return map[netip.Addr]string{}, nil
	}
	for _, n := range ready {
		if len(running) < replicas && !running[n.Name] {
			if err := routerPod(ctx, site, n); err != nil {
				return nil, err
			}
			running[n.Name] = true
		}
	}
	return routerAddresses(ctx, site, running, byName)
}

func routerAddresses(ctx context.Context, site client.Client, running map[string]bool, byName map[string]corev1.Node) (map[netip.Addr]string, error) {
	found := map[netip.Addr]string{}
	for name := range running {
		for _, addr := range internalIPs(byName[name]) {
			found[addr] = name
		}
	}
	if len(found) == 0 {
		return found, nil
	}
	var services corev1.ServiceList
	if err := site.List(ctx, &services, client.InNamespace(routerNamespace)); err != nil {
		return nil, fmt.Errorf("listing router services: %w", err)
	}
	for _, s := range services.Items {
		for _, balancer := range s.Status.LoadBalancer.Ingress {
			if addr, err := netip.ParseAddr(balancer.IP); err == nil {
				found[addr.Unmap()] = s.Name
			}
		}
	}
	return found, nil
}

func routerDeployment(ctx context.Context, site client.Client, replicas, running int32) error {
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: routerNamespace}}
	if err := site.Create(ctx, ns); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("making namespace %s of the hosted cluster: %w", routerNamespace, err)
	}
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: routerNamespace, Name: routerName}}
	err := site.Get(ctx, client.ObjectKeyFromObject(d), d)
	if apierrors.IsNotFound(err) {
		labels := map[string]string{routerLabel: "default"}
		d.Spec = appsv1.DeploymentSpec{
			Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: routerPodSpec("")},
		}
		err = site.Create(ctx, d)
	}
	if err != nil {
		return fmt.Errorf("making the router of the hosted cluster: %w", err)
	}
	if d.Status.ReadyReplicas == running && d.Status.ObservedGeneration == d.Generation {
		return nil
	}
	status := corev1.ConditionTrue
	if running == 0 {
		status = corev1.ConditionFalse
	}
	d.Status = appsv1.DeploymentStatus{
		ObservedGeneration: d.Generation, Replicas: replicas, UpdatedReplicas: replicas, ReadyReplicas: running, AvailableReplicas: running,
		UnavailableReplicas: replicas - running,
		Conditions: []appsv1.DeploymentCondition{{
			Type: appsv1.DeploymentAvailable, Status: status, Reason: "MinimumReplicasAvailable", LastUpdateTime: at(), LastTransitionTime: at(),
		}},
	}
	if err := site.Status().Update(ctx, d); err != nil {
		return fmt.Errorf("writing the router's status: %w", err)
	}
	return nil
}

func routerPodSpec(node string) corev1.PodSpec {
	return corev1.PodSpec{
		NodeName: node, HostNetwork: true,
		Containers: []corev1.Container{{
			Name: "router", Image: "router",
			Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 80, HostPort: 80}, {Name: "https", ContainerPort: 443, HostPort: 443}},
		}},
	}
}

func routerPod(ctx context.Context, site client.Client, node corev1.Node) error {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: routerNamespace, Name: routerName + "-" + letters(10) + "-" + letters(5),
			Labels: map[string]string{routerLabel: "default"},
		},
		Spec: routerPodSpec(node.Name),
	}
	if err := site.Create(ctx, pod); err != nil {
		return fmt.Errorf("starting a router on %s: %w", node.Name, err)
	}
	now := at()
	pod.Status.Phase, pod.Status.StartTime = corev1.PodRunning, &now
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: now}}
	for _, addr := range internalIPs(node) {
		if pod.Status.HostIP == "" {
			pod.Status.HostIP, pod.Status.PodIP = addr.String(), addr.String()
			pod.Status.HostIPs = []corev1.HostIP{{IP: addr.String()}}
			pod.Status.PodIPs = []corev1.PodIP{{IP: addr.String()}}
		}
	}
	if err := site.Status().Update(ctx, pod); err != nil {
		return fmt.Errorf("writing the status of router %s: %w", pod.Name, err)
	}
	return nil
}
