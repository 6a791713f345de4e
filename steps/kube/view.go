package kube

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// view keeps what the references of one step find: read once, and kept up to
// date by watches from the moment that somebody has to wait.
type view struct {
	cluster *Cluster
	changed chan struct{} // holds one token while something has changed

	mu     sync.Mutex
	sights map[Ref]*sight
	group  sync.WaitGroup
}

// sight is what one reference finds.
type sight struct {
	ref     Ref
	objects map[string]*unstructured.Unstructured // by namespace/name
	watched bool
	trouble error // why it cannot be read at the moment
}

func newView(c *Cluster) *view {
	return &view{cluster: c, changed: make(chan struct{}, 1), sights: map[Ref]*sight{}}
}

// read reads what ref finds, once. A kind that the server does not know is the
// error errNotServed.
func (v *view) read(ctx context.Context, ref Ref) error {
	client, err := v.cluster.resource(ctx, ref)
	if err != nil {
		return err
	}
	var found []unstructured.Unstructured
	if ref.Name != "" {
		u, err := client.Get(ctx, ref.Name, meta.GetOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
		if err == nil {
			found = append(found, *u)
		}
	} else {
		list, err := client.List(ctx, meta.ListOptions{LabelSelector: ref.Labels})
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
		if err == nil {
			found = list.Items
		}
	}
	v.replace(ref, found)
	return nil
}

// add makes a sight for ref that finds nothing yet, and says whether it is new.
func (v *view) add(ref Ref) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, ok := v.sights[ref.key()]; ok {
		return false
	}
	v.sights[ref.key()] = &sight{ref: ref, objects: map[string]*unstructured.Unstructured{}}
	return true
}

// refs are what is looked at.
func (v *view) refs() []Ref {
	v.mu.Lock()
	defer v.mu.Unlock()
	refs := make([]Ref, 0, len(v.sights))
	for _, s := range v.sights {
		refs = append(refs, s.ref)
	}
	slices.SortFunc(refs, func(a, b Ref) int {
		return cmp.Or(cmp.Compare(a.String(), b.String()), cmp.Compare(a.Labels, b.Labels))
	})
	return refs
}

func (v *view) replace(ref Ref, found []unstructured.Unstructured) {
	v.add(ref)
	v.mu.Lock()
	defer v.mu.Unlock()
	s := v.sights[ref.key()]
	s.objects = make(map[string]*unstructured.Unstructured, len(found))
	for i := range found {
		s.objects[place(&found[i])] = &found[i]
	}
	s.trouble = nil
	v.signal()
}

// put keeps an object that was read or written, unless a later version of it is
// known already.
func (v *view) put(ref Ref, u *unstructured.Unstructured) {
	v.add(ref)
	v.mu.Lock()
	defer v.mu.Unlock()
	s := v.sights[ref.key()]
	s.trouble = nil
	if known := s.objects[place(u)]; known != nil && known.GetUID() == u.GetUID() && older(u, known) {
		return
	}
	s.objects[place(u)] = u
	v.signal()
}

// learn keeps an object that was written in every sight that it belongs to.
func (v *view) learn(u *unstructured.Unstructured) {
	v.mu.Lock()
	var refs []Ref
	for _, s := range v.sights {
		if s.ref.selects(u) {
			refs = append(refs, s.ref)
		}
	}
	v.mu.Unlock()
	for _, ref := range refs {
		v.put(ref, u)
	}
}

func (v *view) remove(ref Ref, u *unstructured.Unstructured) {
	v.mu.Lock()
	defer v.mu.Unlock()
	s := v.sights[ref.key()]
	if known := s.objects[place(u)]; known != nil && known.GetUID() == u.GetUID() {
		delete(s.objects, place(u))
		v.signal()
	}
}

func (v *view) fail(ref Ref, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	s := v.sights[ref.key()]
	if err == nil && s.trouble == nil {
		return
	}
	s.trouble = err
	v.signal()
}

// signal says that something has changed; v.mu is held.
func (v *view) signal() {
	select {
	case v.changed <- struct{}{}:
	default:
	}
}

// get gives the one object that ref names, nil where it is absent or not read.
func (v *view) get(ref Ref) *unstructured.Unstructured {
	v.mu.Lock()
	defer v.mu.Unlock()
	if s := v.sights[ref.key()]; s != nil {
		for _, u := range s.objects {
			return u
		}
	}
	return nil
}

// now gives all that is found at this moment.
func (v *view) now() map[Ref][]*unstructured.Unstructured {
	v.mu.Lock()
	defer v.mu.Unlock()
	all := make(map[Ref][]*unstructured.Unstructured, len(v.sights))
	for key, s := range v.sights {
		places := make([]string, 0, len(s.objects))
		for p := range s.objects {
			places = append(places, p)
		}
		slices.Sort(places)
		found := make([]*unstructured.Unstructured, len(places))
		for i, p := range places {
			found[i] = s.objects[p]
		}
		all[key] = found
	}
	return all
}

// trouble gives why something cannot be read at the moment, of several always the
// same.
func (v *view) trouble() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	var first *sight
	for _, s := range v.sights {
		if s.trouble == nil || s.ref.Optional && errors.Is(s.trouble, errNotServed) {
			continue
		}
		if first == nil || cmp.Or(cmp.Compare(s.ref.String(), first.ref.String()), cmp.Compare(s.ref.Labels, first.ref.Labels)) < 0 {
			first = s
		}
	}
	if first == nil {
		return nil
	}
	return first.trouble
}

func place(u *unstructured.Unstructured) string { return u.GetNamespace() + "/" + u.GetName() }

// older says whether a is an earlier version than b of the same object.
func older(a, b *unstructured.Unstructured) bool {
	x, errX := strconv.ParseUint(a.GetResourceVersion(), 10, 64)
	y, errY := strconv.ParseUint(b.GetResourceVersion(), 10, 64)
	return errX == nil && errY == nil && x < y
}
