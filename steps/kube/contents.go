package kube

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Contents is what a namespace holds, but for events. Nothing is known about what
// could not be read: Unread says what, and why.
type Contents struct {
	Objects []meta.PartialObjectMetadata
	Unread  []string
}

const (
	// listing is how many requests about a namespace are under way side by side.
	listing = 16
	// lastWord is how long a server may answer with an error that may pass until
	// that is its last word. Steps have more time.
	lastWord = time.Minute
)

// inquiry is what is known so far of what a namespace holds. What failed is asked
// again, what was answered is not.
//
// An API group whose own server does not answer (a stale or broken APIService) is
// unread like everything else. OpenShift keeps Routes, builds and image streams behind
// such servers, which people make; and Kubernetes itself ends no namespace while a
// group of any server cannot be read, so that nothing is won by passing over it.
type inquiry struct {
	cluster   *Cluster
	namespace string
	patience  time.Time // until when errors that may pass are asked about again

	versions []schema.GroupVersion // of all groups, a group's preferred one first; nil until known
	mu       sync.Mutex
	settled  map[string]bool // questions that have their answer, or never get one
	served   map[schema.GroupVersion][]meta.APIResource
	objects  []meta.PartialObjectMetadata
	unread   []string
	open     map[string]error // questions that failed in this round and are asked again
}

func (c *Cluster) inquire(namespace string) *inquiry {
	return &inquiry{cluster: c, namespace: namespace, patience: time.Now().Add(c.lastWord),
		settled: map[string]bool{}, served: map[schema.GroupVersion][]meta.APIResource{}}
}

// contents lists all objects of a namespace, by kind and name. It insists on an
// answer for as long as the server cannot be reached at all.
func (r *run) contents(ctx context.Context, namespace string) (Contents, error) {
	q := r.cluster.inquire(namespace)
	err := r.insist(ctx, "listing what is in it", "Namespace "+namespace, q.round)
	if err != nil && ctx.Err() != nil {
		return Contents{}, err
	}
	return q.contents(), nil
}

// round asks what is not answered yet. Its error may pass: then another round is due.
func (q *inquiry) round(ctx context.Context) error {
	q.open = map[string]error{}
	q.ask(ctx, "API groups", func() (err error) {
		q.versions, err = q.cluster.kinds.versions(ctx)
		return err
	})
	abreast(q.versions, func(gv schema.GroupVersion) { q.discover(ctx, gv) })
	kinds := q.kinds()
	abreast(slices.Collect(maps.Keys(kinds)), func(r schema.GroupResource) { q.list(ctx, r, kinds[r]) })
	return q.again()
}

// abreast does the same to all, some at a time, and returns when all is done.
func abreast[T any](all []T, do func(T)) {
	var group sync.WaitGroup
	turn := make(chan struct{}, listing)
	for _, one := range all {
		group.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			do(one)
		})
	}
	group.Wait()
}

// discover asks what is served of one version of a group.
func (q *inquiry) discover(ctx context.Context, gv schema.GroupVersion) {
	q.ask(ctx, "API group "+gv.String(), func() error {
		list, err := q.cluster.kinds.ask(ctx, gv)
		if apierrors.IsNotFound(err) && gv.Group != "" { // its last definition went meanwhile
			return nil
		}
		if err != nil {
			return err
		}
		q.mu.Lock()
		defer q.mu.Unlock()
		q.served[gv] = list.APIResources
		return nil
	})
}

// kind is how the objects of a resource are asked for.
type kind struct {
	version schema.GroupVersion
	name    string
}

// kinds are those of objects that belong to namespaces and can be listed, each in the
// first version that serves it: a group's preferred version need not serve all.
func (q *inquiry) kinds() map[schema.GroupResource]kind {
	found := map[schema.GroupResource]kind{}
	for _, gv := range q.versions {
		for _, r := range q.served[gv] {
			at := gv.WithResource(r.Name).GroupResource()
			if _, known := found[at]; known || !r.Namespaced || !slices.Contains(r.Verbs, "list") || strings.Contains(r.Name, "/") || r.Kind == "Event" {
				continue
			}
			found[at] = kind{gv, r.Kind}
		}
	}
	return found
}

// list lists the objects of one kind.
func (q *inquiry) list(ctx context.Context, r schema.GroupResource, k kind) {
	q.ask(ctx, r.String(), func() error {
		list, err := q.cluster.metadata.Resource(r.WithVersion(k.version.Version)).Namespace(q.namespace).List(ctx, meta.ListOptions{})
		if apierrors.IsNotFound(err) || apierrors.IsMethodNotSupported(err) { // Kubernetes passes over it, too, when it empties a namespace
			return nil
		}
		if err != nil {
			return err
		}
		q.mu.Lock()
		defer q.mu.Unlock()
		for _, o := range list.Items {
			o.APIVersion, o.Kind = k.version.String(), k.name
			q.objects = append(q.objects, o)
		}
		return nil
	})
}

// ask asks a question that is not settled: answered, or never to be answered.
func (q *inquiry) ask(ctx context.Context, question string, act func() error) {
	q.mu.Lock()
	settled := q.settled[question]
	q.mu.Unlock()
	if settled {
		return
	}
	err := act()
	var answer apierrors.APIStatus
	passes := transient(err) && (!errors.As(err, &answer) || time.Now().Before(q.patience))
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case err != nil && (ctx.Err() != nil || passes):
		q.open[question] = err
		return
	case err != nil:
		q.unread = append(q.unread, question+": "+said(err))
	}
	q.settled[question] = true
}

// again is the error of a question that is asked again, which it names; nil for none.
func (q *inquiry) again() error {
	if len(q.open) == 0 {
		return nil
	}
	question := slices.Min(slices.Collect(maps.Keys(q.open)))
	err := q.open[question]
	var status *apierrors.StatusError
	if !errors.As(err, &status) {
		return fmt.Errorf("%s: %w", question, err)
	}
	named := *status
	named.ErrStatus.Message = question + ": " + said(err)
	return &named
}

// contents are what the rounds found. What would be asked again is unread.
func (q *inquiry) contents() Contents {
	all := Contents{Objects: slices.Clone(q.objects), Unread: slices.Clone(q.unread)}
	slices.SortFunc(all.Objects, func(a, b meta.PartialObjectMetadata) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.APIVersion, b.APIVersion))
	})
	for question, err := range q.open {
		all.Unread = append(all.Unread, question+": "+said(err))
	}
	slices.Sort(all.Unread)
	return all
}

// versions are those of all groups that hold objects of people's, a group's preferred
// one first. Events, measurements and catalogs' packages are none: nobody keeps them.
func (k *kinds) versions(ctx context.Context) ([]schema.GroupVersion, error) {
	raw, err := k.get(ctx, "/apis")
	if err != nil {
		return nil, err
	}
	var groups meta.APIGroupList
	if err := json.Unmarshal(raw, &groups); err != nil {
		return nil, fmt.Errorf("reading the server's groups: %w", err)
	}
	all := []schema.GroupVersion{{Version: "v1"}}
	for _, g := range groups.Groups {
		if g.Name == "events.k8s.io" || g.Name == "metrics.k8s.io" || strings.HasSuffix(g.Name, ".metrics.k8s.io") || g.Name == "packages.operators.coreos.com" {
			continue
		}
		all = append(all, schema.GroupVersion{Group: g.Name, Version: g.PreferredVersion.Version})
		for _, v := range g.Versions {
			if v.Version != g.PreferredVersion.Version {
				all = append(all, schema.GroupVersion{Group: g.Name, Version: v.Version})
			}
		}
	}
	return all, nil
}
