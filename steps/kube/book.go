package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	jsonpatch "github.com/evanphx/json-patch/v5"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// closing is how long the UIDs may take to be entered when a run is interrupted.
const closing = 10 * time.Second

// book is what one step enters in the inventories.
type book struct {
	run *run
	lab map[string]*Entry // what is to be entered at the end
	hub map[string]*Entry
}

// open enters the names of what is about to be made, in one request an
// inventory. Where all exists nothing is read or written.
func (r *run) open(ctx context.Context, all []*task) (*book, error) {
	b := &book{run: r, lab: map[string]*Entry{}, hub: map[string]*Entry{}}
	var making []*task
	for _, t := range all {
		if !t.How.undoes() && !t.Partial && !t.marks() && r.view.get(t.ref) == nil {
			making = append(making, t)
		}
	}
	return b, b.enter(ctx, making)
}

// enter enters objects without their UIDs.
func (b *book) enter(ctx context.Context, making []*task) error {
	lab, hub := map[string]*Entry{}, map[string]*Entry{}
	for _, t := range making {
		e := b.run.entry(t)
		if t.Shared {
			hub[entryKey(b.run.hosted, t.ref)] = &e
		} else {
			lab[entryKey(b.run.hosted, t.ref)] = &e
		}
	}
	return b.write(ctx, lab, hub)
}

// made notes that an object is the lab's, where its UID is not entered yet.
func (b *book) made(t *task, entering bool, u *unstructured.Unstructured) {
	if !entering || u == nil {
		return
	}
	e := b.run.entry(t)
	e.UID = string(u.GetUID())
	if t.Shared {
		b.hub[entryKey(b.run.hosted, t.ref)] = &e
	} else {
		b.lab[entryKey(b.run.hosted, t.ref)] = &e
	}
}

// former enters, before an object that labrun did not make is changed, the
// values that it had. The first ones are kept: a later change adds to them. No
// secret is entered.
func (b *book) former(ctx context.Context, t *task, before, after *unstructured.Unstructured) error {
	inventory, err := b.run.inventory(ctx, t.Shared)
	if err != nil {
		return err
	}
	err = b.run.insistOn(ctx, "entering the former values of", t.ref.String(), func(ctx context.Context) error {
		return b.tryFormer(ctx, inventory, t, before, after)
	})
	return explain(inventory.cluster, "write", "ConfigMap "+InventoryNamespace+"/"+inventory.name, "labrun", err)
}

func (b *book) tryFormer(ctx context.Context, inventory *inventory, t *task, before, after *unstructured.Unstructured) error {
	if t.Shared {
		inventory.refresh() // another lab may have entered it meanwhile
	}
	key := entryKey(b.run.hosted, t.ref)
	old, entered, err := inventory.get(ctx, key)
	if err != nil {
		return err
	}
	if entered && !old.Found && (old.UID == string(before.GetUID()) || old.UID == "" && b.run.marked(t, before)) {
		return nil // labrun made it
	}
	e := b.run.entry(t)
	if e.Found = true; !t.found { // what is taken over is the lab's once its labels say so
		e.UID = string(before.GetUID())
	}
	if e.Former, err = b.formerValues(t, old, e, before, after); err != nil {
		return fmt.Errorf("keeping the former values of %s: %w", t.ref, err)
	}
	// What labs share names the one that changed it last: a lab that has restored the
	// object, and has yet to take the entry out, sees by it that this is another one.
	if entered && old.UID == e.UID && !t.Shared {
		e.Step, e.Key, e.Lab = old.Step, old.Key, old.Lab
	}
	return inventory.enter(ctx, map[string]*Entry{key: &e}, true)
}

// formerValues are those that entry e is to keep in the place of the old one's.
func (b *book) formerValues(t *task, old, e Entry, before, after *unstructured.Unstructured) (json.RawMessage, error) {
	if t.Secret || t.ref.Kind == "Secret" {
		return nil, nil
	}
	if (t.Shared || t.found) && !b.run.marked(t, before) { // the change was never made, or is undone
		var err error
		if old.Former, err = renewed(old.Former, before); err != nil {
			return nil, err
		}
	}
	return mergedFormer(old, e, before, after, UsedBy+b.run.scope.Lab)
}

// mergedFormer is the merge patch from after back to before, under what an earlier
// change had kept. What labrun writes on an object is no part of it.
func mergedFormer(old, e Entry, before, after *unstructured.Unstructured, annotation string) (json.RawMessage, error) {
	from, to := content(after), content(before)
	withoutMarks(from, to, "annotations", annotation)
	withoutMarks(from, to, "labels", LabelLab, LabelStep, LabelKey, LabelManagedBy)
	x, err := json.Marshal(from)
	if err != nil {
		return nil, err
	}
	y, err := json.Marshal(to)
	if err != nil {
		return nil, err
	}
	patch, err := jsonpatch.CreateMergePatch(x, y)
	if err != nil || len(old.Former) == 0 || old.UID != e.UID {
		return patch, err
	}
	return jsonpatch.MergeMergePatches(patch, old.Former)
}

