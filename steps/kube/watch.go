package kube

import (
	"context"
	"errors"
	"time"

	"github.com/go-logr/logr"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

// backoff between attempts at something that the server refuses for the moment.
func backoff() *wait.Backoff {
	return &wait.Backoff{Duration: 100 * time.Millisecond, Factor: 2, Jitter: 0.2, Steps: 7, Cap: 5 * time.Second}
}

// watch keeps every sight up to date until ctx ends; wait for v.group after it.
func (v *view) watch(ctx context.Context) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, s := range v.sights {
		if s.watched {
			continue
		}
		s.watched = true
		ref := s.ref
		v.group.Go(func() { v.follow(ctx, ref) })
	}
}

// follow keeps one sight up to date. It waits for its kind first.
func (v *view) follow(ctx context.Context, ref Ref) {
	client, err := v.cluster.awaitResource(ctx, ref, func(err error) { v.fail(ref, err) })
	if err != nil {
		_ = v.told(ctx, ref, err)
		return
	}
	mirror(ctx, ref.String(), &unstructured.Unstructured{}, &source{
		list: func(ctx context.Context, o meta.ListOptions) (runtime.Object, error) {
			list, err := client.List(ctx, ref.selecting(o))
			return list, v.told(ctx, ref, err)
		},
		watch: func(ctx context.Context, o meta.ListOptions) (watch.Interface, error) {
			w, err := client.Watch(ctx, ref.selecting(o))
			return w, v.told(ctx, ref, err)
		},
	}, &store{view: v, ref: ref})
}

// told keeps what a read ended with, where somebody still wants to know.
func (v *view) told(ctx context.Context, ref Ref, err error) error {
	if ctx.Err() == nil {
		v.fail(ref, err)
	}
	return err
}

// selecting narrows what is asked for to what the reference names.
func (r Ref) selecting(o meta.ListOptions) meta.ListOptions {
	o.LabelSelector = r.Labels
	if r.Name != "" {
		o.FieldSelector = fields.OneTermEqualSelector("metadata.name", r.Name).String()
	}
	return o
}

// mirror runs a reflector until ctx ends, in silence: who reads is told by the
// source's own errors.
func mirror(ctx context.Context, name string, of any, from *source, into cache.ReflectorStore) {
	silent := logr.Discard()
	r := cache.NewReflectorWithOptions(from, of, into, cache.ReflectorOptions{Name: name, Logger: &silent, Backoff: backoff()})
	r.RunWithContext(klog.NewContext(ctx, silent))
}

// source lists and watches. The list is always the server's latest, never a
// cached one: what labrun just wrote must be in it.
type source struct {
	list  func(context.Context, meta.ListOptions) (runtime.Object, error)
	watch func(context.Context, meta.ListOptions) (watch.Interface, error)
}

// List is for the interface; the reflector uses ListWithContext.
func (s *source) List(o meta.ListOptions) (runtime.Object, error) {
	return s.ListWithContext(context.Background(), o)
}

// Watch is for the interface; the reflector uses WatchWithContext.
func (s *source) Watch(o meta.ListOptions) (watch.Interface, error) {
	return s.WatchWithContext(context.Background(), o)
}

// ListWithContext lists.
func (s *source) ListWithContext(ctx context.Context, o meta.ListOptions) (runtime.Object, error) {
	if o.ResourceVersion == "0" {
		o.ResourceVersion = ""
	}
	return s.list(ctx, o)
}

// WatchWithContext watches.
func (s *source) WatchWithContext(ctx context.Context, o meta.ListOptions) (watch.Interface, error) {
	return s.watch(ctx, o)
}

// IsWatchListSemanticsUnSupported keeps to a list and a watch, which every
// server that labrun meets serves.
func (s *source) IsWatchListSemanticsUnSupported() bool { return true }

// store puts what a reflector sees into a view.
type store struct {
	view *view
	ref  Ref
}

// Add keeps a new object.
func (s *store) Add(o any) error { return s.Update(o) }

// Update keeps a changed object.
func (s *store) Update(o any) error {
	s.view.put(s.ref, o.(*unstructured.Unstructured))
	return nil
}

// Delete forgets an object.
func (s *store) Delete(o any) error {
	s.view.remove(s.ref, o.(*unstructured.Unstructured))
	return nil
}

// Replace keeps these objects and no others.
func (s *store) Replace(all []any, _ string) error {
	found := make([]unstructured.Unstructured, len(all))
	for i, o := range all {
		found[i] = *o.(*unstructured.Unstructured)
	}
	s.view.replace(s.ref, found)
	return nil
}

// Resync is for the interface; nothing needs it.
func (s *store) Resync() error { return nil }

// awaitResource is resource, but waits until the server knows the kind. tell
// hears what stands in the way; the error is that of ctx, or one that waiting
// does not mend.
func (c *Cluster) awaitResource(ctx context.Context, ref Ref, tell func(error)) (dynamic.ResourceInterface, error) {
	client, err := c.resource(ctx, ref)
	if err == nil {
		return client, nil
	}
	ctx, cancel := context.WithCancel(ctx)
	woken := make(chan struct{}, 1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c.watchDefinitions(ctx, ref.kind().Group, woken)
	}()
	defer func() { cancel(); <-ended }()
	for b := backoff(); ; {
		if !errors.Is(err, errNotServed) && !transient(err) {
			return nil, err
		}
		tell(err)
		timer := time.NewTimer(b.Step())
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		case <-woken: // it is served a moment after its definition is established
			timer.Stop()
			b = backoff()
		case <-timer.C:
		}
		if client, err = c.resource(ctx, ref); err == nil {
			return client, nil
		}
	}
}
