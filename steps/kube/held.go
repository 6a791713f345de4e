package kube

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

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
	q := c.inquire(namespace)
	_ = q.round(ctx)
	for _, o := range q.contents().Objects {
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
