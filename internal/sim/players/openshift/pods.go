package openshift

import (
	"context"
	"slices"

	"github.com/labrun/labrun/internal/sim/players/obj"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// need is an object of a pod's namespace without which its containers do not start.
type need struct {
	kind, name string
	bound      bool // a claim that must be bound
}

// needs lists what a pod's template names and does not call optional.
func needs(pod core.PodSpec) []need {
	var all []need
	add := func(kind, name string, optional *bool) {
		if name != "" && (optional == nil || !*optional) {
			all = append(all, need{kind: kind, name: name})
		}
	}
	for _, v := range pod.Volumes {
		if v.ConfigMap != nil {
			add("ConfigMap", v.ConfigMap.Name, v.ConfigMap.Optional)
		}
		if v.Secret != nil {
			add("Secret", v.Secret.SecretName, v.Secret.Optional)
		}
		if v.PersistentVolumeClaim != nil {
			all = append(all, need{kind: "PersistentVolumeClaim", name: v.PersistentVolumeClaim.ClaimName, bound: true})
		}
	}
	for _, c := range slices.Concat(pod.InitContainers, pod.Containers) {
		for _, from := range c.EnvFrom {
			if from.ConfigMapRef != nil {
				add("ConfigMap", from.ConfigMapRef.Name, from.ConfigMapRef.Optional)
			}
			if from.SecretRef != nil {
				add("Secret", from.SecretRef.Name, from.SecretRef.Optional)
			}
		}
		for _, e := range c.Env {
			if e.ValueFrom == nil {
				continue
			}
			if ref := e.ValueFrom.ConfigMapKeyRef; ref != nil {
				add("ConfigMap", ref.Name, ref.Optional)
			}
			if ref := e.ValueFrom.SecretKeyRef; ref != nil {
				add("Secret", ref.Name, ref.Optional)
			}
		}
	}
	return all
}

// withClaims makes the claims of a StatefulSet's first pod, and gives its pods' template with them.
func (k *kubelet) withClaims(ctx context.Context, s *apps.StatefulSet) (core.PodSpec, error) {
	pod := *s.Spec.Template.Spec.DeepCopy()
	for _, template := range s.Spec.VolumeClaimTemplates {
		name := template.Name + "-" + s.Name + "-0"
		claim := &core.PersistentVolumeClaim{ObjectMeta: meta.ObjectMeta{Namespace: s.Namespace, Name: name, Labels: s.Spec.Selector.MatchLabels}, Spec: template.Spec}
		if err := obj.Create(ctx, k, claim); err != nil {
			return pod, err
		}
		pod.Volumes = append(pod.Volumes, core.Volume{Name: template.Name, VolumeSource: core.VolumeSource{
			PersistentVolumeClaim: &core.PersistentVolumeClaimVolumeSource{ClaimName: name},
		}})
	}
	return pod, nil
}

// missing names what keeps the pod from starting, as "ConfigMap x" or "PersistentVolumeClaim y unbound".
func (k *kubelet) missing(ctx context.Context, namespace string, pod core.PodSpec) ([]string, error) {
	var found []string
	for _, n := range needs(pod) {
		problem, err := k.lacks(ctx, namespace, n)
		if err != nil {
			return nil, err
		}
		if problem != "" {
			found = append(found, problem)
		}
	}
	return found, nil
}

func (k *kubelet) lacks(ctx context.Context, namespace string, n need) (string, error) {
	var o client.Object
	claim := &core.PersistentVolumeClaim{}
	switch n.kind {
	case "ConfigMap":
		o = &core.ConfigMap{}
	case "Secret":
		o = &core.Secret{}
	default:
		o = claim
	}
	err := k.Get(ctx, client.ObjectKey{Namespace: namespace, Name: n.name}, o)
	switch {
	case apierrors.IsNotFound(err):
		return n.kind + " " + n.name, nil
	case err != nil:
		return "", err
	case n.bound && claim.Status.Phase != core.ClaimBound:
		return n.kind + " " + n.name + " unbound", nil
	}
	return "", nil
}
