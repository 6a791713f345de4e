package kube

import (
	"context"
	"encoding/json"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// settle ends the double ownership of an object that was made by a plain create
// and applied after it. The create owns every field that it held: left so, a field
// that a later apply drops would stay for ever, and one that it changes would
// conflict with the create. The create keeps just what the apply leaves out.
func (r *run) settle(ctx context.Context, t *task, after *unstructured.Unstructured) error {
	if t.Initial == nil && !t.Shared {
		return nil
	}
	body, err := r.handOver(after)
	if err != nil || body == nil {
		return err
	}
	return r.effect(ctx, "settle", t, func(ctx context.Context) (*unstructured.Unstructured, bool, error) {
		for range settleAttempts {
			settled, err := t.client.Patch(ctx, t.ref.Name, types.JSONPatchType, body, meta.PatchOptions{FieldManager: r.manager})
			if !apierrors.IsInvalid(err) && !apierrors.IsConflict(err) {
				return settled, err == nil, err
			}
			// Written meanwhile: a new object's operator writes its status at once.
			if after, err = t.client.Get(ctx, t.ref.Name, meta.GetOptions{}); err != nil {
				return nil, false, err
			}
			if body, err = r.handOver(after); err != nil || body == nil {
				return after, false, err
			}
		}
		return after, false, nil // the next run settles it
	})
}

// settleAttempts is how often an object that others write at the same time is
// read anew.
const settleAttempts = 10

// handOver is the JSON patch that leaves the fields which this step applies to
// the apply alone, nil where they are already. It holds for the version that was
// read only.
func (r *run) handOver(u *unstructured.Unstructured) ([]byte, error) {
	managers, double, err := disown(u.GetManagedFields(), r.manager)
	if err != nil || !double {
		return nil, err
	}
	return json.Marshal([]map[string]any{
		{"op": "test", "path": "/metadata/resourceVersion", "value": u.GetResourceVersion()},
		{"op": "replace", "path": "/metadata/managedFields", "value": managers},
	})
}

// disown takes from a manager's plain writes the fields that it applies.
func disown(all []meta.ManagedFieldsEntry, manager string) (rest []meta.ManagedFieldsEntry, double bool, err error) {
	var applied *fieldpath.Set
	for _, f := range all {
		if f.Manager == manager && f.Operation == meta.ManagedFieldsOperationApply && f.Subresource == "" {
			if applied, err = setOf(f); err != nil {
				return nil, false, err
			}
		}
	}
	if applied == nil {
		return all, false, nil
	}
	for _, f := range all {
		if f.Manager != manager || f.Operation != meta.ManagedFieldsOperationUpdate || f.Subresource != "" {
			rest = append(rest, f)
			continue
		}
		written, err := setOf(f)
		if err != nil {
			return nil, false, err
		}
		left := written.Difference(applied)
		if left.Equals(written) {
			rest = append(rest, f)
			continue
		}
		double = true
		if left.Empty() {
			continue
		}
		text, err := left.ToJSON()
		if err != nil {
			return nil, false, fmt.Errorf("writing the fields of %s: %w", manager, err)
		}
		f.FieldsV1 = meta.NewFieldsV1(string(text))
		rest = append(rest, f)
	}
	return rest, double, nil
}

func setOf(f meta.ManagedFieldsEntry) (*fieldpath.Set, error) {
	set := fieldpath.NewSet()
	if f.FieldsV1 == nil {
		return set, nil
	}
	if err := set.FromJSON(f.FieldsV1.GetRawReader()); err != nil {
		return nil, fmt.Errorf("reading the fields of %s: %w", f.Manager, err)
	}
	return set, nil
}
