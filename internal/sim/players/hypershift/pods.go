package hypershift

import (
	"context"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// pods makes those pods of a control plane that do not run, as scheduler and kubelet show them. Pods that run are not
// made: nobody looks at them.
type pods struct {
	client             client.Client
	kubelet, scheduler events.EventRecorder

	mu   sync.Mutex
	made map[string]bool
}

func newPods(mgr ctrl.Manager, c client.Client) *pods {
	return &pods{client: c, kubelet: mgr.GetEventRecorder("kubelet"), scheduler: mgr.GetEventRecorder("default-scheduler"), made: map[string]bool{}}
}

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
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, Message: text, LastTransitionTime: at()}}
	p.scheduler.Eventf(pod, nil, corev1.EventTypeWarning, "FailedScheduling", "Scheduling", "%s", text)
	return p.write(ctx, pod)
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
	p.kubelet.Eventf(pod, nil, corev1.EventTypeNormal, "Pulling", "Pulling", "Pulling image %q", image)
	p.kubelet.Eventf(pod, nil, corev1.EventTypeWarning, "Failed", "Pulling", "Failed to pull image %q: %v", image, why)
	p.kubelet.Eventf(pod, nil, corev1.EventTypeWarning, "Failed", "Pulling", "Error: ErrImagePull")
	p.kubelet.Eventf(pod, nil, corev1.EventTypeNormal, "BackOff", "Pulling", "Back-off pulling image %q", image)
	p.kubelet.Eventf(pod, nil, corev1.EventTypeWarning, "Failed", "Pulling", "Error: ImagePullBackOff")
	return p.write(ctx, pod)
}

// crashing is a pod whose container ends again and again; said is what it said last.
func (p *pods) crashing(ctx context.Context, namespace, name, container, said string) error {
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
		LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1, Reason: "Error", Message: said}},
	}}
	p.kubelet.Eventf(pod, nil, corev1.EventTypeWarning, "BackOff", "Restarting", "Back-off restarting failed container %s in pod %s", container, id)
	return p.write(ctx, pod)
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
	at := int64(0)
	pod.Spec = corev1.PodSpec{NodeName: node, TerminationGracePeriodSeconds: &at, Containers: []corev1.Container{{Name: container, Image: image}}}
	if err := p.client.Create(ctx, pod); err != nil {
		return nil, fmt.Errorf("making pod %s: %w", name, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.made[namespace+"/"+name] = true
	return pod, nil
}

func (p *pods) write(ctx context.Context, pod *corev1.Pod) error {
	if err := p.client.Status().Update(ctx, pod); err != nil {
		return fmt.Errorf("writing the status of pod %s: %w", pod.Name, err)
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
