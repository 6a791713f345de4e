package kube

import (
	"context"
	"encoding/json"
	"maps"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// apply brings an object about by server-side apply. An object with Initial fields, and
// one of the hub, is made by a plain create, and applied after it.
func (r *run) apply(ctx context.Context, t *task, book *book) error {
	before := r.view.get(t.ref)
	claim, err := r.claim(ctx, t, before, book)
	if err != nil {
		return err
	}
	wanted := t.wanted.DeepCopy()
	r.mark(wanted, t, claim)
	if t.Shared && before != nil { // its former values are entered as they are now, and another lab may restore or delete it
		wanted.SetUID(before.GetUID())
		wanted.SetResourceVersion(before.GetResourceVersion())
	}
	if before == nil && (t.Initial != nil || t.Shared) {
		if before, err = r.createInitial(ctx, t, wanted); err != nil {
			return err
		}
	}
	if before != nil && (t.Shared || t.found) {
		same, err := r.keepFormer(ctx, t, before, wanted, book)
		if err != nil {
			return err
		}
		if same && t.Shared { // also where a run ended just before it settled it
			return r.settle(ctx, t, before)
		}
	}
	verb, late := "apply", false
	if before == nil {
		verb = "create"
	}
	if err := r.effect(ctx, verb, t, func(ctx context.Context) (*unstructured.Unstructured, bool, error) {
		after, err := r.patch(ctx, t, wanted, false)
		if late = written(wanted, err); late {
			return nil, false, nil
		}
		return after, err == nil && changed(before, after, r.managerOf(t)), err
	}); err != nil {
		return err
	}
	if late {
		return &stale{t.ref}
	}
	after := r.view.get(t.ref)
	book.made(t, !t.Partial && (claim == absent || claim == unentered), after)
	return r.settle(ctx, t, after)
}

// written says that an apply of a certain version found another one, or none.
func written(wanted *unstructured.Unstructured, err error) bool {
	return wanted.GetResourceVersion() != "" && apierrors.IsConflict(err) && len(conflicts(err)) == 0
}

// mark writes on an object whose it is: labels on the lab's own, one annotation
// on what belongs to the hub, nothing on what another step of the lab made.
func (r *run) mark(u *unstructured.Unstructured, t *task, c claim) {
	switch {
	case t.Shared:
		annotations := u.GetAnnotations()
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[UsedBy+r.scope.Lab] = "true"
		u.SetAnnotations(annotations)
	case c != partner && !t.Partial:
		labels := u.GetLabels()
		if labels == nil {
			labels = map[string]string{}
		}
		maps.Copy(labels, labelsOf(r.scope))
		u.SetLabels(labels)
	}
}

// patch sends the apply. A conflict with nothing but what this very step created
// is no conflict between two minds, and is taken.
func (r *run) patch(ctx context.Context, t *task, wanted *unstructured.Unstructured, dryRun bool) (*unstructured.Unstructured, error) {
	body, err := json.Marshal(wanted)
	if err != nil {
		return nil, err
	}
	o := meta.PatchOptions{FieldManager: r.managerOf(t), FieldValidation: meta.FieldValidationStrict, Force: &t.Force}
	if dryRun {
		o.DryRun = []string{meta.DryRunAll}
	}
	after, err := t.client.Patch(ctx, t.ref.Name, types.ApplyPatchType, body, o)
	if !apierrors.IsConflict(err) || !onlyOwn(err, o.FieldManager) {
		return after, err
	}
	force := true
	o.Force = &force
	return t.client.Patch(ctx, t.ref.Name, types.ApplyPatchType, body, o)
}

// managerOf is in whose name a task's fields are applied.
func (r *run) managerOf(t *task) string {
	if t.Manager != "" {
		return t.Manager
	}
	return r.manager
}

func onlyOwn(err error, manager string) bool {
	found := conflicts(err)
	for _, c := range found {
		if ownerOf(c) != manager {
			return false
		}
	}
	return len(found) > 0
}

// keepFormer asks what the apply would change of an object of the hub, or of one that
// is taken over, and keeps the former values before it is changed. same says that
// nothing would change.
func (r *run) keepFormer(ctx context.Context, t *task, before, wanted *unstructured.Unstructured, book *book) (same bool, err error) {
	var then *unstructured.Unstructured
	err = r.insist(ctx, "asking what an apply would change", t.ref.String(), func(ctx context.Context) (err error) {
		then, err = r.patch(ctx, t, wanted, true)
		return err
	})
	if written(wanted, err) {
		return false, &stale{t.ref}
	}
	if err != nil {
		return false, explain(r.cluster, "apply", t.ref.String(), r.manager, err)
	}
	if !differs(before, then, r.managerOf(t)) {
		return true, nil
	}
	return false, book.former(ctx, t, before, then)
}

// changed says whether an apply changed the object: its resourceVersion is
// another one, and not only because an operator wrote its status meanwhile.
func changed(before, after *unstructured.Unstructured, manager string) bool {
	if before == nil {
		return true
	}
	return before.GetResourceVersion() != after.GetResourceVersion() && differs(before, after, manager)
}

// differs compares what an apply of manager may change: the content, and what
// the server noted of the manager's own fields.
func differs(before, after *unstructured.Unstructured, manager string) bool {
	return !sameJSON(content(before), content(after)) || !sameJSON(applied(before, manager), applied(after, manager))
}

// content is an object without what the server keeps about it.
func content(u *unstructured.Unstructured) map[string]any {
	c := u.DeepCopy().Object
	delete(c, "status")
	for _, field := range []string{"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"} {
		unstructured.RemoveNestedField(c, "metadata", field)
	}
	return c
}

func applied(u *unstructured.Unstructured, manager string) any {
	for _, f := range u.GetManagedFields() {
		if f.Manager == manager && f.Operation == meta.ManagedFieldsOperationApply && f.Subresource == "" {
			return f
		}
	}
	return nil
}

func sameJSON(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}
