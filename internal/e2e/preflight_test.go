package e2e

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/labrun/labrun/internal/cli"
	"github.com/labrun/labrun/internal/program"
	"github.com/labrun/labrun/internal/sim"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/redfish"
	"github.com/labrun/labrun/steps/kube"
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
		// What holds the lab is no part of it: the Lease, and the namespace that it is in.
		if holds := w.Resource == "leases" && w.Namespace == kube.InventoryNamespace || w.Resource == "namespaces" && w.Name == kube.InventoryNamespace; ours(w) && !holds {
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

	with := []string{"--set", "lab.preflight.require=1", "--set", "lab.preflight.active=true"}
	one := l.run(t, with...).must(t, 0)
	t.Log("with one: ", one.told())
	l.wantProbed(t, one)
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
	l.wantNothingToDo(t, with...) // nor is the active probe asked of a worker that has its host
	l.wantReplicas(t, 1)
}

// wantProbed looks for the active probe of worker0 among what was written to its
// BMC: before Metal3 inserts its own, an image was put in and taken out, and all that
// it told was that the emulator makes Continuous of Once.
func (l *lab) wantProbed(t *testing.T, o outcome) {
	t.Helper()
	all, err := l.BMCRequests()
	if err != nil {
		t.Fatal(err)
	}
	var written []string
	for _, r := range all {
		if !reads(r) {
			written = append(written, r.Method+" "+r.Path[strings.LastIndexAny(r.Path, "/.")+1:]+" "+r.Code)
		}
	}
	system := l.facts.Workers[0].BMC.Address
	boot := "PATCH " + system[strings.LastIndex(system, "/")+1:] + " 204"
	if want := []string{"POST InsertMedia 204", boot, boot, "POST EjectMedia 204"}; len(written) < len(want) || !slices.Equal(written[:len(want)], want) {
		t.Errorf("the BMCs were written to by %q, want %q first", written, want)
	}
	var probe []string
	for _, e := range o.events {
		if e.Type == event.StepWarned && e.Step == "probe_bmcs" && strings.HasPrefix(e.Report.Title, "worker0: ") {
			probe = append(probe, e.Report.Title)
		}
	}
	t.Logf("the active probe told of %q", probe)
	if !slices.Equal(probe, []string{"worker0: boot-once"}) {
		t.Errorf("the active probe told %q", probe)
	}
}

// wantOwn asks the BMCs of a finished lab outside of a run: that the workers are on,
// with this lab's image in their drives, is right.
func (l *lab) wantOwn(t *testing.T) {
	t.Helper()
	var out, errs bytes.Buffer
	args := []string{"preflight", l.file, "--kubeconfig", l.kubeconfig, "--values", l.values, "-o", "json"}
	if code := program.Main(t.Context(), args, cli.Streams{Out: &out, Err: &errs}); code != 0 {
		t.Errorf("the pre-flight of a finished lab: exit code %d\n%s", code, errs.String())
	}
	var told struct {
		Hosts   []redfish.Report
		Summary map[string]any
	}
	if err := json.Unmarshal(out.Bytes(), &told); err != nil || len(told.Hosts) != len(l.facts.Workers) {
		t.Fatalf("%d workers were asked: %v", len(told.Hosts), err)
	}
	t.Logf("the pre-flight of a finished lab: %v", told.Summary)
	for _, h := range told.Hosts {
		for _, id := range []string{"power", "media-busy", "image-url"} {
			if c := h.Check(id); c.Status != redfish.Pass {
				t.Errorf("%s: %+v", h.Name, c)
			}
		}
		for _, c := range h.Checks {
			if c.Status == redfish.Warn || c.Status == redfish.Fail {
				t.Errorf("%s: %+v", h.Name, c)
			}
		}
	}
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
