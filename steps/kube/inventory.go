package kube

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
)

// Where the inventories stand, in the management cluster: a ConfigMap a lab, and
// one of what all labs of the hub share, which outlives each of them.
const (
	InventoryNamespace = "labrun"
	SharedInventory    = "shared"
)

// InventoryName is the ConfigMap of a lab's inventory.
func InventoryName(lab string) string { return "lab-" + lab }

// Entry is what the inventory holds of one object. Without UID the object may
// have been made, or not: it was entered, and the run ended.
type Entry struct {
	Step       string `json:"step"`
	Key        string `json:"key,omitempty"`
	Lab        string `json:"lab"`               // that made it, or last changed what was found
	Cluster    string `json:"cluster,omitempty"` // "hosted" for one in the hosted cluster
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name"`
	UID        string `json:"uid,omitempty"`
	// Found objects were there before labrun, which changed them; Former is the
	// JSON merge patch that brings their former values back.
	Found  bool            `json:"found,omitempty"`
	Former json.RawMessage `json:"former,omitempty"`
	// Note is what an undo has yet to know of an object that it deleted.
	Note json.RawMessage `json:"note,omitempty"`
	// Kept says why an undo leaves it; it is not written.
	Kept string `json:"-"`
}

// Ref is the object's reference. A kind that is no longer served is an object that
// is no longer there.
func (e Entry) Ref() Ref {
	return Ref{APIVersion: e.APIVersion, Kind: e.Kind, Namespace: e.Namespace, Name: e.Name, Optional: true}
}

// errWritten is why an inventory is read again before it is written.
var errWritten = errors.New("it was written since it was read")

// longestEntry is the longest key that a ConfigMap takes.
const longestEntry = 253

// A pattern that counted itself would cost a millisecond of each start.
var entryName = regexp.MustCompile(`^[-._a-zA-Z0-9]+$`)

// entryKey is the key of an object in its inventory. It names the kind without
// its version, which may move on.
func entryKey(hosted bool, ref Ref) string {
	parts := []string{strings.ToLower(ref.Kind), ref.kind().Group, ref.Namespace, ref.Name}
	if hosted {
		parts = append(parts, "hosted")
	}
	key := strings.Join(parts, "_")
	if len(key) <= longestEntry && entryName.MatchString(key) {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// inventory is one ConfigMap of entries. It is read once: a lab has one run at a
// time, and what is shared is read again before it is written.
type inventory struct {
	cluster *Cluster
	name    string

	mu      sync.Mutex
	loaded  bool
	there   bool   // the ConfigMap exists
	version string // its resourceVersion when it was read
	entries map[string]Entry
}

func (c *Cluster) inventoryOf(name string) *inventory {
	i, _ := c.inventory.LoadOrStore(name, &inventory{cluster: c, name: name})
	return i.(*inventory)
}

// get gives one entry, and whether there is one.
func (i *inventory) get(ctx context.Context, key string) (Entry, bool, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if err := i.load(ctx); err != nil {
		return Entry{}, false, err
	}
	e, ok := i.entries[key]
	return e, ok, nil
}

// all gives every entry, by kind, namespace and name.
func (i *inventory) all(ctx context.Context) ([]Entry, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if err := i.load(ctx); err != nil {
		return nil, err
	}
	entries := slices.Collect(maps.Values(i.entries))
	slices.SortFunc(entries, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Cluster, b.Cluster))
	})
	return entries, nil
}

func (i *inventory) load(ctx context.Context) error {
	if i.loaded {
		return nil
	}
	i.entries = map[string]Entry{}
	u, err := i.configMaps().Get(ctx, i.name, meta.GetOptions{})
	if apierrors.IsNotFound(err) {
		i.loaded, i.there, i.version = true, false, ""
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the inventory ConfigMap %s/%s: %w", InventoryNamespace, i.name, err)
	}
	data, _, _ := unstructured.NestedStringMap(u.Object, "data")
	for key, text := range data {
		var e Entry
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			return fmt.Errorf("reading the inventory ConfigMap %s/%s, key %s: %w", InventoryNamespace, i.name, key, err)
		}
		i.entries[key] = e
	}
	i.loaded, i.there, i.version = true, true, u.GetResourceVersion()
	return nil
}

// enter writes entries in one request; an entry that is nil is taken out. What
// stands there already is not written again. Where it is guarded, an inventory
// that was written or deleted since it was read is a conflict; otherwise one that was
// deleted is made anew.
func (i *inventory) enter(ctx context.Context, entries map[string]*Entry, guarded bool) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	err := i.put(ctx, entries, guarded)
	if apierrors.IsNotFound(err) {
		err = i.put(ctx, entries, guarded)
	}
	return err
}

