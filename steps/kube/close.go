package kube

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ForgetObject takes an object of the management cluster out of the lab's inventory.
func ForgetObject(ctx context.Context, env Environment, ref Ref) error {
	hub, err := env.Hub(ctx)
	if err != nil {
		return err
	}
	i := hub.inventoryOf(InventoryName(env.Scope().Lab))
	object := "ConfigMap " + InventoryNamespace + "/" + i.name
	return explain(hub, "write", object, "labrun", between(env, hub).insist(ctx, "writing", object, func(ctx context.Context) error {
		return i.enter(ctx, map[string]*Entry{entryKey(false, ref): nil}, false)
	}))
}

// between is a run of no step, which insists.
func between(env Environment, hub *Cluster) *run {
	return &run{env: env, scope: env.Scope(), cluster: hub}
}

// CloseInventories deletes the inventories that hold nothing any more, each on the
// version that was read: an entry that another lab makes at the same moment is kept.
// Their namespace stays. It gives what the lab's still holds.
func CloseInventories(ctx context.Context, env Environment) ([]Entry, error) {
	hub, err := env.Hub(ctx)
	if err != nil {
		return nil, err
	}
	var left []Entry
	for _, name := range []string{InventoryName(env.Scope().Lab), SharedInventory} {
		i, object := hub.inventoryOf(name), "ConfigMap "+InventoryNamespace+"/"+name
		i.refresh()
		var entries []Entry
		err := between(env, hub).insist(ctx, "reading", object, func(ctx context.Context) (err error) {
			entries, err = i.all(ctx)
			return err
		})
		if err != nil {
			return nil, explain(hub, "reading", object, "labrun", err)
		}
		if name != SharedInventory {
			left = entries
		}
		if len(entries) > 0 || !i.there {
			continue
		}
		if err := i.drop(ctx, env); err != nil {
			return nil, explain(hub, "delete", object, "labrun", err)
		}
	}
	return left, nil
}

// drop deletes the ConfigMap as it was read, nothing where it was written since.
func (i *inventory) drop(ctx context.Context, env Environment) error {
	object := "ConfigMap " + InventoryNamespace + "/" + i.name
	return env.Scope().DoObservable(ctx, "delete", object, func(ctx context.Context) (deleted bool, _ string, err error) {
		err = between(env, i.cluster).insist(ctx, "deleting", object, func(ctx context.Context) error {
			i.mu.Lock()
			defer i.mu.Unlock()
			version := i.version
			err := i.configMaps().Delete(ctx, i.name, meta.DeleteOptions{Preconditions: &meta.Preconditions{ResourceVersion: &version}})
			i.loaded = false
			if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
				return nil
			}
			deleted = err == nil
			return err
		})
		return deleted, "", err
	})
}
