package kube

import (
	"context"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/pipeline"
)

// patience is how long Get insists for somebody who set no end.
const patience = 5 * time.Second

// Get reads the object that ref names, once. Where the server does not answer as
// it should, it is asked again until ctx ends, or for 5 s where ctx has no end of
// its own. Steps declare what they read instead; this is for what has no step,
// such as a Secret that the lab file names.
func (c *Cluster) Get(ctx context.Context, ref Ref) (*unstructured.Unstructured, error) {
	if _, ends := ctx.Deadline(); !ends {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	var last error
	for b := backoff(); ; {
		u, err := c.get(ctx, ref)
		if ctx.Err() != nil && err != nil {
			return nil, c.gaveUp(ctx, ref, err, last)
		}
		if !transient(err) {
			return u, c.unread(ref, err)
		}
		last = err
		timer := time.NewTimer(b.Step())
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, c.gaveUp(ctx, ref, err, last)
		case <-timer.C:
		}
	}
}

func (c *Cluster) get(ctx context.Context, ref Ref) (*unstructured.Unstructured, error) {
	resource, err := c.resource(ctx, ref)
	if err != nil {
		return nil, err
	}
	return resource.Get(ctx, ref.Name, metav1.GetOptions{})
}

// gaveUp tells what the server answered last, rather than that time is up.
func (c *Cluster) gaveUp(ctx context.Context, ref Ref, err, last error) error {
	if last == nil {
		return fmt.Errorf("reading %s from %s: %w", ref, c.Host(), err)
	}
	return fmt.Errorf("%w: %w", c.unread(ref, last), ctx.Err())
}

// unread explains why an object was not read; where nothing better is known, the
// next thing is to look at it.
func (c *Cluster) unread(ref Ref, err error) error {
	err = explain(c, "reading", ref.String(), "", err)
	var told *pipeline.Report
	if errors.As(err, &told) && told.Next == "" {
		told.Next = "oc get " + GetArguments(ref)
	}
	return err
}
