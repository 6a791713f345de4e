package kube

import (
	"context"
	"strings"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
)

// watchDefinitions wakes when a CustomResourceDefinition of a group is made or
// changed, until ctx ends. Only the definitions' metadata is sent: their schemas
// are megabytes. Who may not watch them is woken by time alone.
func (c *Cluster) watchDefinitions(ctx context.Context, group string, woken chan<- struct{}) {
	definitions := c.metadata.Resource(schema.GroupVersionResource{
		Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"})
	mirror(ctx, "definitions of "+group, &meta.PartialObjectMetadata{}, &source{
		list: func(ctx context.Context, o meta.ListOptions) (runtime.Object, error) {
			return definitions.List(ctx, o)
		},
		watch: func(ctx context.Context, o meta.ListOptions) (watch.Interface, error) {
			return definitions.Watch(ctx, o)
		},
	}, &alarm{suffix: "." + group, woken: woken})
}

// alarm is a store that keeps nothing.
type alarm struct {
	suffix string
	woken  chan<- struct{}
}

// Add wakes.
func (a *alarm) Add(o any) error { return a.Update(o) }

// Update wakes where the definition is of the group.
func (a *alarm) Update(o any) error {
	if d, ok := o.(*meta.PartialObjectMetadata); ok && strings.HasSuffix(d.Name, a.suffix) {
		select {
		case a.woken <- struct{}{}:
		default:
		}
	}
	return nil
}

// Delete does nothing.
func (a *alarm) Delete(any) error { return nil }

// Replace wakes for what is there.
func (a *alarm) Replace(all []any, _ string) error {
	for _, o := range all {
		_ = a.Update(o)
	}
	return nil
}

// Resync does nothing.
func (a *alarm) Resync() error { return nil }
