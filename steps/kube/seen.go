package kube

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/labrun/labrun/labs"
)

// Seen is what was read of the cluster, at one moment. It is not changed.
type Seen struct {
	Now     time.Time
	Began   time.Time // of this run of the step: an error that stood before may be mended already
	objects map[Ref][]*unstructured.Unstructured
	secrets map[string]labs.Secret
	lab     []Entry
	shared  []Entry
	inside  map[string]Contents
	keeps   func(Entry) string
}

// NewSeen makes a Seen of objects by the reference that found them, for tests
// and for the engine.
func NewSeen(now time.Time, objects map[Ref][]*unstructured.Unstructured, secrets map[string]labs.Secret) Seen {
	s := Seen{Now: now, objects: make(map[Ref][]*unstructured.Unstructured, len(objects)), secrets: secrets}
	for ref, found := range objects {
		s.objects[ref.key()] = found
	}
	return s
}

// Get gives the object that ref names, nil where it is absent.
func (s Seen) Get(ref Ref) *unstructured.Unstructured {
	if found := s.objects[ref.key()]; len(found) > 0 {
		return found[0]
	}
	return nil
}

// List gives the objects that ref selects, by namespace and name.
func (s Seen) List(ref Ref) []*unstructured.Unstructured { return s.objects[ref.key()] }

// Entries are what the inventory holds of the lab, for a step that is Inventoried,
// by kind, namespace and name.
func (s Seen) Entries() []Entry { return s.lab }

// SharedEntries are what the hub's inventory holds of what its labs share.
func (s Seen) SharedEntries() []Entry { return s.shared }

// Keeps says why this undo leaves what a step made, also where no inventory holds it;
// "" where it does not.
func (s Seen) Keeps(e Entry) string {
	if s.keeps == nil {
		return ""
	}
	return s.keeps(e)
}

// WithKeeper is what was seen by an undo that keeps some of it.
func (s Seen) WithKeeper(keeps func(Entry) string) Seen {
	s.keeps = keeps
	return s
}

// Contents are what a namespace holds, for a step that surveys it.
func (s Seen) Contents(namespace string) Contents { return s.inside[namespace] }

// WithContents is what was seen with these namespaces.
func (s Seen) WithContents(inside map[string]Contents) Seen {
	s.inside = inside
	return s
}

// WithEntries is what was seen with these inventories.
func (s Seen) WithEntries(lab, shared []Entry) Seen {
	s.lab, s.shared = lab, shared
	return s
}

// Secret gives the value that a step declared with Secrets.
func (s Seen) Secret(ref labs.SecretRef) labs.Secret { return s.secrets[ref.String()] }

// As converts what ref names into T, nil where it is absent or does not fit.
func As[T any](s Seen, ref Ref) *T {
	u := s.Get(ref)
	if u == nil {
		return nil
	}
	return Convert[T](u)
}

// Convert reads an object into T, nil where it does not fit.
func Convert[T any](u *unstructured.Unstructured) *T {
	var t T
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &t); err != nil {
		return nil
	}
	return &t
}
