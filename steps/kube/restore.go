package kube

import (
	"cmp"
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/util/retry"
)

// restore changes an object back on its resourceVersion. One that is gone, or that
// is another one of the same name, is left as it is.
func (r *run) restore(ctx context.Context, t *task) error {
	before := r.view.get(t.ref)
	switch {
	case !t.fresh(before):
		return &stale{t.ref}
	case before == nil || t.another(before):
		return nil
	}
	if err := r.takeOver(ctx, t); err != nil {
		return err
	}
	after, err := r.changedBack(t, before)
	if err != nil || sameJSON(before.Object, after.Object) {
		return err
	}
	late := false
	err = r.effect(ctx, cmp.Or(t.Verb, "restore"), t, func(ctx context.Context) (*unstructured.Unstructured, bool, error) {
		if t.Version == "" {
			return r.restoreLatest(ctx, t, before, after)
		}
		written, err := t.client.Update(ctx, after, meta.UpdateOptions{FieldManager: r.manager})
		if late = apierrors.IsConflict(err) || apierrors.IsNotFound(err); late {
			return nil, false, nil
		}
		return written, err == nil, err
	})
	if err == nil && late {
		return &stale{t.ref}
	}
	return err
}

// restoreLatest makes the change on whatever version there is, of this very object.
func (r *run) restoreLatest(ctx context.Context, t *task, latest, after *unstructured.Unstructured) (written *unstructured.Unstructured, changed bool, err error) {
	another := false
	err = retry.RetryOnConflict(retry.DefaultBackoff, func() (err error) {
		written, err = t.client.Update(ctx, after, meta.UpdateOptions{FieldManager: r.manager})
		if !apierrors.IsConflict(err) {
			return err
		}
		var getErr error
		if latest, getErr = t.client.Get(ctx, t.ref.Name, meta.GetOptions{}); getErr != nil {
			return getErr
		}
		if another = t.another(latest); another {
			return nil
		}
		if after, getErr = r.changedBack(t, latest); getErr != nil {
			return getErr
		}
		return err
	})
	if another || apierrors.IsNotFound(err) {
		return nil, false, nil
	}
	return written, err == nil && written.GetResourceVersion() != latest.GetResourceVersion(), err
}

func (r *run) changedBack(t *task, before *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	after := before.DeepCopy()
	err := t.change(after)
	return after, err
}