// withoutMarks takes labrun's own keys out of what an object becomes, and out of what
// it was where an earlier change wrote the same there.
func withoutMarks(from, to map[string]any, field string, keys ...string) {
	for _, key := range keys {
		mark, marked, _ := unstructured.NestedString(from, "metadata", field, key)
		if was, had, _ := unstructured.NestedString(to, "metadata", field, key); marked && had && was == mark {
			unstructured.RemoveNestedField(to, "metadata", field, key)
		}
		unstructured.RemoveNestedField(from, "metadata", field, key)
	}
	if len(nested(from, "metadata", field)) == 0 && len(nested(to, "metadata", field)) == 0 {
		unstructured.RemoveNestedField(from, "metadata", field)
		unstructured.RemoveNestedField(to, "metadata", field)
	}
}

// renewed is a merge patch with the values that an object has now at its paths, null
// where it has none.
func renewed(former json.RawMessage, now *unstructured.Unstructured) (json.RawMessage, error) {
	if len(former) == 0 {
		return nil, nil
	}
	var patch map[string]any
	if err := json.Unmarshal(former, &patch); err != nil {
		return nil, err
	}
	return json.Marshal(valuesAt(patch, content(now)))
}

func valuesAt(patch, now map[string]any) map[string]any {
	values := make(map[string]any, len(patch))
	for key, value := range patch {
		below, isMap := value.(map[string]any)
		inside, holdsMap := now[key].(map[string]any)
		if isMap && holdsMap {
			values[key] = valuesAt(below, inside)
		} else {
			values[key] = now[key]
		}
	}
	return values
}

func nested(m map[string]any, path ...string) map[string]any {
	found, _, _ := unstructured.NestedMap(m, path...)
	return found
}

// close enters the UIDs of what was made, also where the run was interrupted.
func (b *book) close(ctx context.Context) error {
	if len(b.lab)+len(b.hub) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
	defer cancel()
	if err := b.keepEntered(ctx); err != nil {
		return err
	}
	return b.write(ctx, b.lab, b.hub)
}

// keepEntered leaves what is taken over the former values that are entered of it.
func (b *book) keepEntered(ctx context.Context) error {
	for key, e := range b.lab {
		if !e.Found {
			continue
		}
		inventory, err := b.run.inventory(ctx, false)
		if err != nil {
			return err
		}
		old, _, err := inventory.get(ctx, key)
		if err != nil {
			return explain(inventory.cluster, "reading", "ConfigMap "+InventoryNamespace+"/"+inventory.name, "labrun", err)
		}
		e.Former = old.Former
	}
	return nil
}

func (b *book) write(ctx context.Context, lab, hub map[string]*Entry) error {
	for shared, entries := range map[bool]map[string]*Entry{false: lab, true: hub} {
		if len(entries) == 0 {
			continue
		}
		inventory, err := b.run.inventory(ctx, shared)
		if err != nil {
			return err
		}
		err = b.run.insist(ctx, "entering objects in", "the inventory", func(ctx context.Context) error {
			return inventory.enter(ctx, entries, false)
		})
		if err != nil {
			return explain(inventory.cluster, "write", "ConfigMap "+InventoryNamespace+"/"+inventory.name, "labrun", err)
		}
	}
	return nil
}

func (r *run) entry(t *task) Entry {
	e := Entry{Step: r.scope.Step, Key: r.scope.Key, Lab: r.scope.Lab, APIVersion: t.ref.APIVersion, Kind: t.ref.Kind,
		Namespace: t.ref.Namespace, Name: t.ref.Name, Found: t.found}
	if r.hosted {
		e.Cluster = "hosted"
	}
	return e
}

// inventory gives the lab's inventory, or that of what the hub's labs share. It
// stands on the management cluster for the hosted cluster's objects too.
func (r *run) inventory(ctx context.Context, shared bool) (*inventory, error) {
	hub, err := r.env.Hub(ctx)
	if err != nil {
		return nil, err
	}
	if shared {
		return hub.inventoryOf(SharedInventory), nil
	}
	return hub.inventoryOf(InventoryName(r.scope.Lab)), nil
}

// readInventories reads what a step that is Inventoried looks into.
func (r *run) readInventories(ctx context.Context) error {
	if _, looks := r.step.(Inventoried); !looks {
		return nil
	}
	for shared, into := range map[bool]*[]Entry{false: &r.entries, true: &r.hubEntries} {
		inventory, err := r.inventory(ctx, shared)
		if err != nil {
			return err
		}
		if shared {
			inventory.refresh() // another lab may have entered something
		}
		err = r.insist(ctx, "reading", "ConfigMap "+InventoryNamespace+"/"+inventory.name, func(ctx context.Context) (err error) {
			*into, err = inventory.all(ctx)
			return err
		})
		if err != nil {
			return explain(inventory.cluster, "reading", "ConfigMap "+InventoryNamespace+"/"+inventory.name, r.manager, err)
		}
		if keeper, ok := r.env.(Keeper); ok {
			for n := range *into {
				(*into)[n].Kept = keeper.Keeps((*into)[n])
			}
		}
	}
	return nil
}
