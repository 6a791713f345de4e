package hypershift

import (
	"context"
	"fmt"
	"hash/fnv"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const kubelet = "kubelet"

// said is an event about a pod.
type said struct{ by, kind, reason, message string }

// say writes an event as kubelets do: of the core API, whose messages may be long, and counted when it comes again, once a
// second at most.
func (p *pods) say(ctx context.Context, pod *corev1.Pod, s said) error {
	sum := fnv.New64a()
	_, _ = fmt.Fprint(sum, pod.UID, s.reason, s.message)
	event := &corev1.Event{ObjectMeta: metav1.ObjectMeta{Namespace: pod.Namespace, Name: fmt.Sprintf("%s.%016x", pod.Name, sum.Sum64())}}
	now := at()
	err := p.client.Get(ctx, client.ObjectKeyFromObject(event), event)
	switch {
	case apierrors.IsNotFound(err):
		event.InvolvedObject = corev1.ObjectReference{APIVersion: "v1", Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID}
		event.Type, event.Reason, event.Message, event.Count = s.kind, s.reason, s.message, 1
		event.FirstTimestamp, event.LastTimestamp = now, now
		event.Source, event.ReportingController = corev1.EventSource{Component: s.by, Host: pod.Spec.NodeName}, s.by
		return p.client.Create(ctx, event)
	case err != nil || now.Sub(event.LastTimestamp.Time) < time.Second:
		return err
	}
	event.Count, event.LastTimestamp = event.Count+1, now
	return p.client.Update(ctx, event)
}
