package kube

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
)

// errNotServed is the error of a kind that the server does not know (yet).
var errNotServed = errors.New("the server does not know this kind")

// kinds knows under which resource the server keeps each kind. It asks for one
// group's version when a kind of it is first needed, and again while one is
// missing: CRDs appear during a run.
type kinds struct {
	asker *discovery.DiscoveryClient
	mu    sync.Mutex
	known map[schema.GroupVersionKind]resource
}

// resource is where objects of a kind are kept.
type resource struct {
	schema.GroupVersionResource
	namespaced bool
}

func newKinds(asker *discovery.DiscoveryClient) *kinds {
	return &kinds{asker: asker, known: map[schema.GroupVersionKind]resource{}}
}

// find gives the resource of a kind, or errNotServed.
func (k *kinds) find(ctx context.Context, gvk schema.GroupVersionKind) (resource, error) {
	k.mu.Lock()
	found, ok := k.known[gvk]
	k.mu.Unlock()
	if ok {
		return found, nil
	}
	list, err := k.asker.ServerResourcesForGroupVersionWithContext(ctx, gvk.GroupVersion().String())
	if apierrors.IsNotFound(err) {
		return resource{}, errNotServed
	}
	if err != nil {
		return resource{}, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, r := range list.APIResources {
		if strings.Contains(r.Name, "/") { // a subresource
			continue
		}
		k.known[gvk.GroupVersion().WithKind(r.Kind)] = resource{gvk.GroupVersion().WithResource(r.Name), r.Namespaced}
	}
	if found, ok = k.known[gvk]; !ok {
		return resource{}, errNotServed
	}
	return found, nil
}

// resource gives the client for the objects of a reference.
func (c *Cluster) resource(ctx context.Context, ref Ref) (dynamic.ResourceInterface, error) {
	gvk := ref.kind()
	r, err := c.kinds.find(ctx, gvk)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", ref.APIVersion, ref.Kind, err)
	}
	all := c.dynamic.Resource(r.GroupVersionResource)
	switch {
	case !r.namespaced && ref.Namespace != "":
		return nil, fmt.Errorf("%s: a %s belongs to no namespace: leave the namespace out", ref, ref.Kind)
	case r.namespaced && ref.Namespace == "" && ref.Name != "":
		return nil, fmt.Errorf("%s: a %s belongs to a namespace: name it", ref, ref.Kind)
	case r.namespaced && ref.Namespace != "":
		return all.Namespace(ref.Namespace), nil
	}
	return all, nil
}
