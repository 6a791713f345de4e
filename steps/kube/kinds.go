package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// errNotServed is the error of a kind that the server does not know (yet).
var errNotServed = errors.New("the server does not know this kind")

// NotServed says that the server does not know a kind (yet), so that it has no
// object of it either.
func NotServed(err error) bool { return errors.Is(err, errNotServed) }

// kinds knows under which resource the server keeps each kind. It asks for one
// group's version when a kind of it is first needed, and again while one is
// missing: CRDs appear during a run.
type kinds struct {
	asker rest.Interface
	mu    sync.Mutex
	known map[schema.GroupVersionKind]resource
}

// resource is where objects of a kind are kept.
type resource struct {
	schema.GroupVersionResource
	namespaced bool
}

// newKinds asks nothing yet. It does without client-go's discovery package, which
// registers every Kubernetes type there is when labrun starts.
func newKinds(config *rest.Config, client *http.Client) (*kinds, error) {
	scheme := runtime.NewScheme()
	metav1.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})
	config = rest.CopyConfig(config)
	config.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	config.GroupVersion = &schema.GroupVersion{}
	asker, err := rest.UnversionedRESTClientForConfigAndClient(config, client)
	if err != nil {
		return nil, err
	}
	return &kinds{asker: asker, known: map[schema.GroupVersionKind]resource{}}, nil
}

// find gives the resource of a kind, or errNotServed.
func (k *kinds) find(ctx context.Context, gvk schema.GroupVersionKind) (resource, error) {
	k.mu.Lock()
	found, ok := k.known[gvk]
	k.mu.Unlock()
	if ok {
		return found, nil
	}
	list, err := k.ask(ctx, gvk.GroupVersion())
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

// ask lists what the server keeps of one version of a group.
func (k *kinds) ask(ctx context.Context, gv schema.GroupVersion) (*metav1.APIResourceList, error) {
	path := []string{"/apis", gv.Group, gv.Version}
	if gv.Group == "" {
		path = []string{"/api", gv.Version}
	}
	raw, err := k.get(ctx, path...)
	if err != nil {
		return nil, err
	}
	list := &metav1.APIResourceList{}
	if err := json.Unmarshal(raw, list); err != nil {
		return nil, fmt.Errorf("reading the server's kinds of %s: %w", gv, err)
	}
	return list, nil
}

// get asks a path. The error is the server's own: Raw alone does not read it.
func (k *kinds) get(ctx context.Context, path ...string) ([]byte, error) {
	result := k.asker.Get().AbsPath(path...).SetHeader("Accept", runtime.ContentTypeJSON).Do(ctx)
	if err := result.Error(); err != nil {
		return nil, err
	}
	return result.Raw()
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
