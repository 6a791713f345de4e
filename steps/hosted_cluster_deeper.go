package steps

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps/crd"
	"github.com/labrun/labrun/steps/kube"
	"github.com/labrun/labrun/steps/trouble"
)

func planeOf(f *labs.Facts, kind string) kube.Ref {
	return kube.Ref{APIVersion: "v1", Kind: kind, Namespace: f.ControlPlaneNamespace()}
}

func hostedControlPlane(f *labs.Facts) kube.Ref {
	return kube.Ref{APIVersion: hyperShiftVersion, Kind: "HostedControlPlane", Namespace: f.ControlPlaneNamespace(), Name: f.Hosted.Name, Optional: true}
}

// Follows looks behind a HostedCluster that is not Available: at its control
// plane, the pods and claims of it, and, where a claim waits, at the events.
func (HostedCluster) Follows(f *labs.Facts, seen kube.Seen) []kube.Ref {
	u := seen.Get(hostedClusterRef(f))
	if u == nil || crd.ConditionOf(u, "Available").Is("True") {
		return nil
	}
	refs := []kube.Ref{hostedControlPlane(f), planeOf(f, "Pod"), planeOf(f, "PersistentVolumeClaim")}
	if pendingClaim(f, seen) != nil {
		refs = append(refs, planeOf(f, "Event"))
	}
	return refs
}

// deeper adds to a HostedCluster that is not Available the deepest cause that its
// control plane shows, and what cures it. HyperShift itself says of each of them
// only that it waits.
func deeper(f *labs.Facts, v kube.Verdict, seen kube.Seen) kube.Verdict {
	if claim := pendingClaim(f, seen); claim != nil {
		text := "volume claim " + claim.Name + " is Pending"
		if class := claim.Spec.StorageClassName; class != nil {
			text += ", storage class " + *class
		}
		if said := warningOf(f, seen, "PersistentVolumeClaim", claim.Name); said != "" {
			text += ": " + said
		}
		return caused(v, trouble.EtcdVolumePending, text, "oc describe pvc -n "+claim.Namespace+" "+claim.Name+"; oc get storageclass")
	}
	for _, u := range seen.List(planeOf(f, "Pod")) {
		pod := kube.Convert[corev1.Pod](u)
		if pod == nil || pod.DeletionTimestamp != nil {
			continue
		}
		if id, text := podTrouble(pod); id != "" {
			next := "oc describe pod -n " + pod.Namespace + " " + pod.Name
			switch {
			case id == trouble.ImagePull && strings.Contains(text, "manifest unknown"):
				next = "the mirror lacks it: mirror the release " + f.Release.Image + " again (oc adm release mirror, or oc-mirror); " + next
			case id == trouble.PodCrashing:
				next = "oc logs -n " + pod.Namespace + " " + pod.Name + " --previous --all-containers"
			}
			return caused(v, id, "pod "+pod.Name+" "+text, next)
		}
	}
	if c := crd.ConditionOf(seen.Get(hostedControlPlane(f)), "Degraded"); c.Is("True") && c.Message != "" {
		v.Report.Lines = append(v.Report.Lines, event.Line{Label: "plane", Text: condition(c)})
	}
	return v
}

func caused(v kube.Verdict, id trouble.ID, text, next string) kube.Verdict {
	v = known(v, id)
	v.Report.Lines = append(v.Report.Lines, event.Line{Label: "because", Text: text})
	v.Report.Next = next
	return v
}

// pendingClaim finds a claim of the control plane that has no volume.
func pendingClaim(f *labs.Facts, seen kube.Seen) *corev1.PersistentVolumeClaim {
	for _, u := range seen.List(planeOf(f, "PersistentVolumeClaim")) {
		if c := kube.Convert[corev1.PersistentVolumeClaim](u); c != nil && c.Status.Phase == corev1.ClaimPending {
			return c
		}
	}
	return nil
}

// podTrouble says what keeps a pod from running, "" where nothing is seen to.
func podTrouble(pod *corev1.Pod) (trouble.ID, string) {
	for _, c := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if c.State.Waiting == nil {
			continue
		}
		said := strings.TrimSpace(c.State.Waiting.Reason + ": " + c.State.Waiting.Message)
		switch c.State.Waiting.Reason {
		case "ImagePullBackOff", "ErrImagePull", "InvalidImageName":
			return trouble.ImagePull, fmt.Sprintf("cannot pull %s, %s", c.Image, said)
		case "CrashLoopBackOff":
			return trouble.PodCrashing, fmt.Sprintf("container %s ends again and again, %s", c.Name, said)
		}
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return trouble.PodUnschedulable, "is not scheduled, " + c.Reason + ": " + c.Message
		}
	}
	return "", ""
}

// warningOf gives the newest Warning about an object of the control plane.
func warningOf(f *labs.Facts, seen kube.Seen, kind, name string) string {
	var newest time.Time
	said := ""
	for _, u := range seen.List(planeOf(f, "Event")) {
		e := kube.Convert[corev1.Event](u)
		if e == nil || e.Type != corev1.EventTypeWarning && e.Reason != "FailedBinding" || e.InvolvedObject.Kind != kind || e.InvolvedObject.Name != name {
			continue
		}
		at := e.LastTimestamp.Time
		if at.IsZero() {
			at = e.EventTime.Time
		}
		if said == "" || !at.Before(newest) {
			newest, said = at, e.Reason+": "+e.Message
		}
	}
	return said
}
