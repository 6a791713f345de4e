package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/labrun/labrun/internal/sim"
)

// TestDestroy builds the disconnected lab and takes it apart.
func TestDestroy(t *testing.T) {
	t.Parallel()
	l := start(t, disconnected, sim.Options{})
	before := l.snapshot(t)
	l.run(t).must(t, 0)
	o := l.destroy(t).must(t, 0)
	t.Log("destroyed:", o.told())
	t.Log(o.err)
	wantBefore(t, before, l.snapshot(t))
}

// destroy runs labrun destroy in this process.
func (l *lab) destroy(t *testing.T, more ...string) outcome {
	t.Helper()
	return l.do(t, "destroy", more...)
}

// snapshot is the management cluster by kind, namespace and name: what each object
// holds, without what the server keeps about it and what operators report in its
// status. Events and leases say when somebody did something, not what there is.
func (l *lab) snapshot(t *testing.T) map[string]string {
	t.Helper()
	config := l.Hub().Config()
	config.WarningHandler = rest.NoWarnings{}
	kinds, err := discovery.NewDiscoveryClientForConfigOrDie(config).ServerPreferredResources()
	if err != nil {
		t.Fatal(err)
	}
	client := dynamic.NewForConfigOrDie(config)
	found := map[string]string{}
	for _, group := range kinds {
		gv, err := schema.ParseGroupVersion(group.GroupVersion)
		if err != nil {
			t.Fatal(err)
		}
		for _, kind := range group.APIResources {
			if !slices.Contains(kind.Verbs, "list") || slices.Contains([]string{"Event", "Lease"}, kind.Kind) {
				continue
			}
			list, err := client.Resource(gv.WithResource(kind.Name)).List(t.Context(), meta.ListOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for n := range list.Items {
				u := &list.Items[n]
				found[name(u)] = holds(t, u)
			}
		}
	}
	return found
}

func holds(t *testing.T, u *unstructured.Unstructured) string {
	t.Helper()
	c := u.DeepCopy().Object
	delete(c, "status")
	for _, field := range []string{"managedFields", "resourceVersion", "generation", "creationTimestamp"} {
		unstructured.RemoveNestedField(c, "metadata", field)
	}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// wantBefore holds a cluster against what it was: the same objects, and nothing else.
func wantBefore(t *testing.T, before, after map[string]string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(before)) {
		switch now, there := after[name]; {
		case !there:
			t.Errorf("%s is gone", name)
		case now != before[name]:
			t.Errorf("%s was\n%s\nand is\n%s", name, before[name], now)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if _, there := before[name]; !there {
			t.Errorf("%s is left: %s", name, firstOf(after[name], 300))
		}
	}
}

func firstOf(text string, n int) string {
	if len(text) > n {
		return text[:n] + "…"
	}
	return text
}

var _ = fmt.Sprint
var _ = strings.Contains
