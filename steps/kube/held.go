package kube

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/labrun/labrun/pipeline/event"
)

// heldEvery is how often it is looked again what an object's end waits for.
const heldEvery = 10 * time.Second

// heldLimit is how many objects a report names.
const heldLimit = 8

// held is an object that is being deleted and that something holds.
type held struct {
	ref   Ref
	since time.Time
	text  string
}

// holders tells each finalizer of an object, and who must take it off.
func holders(u meta.Object) []event.Line {
	var lines []event.Line
	for _, f := range u.GetFinalizers() {
		lines = append(lines, event.Line{Label: "held by", Text: fmt.Sprintf("finalizer %s, which %s", f, letter(u, f))})
	}
	return lines
}

// letter says who takes a finalizer off: its operator, or else who put it on.
func letter(u meta.Object, finalizer string) string {
	for _, known := range []struct{ part, owner string }{
		{"hypershift.openshift.io/", "HyperShift takes off (Deployment hypershift/operator)"},
		{"baremetalhost.metal3.io", "Metal3 takes off (Deployment openshift-machine-api/metal3-baremetal-operator)"},
		{"agent-install.openshift.io", "assisted-service takes off"},
		{"cluster.x-k8s.io", "Cluster API takes off, in the control plane's namespace"},
		{"multicluster.openshift.io", "multicluster engine's operator takes off"},
		{"open-cluster-management.io", "the cluster manager of multicluster engine takes off"},
		{"hive.openshift.io", "Hive takes off"},
		{"kubernetes.io/", "Kubernetes takes off"},
	} {
		if strings.Contains(finalizer, known.part) {
			return known.owner
		}
	}
	mark := []byte(`"v:\"` + finalizer + `\""`)
	for _, f := range u.GetManagedFields() {
		if f.FieldsV1 == nil {
			continue
		}
		if raw, err := json.Marshal(f.FieldsV1); err == nil && bytes.Contains(raw, mark) {
			return f.Manager + " put there"
		}
	}
	return "nobody is known to take off"
}

// heldIn finds what is being deleted in a namespace and is held, the longest first.
// What cannot be read is left out: it only tells about a wait.
func (c *Cluster) heldIn(ctx context.Context, namespace string) []held {
	var found []held
	for _, o := range c.contents(ctx, namespace).Objects {
		if o.DeletionTimestamp == nil || len(o.Finalizers) == 0 {
			continue
		}
		ref := Ref{APIVersion: o.APIVersion, Kind: o.Kind, Namespace: namespace, Name: o.Name}
		var by []string
		for _, f := range o.Finalizers {
			by = append(by, f+" ("+letter(&o.ObjectMeta, f)+")")
		}
		found = append(found, held{ref, o.DeletionTimestamp.Time, fmt.Sprintf("%s, deleted at %s, held by %s", ref, o.DeletionTimestamp.UTC().Format(time.RFC3339), strings.Join(by, ", "))})
	}
	slices.SortFunc(found, func(a, b held) int {
		return cmp.Or(a.since.Compare(b.since), cmp.Compare(a.text, b.text))
	})
	return found[:min(len(found), heldLimit)]
}

// Contents is what a namespace holds. Kinds that could not be read are named.
type Contents struct {
	Objects []meta.PartialObjectMetadata
	Unread  []string
}

// listing is how many kinds are listed side by side.
const listing = 16

// contents lists all objects of a namespace but events, by kind and name.
func (c *Cluster) contents(ctx context.Context, namespace string) Contents {
	kinds, err := c.kinds.inNamespaces(ctx)
	if err != nil {
		return Contents{Unread: []string{said(err)}}
	}
	var (
		all   Contents
		mu    sync.Mutex
		group sync.WaitGroup
		turn  = make(chan struct{}, listing)
	)
	for gvk, resource := range kinds {
		group.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			list, err := c.metadata.Resource(resource).Namespace(namespace).List(ctx, meta.ListOptions{})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				all.Unread = append(all.Unread, gvk.Kind+": "+said(err))
				return
			}
			for _, o := range list.Items {
				o.APIVersion, o.Kind = gvk.GroupVersion().String(), gvk.Kind
				all.Objects = append(all.Objects, o)
			}
		})
	}
	group.Wait()
	slices.SortFunc(all.Objects, func(a, b meta.PartialObjectMetadata) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.APIVersion, b.APIVersion))
	})
	slices.Sort(all.Unread)
	return all
}

// inNamespaces gives the kinds of objects that belong to namespaces and can be
// listed, in each group's preferred version. Events and what is computed are none.
func (k *kinds) inNamespaces(ctx context.Context) (map[schema.GroupVersionKind]schema.GroupVersionResource, error) {
	versions := []schema.GroupVersion{{Version: "v1"}}
	raw, err := k.asker.Get().AbsPath("/apis").SetHeader("Accept", "application/json").Do(ctx).Raw()
	if err != nil {
		return nil, err
	}
	var groups meta.APIGroupList
	if err := json.Unmarshal(raw, &groups); err != nil {
		return nil, fmt.Errorf("reading the server's groups: %w", err)
	}
	for _, g := range groups.Groups {
		if g.Name != "events.k8s.io" && g.Name != "metrics.k8s.io" && g.Name != "packages.operators.coreos.com" {
			versions = append(versions, schema.GroupVersion{Group: g.Name, Version: g.PreferredVersion.Version})
		}
	}
	found := map[schema.GroupVersionKind]schema.GroupVersionResource{}
	for _, gv := range versions {
		list, err := k.ask(ctx, gv)
		if err != nil {
			continue // a group whose own server does not answer has no say
		}
		for _, r := range list.APIResources {
			if r.Namespaced && slices.Contains(r.Verbs, "list") && !strings.Contains(r.Name, "/") && r.Kind != "Event" {
				found[gv.WithKind(r.Kind)] = gv.WithResource(r.Name)
			}
		}
	}
	return found, nil
}
