package e2e

import (
	"slices"
	"strings"
	"testing"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/labrun/labrun/internal/sim"
	"github.com/labrun/labrun/pipeline/event"
)

// TestNoVirtualCD has one worker whose BMC takes floppies only: the pre-flight ends
// the run before anything is changed. Where one worker is enough, the lab is built
// with the other one, and stays so.
func TestNoVirtualCD(t *testing.T) {
	t.Parallel()
	l := start(t, connected, sim.Options{Fail: []string{"no-virtual-cd"}})
	o := l.run(t).must(t, 3)
	t.Logf("%s%s", o.err[max(0, strings.Index(o.err, "\n✗")):], o.out)
	if failed := o.status(event.Failed); !slices.Equal(failed, []string{"preflight"}) {
		t.Errorf("failed: %v, want preflight", failed)
	}
	for _, want := range []string{"1 of 2 workers can be used, 2 needed", "worker1", "media-type", "the slots take only Floppy", "--host worker1"} {
		if !strings.Contains(o.err, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	for _, w := range writes(t, l.Hub()) {
		if ours(w) {
			t.Errorf("%s %s %s/%s by %s, before a failed pre-flight", w.Verb, w.Resource, w.Namespace, w.Name, w.Agent)
		}
	}
	asked, err := l.BMCRequests()
	if err != nil || len(asked) == 0 {
		t.Errorf("the BMCs were asked %d times: %v", len(asked), err)
	}
	for _, r := range asked {
		if !reads(r) {
			t.Errorf("a BMC was asked %s %s (%s)", r.Method, r.Path, r.Code)
		}
	}

	one := l.run(t, "--set", "lab.preflight.require=1").must(t, 0)
	t.Log("with one: ", one.told())
	if left := one.status(event.Failed, event.Blocked, event.Cancelled); len(left) > 0 {
		t.Errorf("not done: %v", left)
	}
	skipped := one.status(event.Skipped)
	for _, step := range []string{"host[worker1]", "agent[worker1]", "installed[worker1]"} {
		if !slices.Contains(skipped, step) {
			t.Errorf("%s was not skipped", step)
		}
	}
	l.wantNodes(t, "worker0")
	l.wantReplicas(t, 1)
	if hosts := l.hosts(t); !slices.Equal(hosts, []string{"worker0"}) {
		t.Errorf("BareMetalHosts of %v, want worker0 alone", hosts)
	}
	l.wantNothingToDo(t, "--set", "lab.preflight.require=1")
	l.wantReplicas(t, 1)
}

// hosts are the names of the lab's BareMetalHosts.
func (l *lab) hosts(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, u := range l.list(t, "metal3.io/v1alpha1", "baremetalhosts", l.facts.ControlPlaneNamespace()) {
		names = append(names, u.GetName())
	}
	slices.Sort(names)
	return names
}

// wantReplicas looks at the NodePool.
func (l *lab) wantReplicas(t *testing.T, want int64) {
	t.Helper()
	for _, u := range l.list(t, "hypershift.openshift.io/v1beta1", "nodepools", l.facts.Hosted.Namespace) {
		spec, _, _ := unstructured.NestedInt64(u.Object, "spec", "replicas")
		status, _, _ := unstructured.NestedInt64(u.Object, "status", "replicas")
		if spec != want || status != want {
			t.Errorf("NodePool %s wants %d workers and has %d, want %d", u.GetName(), spec, status, want)
		}
	}
}

func (l *lab) list(t *testing.T, version, resource, namespace string) []unstructured.Unstructured {
	t.Helper()
	gv, err := schema.ParseGroupVersion(version)
	if err != nil {
		t.Fatal(err)
	}
	list, err := dynamic.NewForConfigOrDie(l.Hub().Config()).Resource(gv.WithResource(resource)).Namespace(namespace).List(t.Context(), meta.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return list.Items
}

// wantNoWarnings holds a run's pre-flights to silence about the workers that have
// their BareMetalHosts: powered on, with the lab's image in the drive, is right.
func (o outcome) wantNoWarnings(t *testing.T, hosts []string) {
	t.Helper()
	heard := 0
	for _, e := range o.events {
		if e.Type == event.StepFinished && (e.Step == "preflight" || e.Step == "probe_bmcs") {
			heard++
		}
		if e.Type != event.StepWarned || e.Step != "preflight" && e.Step != "probe_bmcs" {
			continue
		}
		workers, _, _ := strings.Cut(e.Report.Title, ": ")
		for worker := range strings.SplitSeq(workers, ", ") {
			if slices.Contains(hosts, worker) {
				t.Errorf("%s warns: %+v", e.Step, e.Report)
			}
		}
	}
	if heard != 2 {
		t.Errorf("%d pre-flights have ended, want 2", heard)
	}
}
