package hypershift

import (
	"context"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// pods makes those pods of a control plane that do not run, as scheduler and kubelet show them. Pods that run are not
// made: nobody looks at them.
type pods struct {
	client client.Client

	mu   sync.Mutex
	made map[string]bool
}

func newPods(c client.Client) *pods { return &pods{client: c, made: map[string]bool{}} }

// unscheduled is a pod that no node takes.
func (p *pods) unscheduled(ctx context.Context, namespace, name, container, why string) error {
	_, count, err := p.node(ctx)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("0/%[1]d nodes are available: %[2]s. preemption: 0/%[1]d nodes are available: %[1]d Preemption is not helpful for scheduling.", count, why)
	pod, err := p.pod(ctx, namespace, name, container, container, "")
	if err != nil {
		return err
	}
	pod.Status.Phase = corev1.PodPending
	if len(pod.Status.Conditions) == 0 {
		pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, Message: text, LastTransitionTime: at()}}
	}
	return p.write(ctx, pod, said{"default-scheduler", corev1.EventTypeWarning, "FailedScheduling", text})
}

// unpullable is a pod whose image cannot be pulled.
func (p *pods) unpullable(ctx context.Context, namespace, name, container, image string, why error) error {
	pod, err := p.scheduled(ctx, namespace, name, container, image)
	if err != nil {
		return err
	}
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
		Name: container, Image: image,
		State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{
			Reason: "ImagePullBackOff", Message: fmt.Sprintf("Back-off pulling image %q: ErrImagePull: %v", image, why),
		}},
	}}
	return p.write(ctx, pod,
		said{kubelet, corev1.EventTypeNormal, "Pulling", fmt.Sprintf("Pulling image %q", image)},
		said{kubelet, corev1.EventTypeWarning, "Failed", fmt.Sprintf("Failed to pull image %q: %v", image, why)},
		said{kubelet, corev1.EventTypeWarning, "Failed", "Error: ErrImagePull"},
		said{kubelet, corev1.EventTypeNormal, "BackOff", fmt.Sprintf("Back-off pulling image %q", image)},
		said{kubelet, corev1.EventTypeWarning, "Failed", "Error: ImagePullBackOff"})
}

// crashing is a pod whose container ends again and again; last is what it said then.
func (p *pods) crashing(ctx context.Context, namespace, name, container, last string) error {
	pod, err := p.scheduled(ctx, namespace, name, container, container)
	if err != nil {
		return err
	}
	id := name + "_" + namespace + "(" + string(pod.UID) + ")"
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
		Name: container, Image: container, RestartCount: 5,
		State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{
			Reason: "CrashLoopBackOff", Message: fmt.Sprintf("back-off 2m40s restarting failed container=%s pod=%s", container, id),
		}},
		LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1, Reason: "Error", Message: last}},
	}}
	return p.write(ctx, pod, said{kubelet, corev1.EventTypeWarning, "BackOff", fmt.Sprintf("Back-off restarting failed container %s in pod %s", container, id)})
}

func (p *pods) scheduled(ctx context.Context, namespace, name, container, image string) (*corev1.Pod, error) {
	node, _, err := p.node(ctx)
	if err != nil {
		return nil, err
	}
	pod, err := p.pod(ctx, namespace, name, container, image, node)
	if err != nil {
		return nil, err
	}
	now := at()
	pod.Status.Phase = corev1.PodPending
	if pod.Status.StartTime == nil {
		pod.Status.StartTime = &now
	}
	pod.Status.Conditions = []corev1.PodCondition{
		{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: *pod.Status.StartTime},
		{Type: corev1.PodReady, Status: corev1.ConditionFalse, Reason: "ContainersNotReady", Message: "containers with unready status: [" + container + "]", LastTransitionTime: *pod.Status.StartTime},
	}
	return pod, nil
}

// node is the first of the management cluster's nodes, and how many there are.
func (p *pods) node(ctx context.Context) (string, int, error) {
	var list corev1.NodeList
	if err := p.client.List(ctx, &list); err != nil {
		return "", 0, fmt.Errorf("listing nodes: %w", err)
	}
	if len(list.Items) == 0 {
		return "", 0, nil
	}
	return list.Items[0].Name, len(list.Items), nil
}

// pod finds or makes one. It has no time to end: nobody would end it.
func (p *pods) pod(ctx context.Context, namespace, name, container, image, node string) (*corev1.Pod, error) {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"app": container, "hypershift.openshift.io/control-plane-component": container}}}
	err := p.client.Get(ctx, client.ObjectKeyFromObject(pod), pod)
	if err == nil && pod.Spec.NodeName == node {
		return pod, nil
	}
	if err == nil {
		if err = p.client.Delete(ctx, pod); err != nil {
			return nil, fmt.Errorf("replacing pod %s: %w", name, err)
		}
		pod.ResourceVersion, pod.UID = "", ""
	} else if !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("reading pod %s: %w", name, err)
	}
	none := int64(0)
	pod.Spec = corev1.PodSpec{NodeName: node, TerminationGracePeriodSeconds: &none, Containers: []corev1.Container{{Name: container, Image: image}}}
	if err := p.client.Create(ctx, pod); err != nil {
		return nil, fmt.Errorf("making pod %s: %w", name, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.made[namespace+"/"+name] = true
	return pod, nil
}

// write writes what scheduler or kubelet found, and the events about it.
func (p *pods) write(ctx context.Context, pod *corev1.Pod, events ...said) error {
	if err := p.client.Status().Update(ctx, pod); err != nil {
		return fmt.Errorf("writing the status of pod %s: %w", pod.Name, err)
	}
	for _, e := range events {
		if err := p.say(ctx, pod, e); err != nil {
			return fmt.Errorf("writing an event of pod %s: %w", pod.Name, err)
		}
	}
	return nil
}

// gone removes a pod that was made here: it runs now.
func (p *pods) gone(ctx context.Context, namespace, name string) error {
	p.mu.Lock()
	made := p.made[namespace+"/"+name]
	delete(p.made, namespace+"/"+name)
	p.mu.Unlock()
	if !made {
		return nil
	}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	return client.IgnoreNotFound(p.client.Delete(ctx, pod))
}
