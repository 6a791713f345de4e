package kube

import "context"

// forget takes an object out of its inventory.
func (r *run) forget(ctx context.Context, t *task) error {
	b := &book{run: r}
	gone := map[string]*Entry{entryKey(r.hosted || t.Hosted, t.ref): nil}
	switch {
	case t.Shared && t.Judged != nil:
		_, err := r.replace(ctx, t, nil)
		return err
	case t.Shared:
		return b.write(ctx, nil, gone)
	}
	return b.write(ctx, gone, nil)
}

// takeOver enters this lab as the one that an object's entry is of, before what would
// say so at the object goes.
func (r *run) takeOver(ctx context.Context, t *task) error {
	if t.Judged == nil || t.Judged.Lab == r.scope.Lab {
		return nil
	}
	e := *t.Judged
	e.Lab = r.scope.Lab
	done, err := r.replace(ctx, t, &e)
	if err == nil && !done {
		return &stale{t.ref}
	}
	return err
}

// replace enters next in the place of the entry that was judged, or takes that out
// where next is nil. Where another lab has written the entry since, it stays as it is,
// and done is false.
func (r *run) replace(ctx context.Context, t *task, next *Entry) (done bool, err error) {
	inventory, err := r.inventory(ctx, t.Shared)
	if err != nil {
		return false, err
	}
	object := "ConfigMap " + InventoryNamespace + "/" + inventory.name
	err = r.insistOn(ctx, "writing", object, func(ctx context.Context) (err error) {
		done, err = inventory.replace(ctx, entryKey(r.hosted || t.Hosted, t.ref), *t.Judged, next)
		return err
	})
	if err == nil && done {
		t.Judged = next
	}
	return done, explain(inventory.cluster, "writing", object, "labrun", err)
}