// put is enter; i.mu is held.
func (i *inventory) put(ctx context.Context, entries map[string]*Entry, guarded bool) error {
	if err := i.load(ctx); err != nil {
		return err
	}
	data, next := map[string]any{}, maps.Clone(i.entries)
	for key, e := range entries {
		old, there := i.entries[key]
		switch {
		case e == nil && there:
			data[key] = nil
			delete(next, key)
		case e != nil && !(there && sameJSON(old, *e)):
			text, err := json.Marshal(e)
			if err != nil {
				return err
			}
			data[key] = string(text)
			next[key] = *e
		}
	}
	if len(data) == 0 {
		return nil
	}
	if err := i.write(ctx, data, guarded); err != nil {
		return fmt.Errorf("writing the inventory ConfigMap %s/%s: %w", InventoryNamespace, i.name, err)
	}
	i.entries = next
	return nil
}

// replace enters next in the place of an entry, or takes that out where next is nil.
// It is false where the inventory holds something else by now, and a conflict where
// the inventory was written at the same moment.
func (i *inventory) replace(ctx context.Context, key string, judged Entry, next *Entry) (bool, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.loaded = false
	if err := i.load(ctx); err != nil {
		return false, err
	}
	if now, there := i.entries[key]; !there || !sameJSON(now, judged) {
		return false, nil
	}
	err := i.put(ctx, map[string]*Entry{key: next}, true)
	return err == nil, err
}

func (i *inventory) write(ctx context.Context, data map[string]any, guarded bool) error {
	if !i.there {
		made, err := i.make(ctx)
		if err != nil {
			return err
		}
		if made == nil && guarded { // another lab made it since it was read, and may have entered the same object
			i.loaded = false
			return apierrors.NewConflict(schema.GroupResource{Resource: "configmaps"}, i.name, errWritten)
		}
		if made != nil {
			i.version = made.GetResourceVersion()
		}
		i.there = true
	}
	change := map[string]any{"data": data}
	if guarded && i.version != "" {
		change["metadata"] = map[string]any{"resourceVersion": i.version}
	}
	body, err := json.Marshal(change)
	if err != nil {
		return err
	}
	written, err := i.configMaps().Patch(ctx, i.name, types.MergePatchType, body, meta.PatchOptions{FieldManager: "labrun"})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		i.there, i.loaded = false, false // somebody deleted or wrote it: the next attempt begins anew
	}
	if guarded && apierrors.IsNotFound(err) {
		return apierrors.NewConflict(schema.GroupResource{Resource: "configmaps"}, i.name, errWritten)
	}
	if err == nil && guarded {
		i.version = written.GetResourceVersion()
	}
	return err
}

// refresh has the inventory read again when it is next needed.
func (i *inventory) refresh() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.loaded = false
}

// make makes the namespace and the empty ConfigMap where they are absent; nil where
// the ConfigMap is there.
func (i *inventory) make(ctx context.Context) (*unstructured.Unstructured, error) {
	labels := map[string]any{LabelManagedBy: "labrun"}
	o := meta.CreateOptions{FieldManager: "labrun"}
	made, err := i.configMaps().Create(ctx, configMap(i.name, labels), o)
	if apierrors.IsNotFound(err) {
		if err = i.cluster.makeNamespace(ctx); err != nil {
			return nil, err
		}
		made, err = i.configMaps().Create(ctx, configMap(i.name, labels), o)
	}
	if apierrors.IsAlreadyExists(err) {
		return nil, nil
	}
	return made, err
}

// makeNamespace makes the namespace of the inventories where it is absent.
func (c *Cluster) makeNamespace(ctx context.Context) error {
	namespace := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace",
		"metadata": map[string]any{"name": InventoryNamespace, "labels": map[string]any{LabelManagedBy: "labrun"}}}}
	_, err := c.dynamic.Resource(core("namespaces")).Create(ctx, namespace, meta.CreateOptions{FieldManager: "labrun"})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

func configMap(name string, labels map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"name": name, "namespace": InventoryNamespace, "labels": labels}}}
}

func core(resource string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Version: "v1", Resource: resource}
}

func (i *inventory) configMaps() dynamic.ResourceInterface {
	return i.cluster.dynamic.Resource(core("configmaps")).Namespace(InventoryNamespace)
}
