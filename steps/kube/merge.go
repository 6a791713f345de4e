package kube

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/util/retry"
)

// merge reads an object, changes it and updates it on its resourceVersion; who
// else writes it at the same time loses nothing. Where nothing would change,
// nothing is sent.
func (r *run) merge(ctx context.Context, t *task, book *book) error {
	before := r.view.get(t.ref)
	switch {
	case before == nil && t.marks():
		return &stale{t.ref} // it was there when the step asked for its mark
	case before == nil:
		return r.mergeAbsent(ctx, t, book)
	}
	after, err := r.merged(t, before)
	if err != nil || sameJSON(before.Object, after.Object) {
		return err
	}
	if err := book.former(ctx, t, before, after); err != nil {
		return err
	}
	late := false
	err = r.effect(ctx, "update", t, func(ctx context.Context) (*unstructured.Unstructured, bool, error) {
		var written *unstructured.Unstructured
		latest := before
		err := retry.RetryOnConflict(retry.DefaultBackoff, func() (err error) {
			written, err = t.client.Update(ctx, after, meta.UpdateOptions{FieldManager: r.manager, FieldValidation: meta.FieldValidationStrict})
			if late = t.Shared && (apierrors.IsConflict(err) || apierrors.IsNotFound(err)); late {
				return nil // its former values may be others by now
			}
			if !apierrors.IsConflict(err) {
				return err
			}
			var getErr error
			if latest, getErr = t.client.Get(ctx, t.ref.Name, meta.GetOptions{}); getErr != nil {
				return getErr
			}
			if after, getErr = r.merged(t, latest); getErr != nil {
				return getErr
			}
			return err
		})
		if late {
			return nil, false, nil
		}
		return written, err == nil && written.GetResourceVersion() != latest.GetResourceVersion(), err
	})
	if err == nil && late {
		return &stale{t.ref}
	}
	return err
}

// marks says that a merge is for the lab's mark on what is there: it makes nothing.
func (t *task) marks() bool { return t.How == Merge && t.Shared && t.Change == nil }

// mergeAbsent makes the object that a merge finds absent. Where another lab was
// faster, what that one made is merged into.
func (r *run) mergeAbsent(ctx context.Context, t *task, book *book) error {
	wanted := t.wanted.DeepCopy()
	r.mark(wanted, t, absent)
	if err := t.change(wanted); err != nil {
		return err
	}
	if err := r.create(ctx, t, wanted); err != nil {
		return err
	}
	made := r.view.get(t.ref)
	book.made(t, true, made)
	if made == nil {
		return nil
	}
	return r.merge(ctx, t, book)
}

// merged is the object as it should be.
func (r *run) merged(t *task, before *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	after := before.DeepCopy()
	if t.Shared {
		r.mark(after, t, absent)
	}
	err := t.change(after)
	return after, err
}

// change applies a merge's Change and the step's patch.
func (t *task) change(u *unstructured.Unstructured) error {
	if t.Change != nil {
		if err := t.Change(u); err != nil {
			return fmt.Errorf("changing %s: %w", t.ref, err)
		}
	}
	mergePatch(u.Object, t.patch)
	normal, err := normalise(u.Object)
	u.Object = normal
	return err
}
