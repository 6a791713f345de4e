package kube

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Look reads once what the references find, for what is no step. Nothing is asked
// twice: the first error ends it.
func (c *Cluster) Look(ctx context.Context, refs ...Ref) (Seen, error) {
	v := newView(c)
	found := map[Ref][]*unstructured.Unstructured{}
	for _, ref := range refs {
		if err := v.read(ctx, ref); err != nil && !(ref.Optional && errors.Is(err, errNotServed)) {
			return Seen{}, explain(c, "reading", ref.String(), "", err)
		}
		if s := v.sights[ref.key()]; s != nil {
			for _, at := range slices.Sorted(maps.Keys(s.objects)) {
				found[ref] = append(found[ref], s.objects[at])
			}
		}
	}
	return NewSeen(time.Now(), found, nil), nil
}

// Access is something that a user may be allowed to do. * stands for any verb,
// group or resource; an empty Namespace for all of them.
type Access struct{ Verb, Group, Resource, Namespace string }

// May asks the server whether the connection's user is allowed to do something
// (a SelfSubjectAccessReview, of which the server keeps nothing).
func (c *Cluster) May(ctx context.Context, a Access) (bool, error) {
	asked := map[string]any{"verb": a.Verb, "group": a.Group, "resource": a.Resource}
	if a.Namespace != "" {
		asked["namespace"] = a.Namespace
	}
	review := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
		"spec": map[string]any{"resourceAttributes": asked},
	}}
	reviews := schema.GroupVersionResource{Group: "authorization.k8s.io", Version: "v1", Resource: "selfsubjectaccessreviews"}
	answer, err := c.dynamic.Resource(reviews).Create(ctx, review, meta.CreateOptions{})
	if err != nil {
		return false, explain(c, "asking for rights", "API server "+c.Host(), "", err)
	}
	allowed, _, err := unstructured.NestedBool(answer.Object, "status", "allowed")
	return allowed, err
}
