package e2e

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/labrun/labrun/internal/cli"
	"github.com/labrun/labrun/internal/program"
	"github.com/labrun/labrun/internal/sim"
	"github.com/labrun/labrun/internal/sim/players/obj"
	"github.com/labrun/labrun/internal/sim/players/playtest"
	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline/event"
)

// TestWorkers lets a worker live its life beside another one on a finished lab: it is
// added, installed anew, replaced by another server and taken out. The other one
// notices nothing.
func TestWorkers(t *testing.T) {
	t.Parallel()
	rack := start(t, threeServers(t), sim.Options{})
	alone, both := rack.staffed(t, "worker0"), rack.staffed(t, "worker0", "worker1")
	replaced := rack.staffed(t, "worker0", "worker1=spare")
	t.Log("one worker:", alone.run(t).must(t, 0).told())
	other := rack.standing(t, "worker0")

	first := both.wantAdded(t)
	second := both.wantReinstalled(t)
	third := replaced.wantReplaced(t, rack)
	for what, of := range map[string][2]map[string]string{"installed anew": {first, second}, "replaced": {second, third}} {
		for kind, was := range of[0] {
			was, _, _ := strings.Cut(was, "/")
			now, _, _ := strings.Cut(of[1][kind], "/")
			if now == was || now == "" {
				t.Errorf("%s, it has %s %s, and had %s", what, kind, now, was)
			}
		}
	}
	alone.wantTakenOut(t)

	if now := rack.standing(t, "worker0"); !maps.Equal(now, other) {
		t.Errorf("the worker that stayed was\n%v\nand is\n%v", other, now)
	}
	rack.wantPower(t, map[string]string{"worker0": "On", "worker1": "Off", "spare": "Off"})
	alone.wantNothingToDo(t)
}

// wantAdded builds a lab whose file has one worker more.
func (l *lab) wantAdded(t *testing.T) map[string]string {
	t.Helper()
	_, text, exit := l.plan(t)
	if exit != 10 {
		t.Errorf("exit %d", exit)
	}
	wantGolden(t, "plan/worker-added", l.same(text))
	o := l.run(t).must(t, 0)
	t.Log("added:", o.told())
	for _, name := range o.status(event.Changed) {
		if name != "scale" && !strings.HasSuffix(name, "[worker1]") {
			t.Errorf("%s changed something, and only worker1 was added", name)
		}
	}
	l.wantJoined(t)
	return l.standing(t, "worker1")
}

// wantReinstalled takes a worker out and builds it again: one command, one journal.
func (l *lab) wantReinstalled(t *testing.T) map[string]string {
	t.Helper()
	before := len(writes(t, l.Hub()))
	wantGolden(t, "plan/worker-reinstalled", l.same(l.say(t, 0, "rebuild", "--worker", "worker1", "--dry-run")))
	l.wantUnchangedHub(t, before)
	l.wantRebuilt(t)
	l.wantJoined(t)
	return l.standing(t, "worker1")
}

// wantReplaced puts another server under a worker's name: a run refuses to, before
// it changes anything, and says which command does it.
func (l *lab) wantReplaced(t *testing.T, rack *lab) map[string]string {
	t.Helper()
	before := len(writes(t, l.Hub()))
	_, text, exit := l.plan(t)
	if exit != 10 {
		t.Errorf("exit %d", exit)
	}
	wantGolden(t, "plan/worker-replaced", l.same(text))
	var out, errs bytes.Buffer
	code := program.Main(t.Context(), l.args(), cli.Streams{Out: &out, Err: &errs})
	for _, want := range []string{"/worker1 has another boot MAC, 52:54:00:7d:00:11", "/worker1 has another BMC, redfish", "lab.yaml:", "labrun rebuild LAB --worker worker1", "nothing was run"} {
		if !strings.Contains(errs.String(), want) {
			t.Errorf("the run does not say %q:\n%s", want, errs.String())
		}
	}
	if code != 1 {
		t.Errorf("exit %d of a run for another server", code)
	}
	for _, w := range writes(t, l.Hub())[before:] {
		if ours(w) && w.Changed && !l.tenure(w) {
			t.Errorf("%s %s %s/%s, and it was refused", w.Verb, w.Resource, w.Namespace, w.Name)
		}
	}
	l.wantRebuilt(t)
	l.wantJoined(t)
	rack.wantPower(t, map[string]string{"worker0": "On", "worker1": "Off", "spare": "On"})
	return l.standing(t, "worker1")
}

// wantPower asks the servers of the rack, by the names that they have there.
func (l *lab) wantPower(t *testing.T, servers map[string]string) {
	t.Helper()
	for name, want := range servers {
		if is := power(t, l.worker(t, name)); is != want && (want == "Off" || !strings.HasPrefix(is, want)) {
			t.Errorf("server %s is %s, want %s", name, is, want)
		}
	}
}

// wantRebuilt rebuilds worker1, and nothing else.
func (l *lab) wantRebuilt(t *testing.T) {
	t.Helper()
	o := l.do(t, "rebuild", "--worker", "worker1").must(t, 0)
	t.Log("rebuilt:", o.told())
	wantWhole(t, o)
	if !slices.Equal(o.Run.Workers, []string{"worker1"}) || o.Run.Command != event.Rebuild {
		t.Errorf("the journal is of %+v", o.Run)
	}
	changed := o.status(event.Changed)
	for _, step := range []string{"destroy/take_out", "destroy/host[worker1]", "destroy/agent[worker1]", "network[worker1]", "host[worker1]", "scale"} {
		if !slices.Contains(changed, step) {
			t.Errorf("%s changed nothing: %v", step, changed)
		}
	}
	for _, name := range changed {
		if strings.HasSuffix(name, "[worker0]") {
			t.Errorf("%s changed something, and only worker1 was rebuilt", name)
		}
	}
}

// wantTakenOut takes the worker out that the lab file has no more: its own Machine
// goes, its host is deleted and its server off; all else stays.
func (l *lab) wantTakenOut(t *testing.T) {
	t.Helper()
	plan, text, exit := l.plan(t)
	for _, o := range plan.Orphans {
		if o.Key != "worker1" {
			t.Errorf("%s[%s] is an orphan", o.Step, o.Key)
		}
	}
	if exit != 0 || len(plan.Orphans) == 0 {
		t.Errorf("exit %d, orphans %v", exit, plan.Orphans)
	}
	wantGolden(t, "plan/worker-taken-out", l.same(text))
	o := l.destroy(t, "--orphans").must(t, 0)
	t.Log("taken out:", o.told())
	l.wantJoined(t)
	if left := l.owned(t, "worker1"); len(left) > 0 {
		t.Errorf("of worker1 is left: %v", left)
	}
	if _, text, exit := l.plan(t); exit != 0 || strings.Contains(text, "--orphans") {
		t.Errorf("exit %d, and the plan still knows of it:\n%s", exit, text)
	}
}

// wantJoined holds hosts, pool and nodes against the workers of the lab file.
func (l *lab) wantJoined(t *testing.T) {
	t.Helper()
	var names []string
	for _, w := range l.overlaid(t).Workers {
		names = append(names, w.Name)
	}
	if hosts := l.hosts(t); !slices.Equal(hosts, names) {
		t.Errorf("hosts are %v, want %v", hosts, names)
	}
	pool := obj.New("hypershift.openshift.io/v1beta1", "NodePool", l.facts.Hosted.Namespace, l.facts.Hosted.Name)
	playtest.Until(t, playtest.Client(t, l.Hub().Config()), pool, func(u *unstructured.Unstructured) string {
		spec, _, _ := unstructured.NestedInt64(u.Object, "spec", "replicas")
		status, _, _ := unstructured.NestedInt64(u.Object, "status", "replicas")
		if want := int64(len(names)); spec != want || status != want {
			return fmt.Sprintf("it wants %d workers and has %d, want %d", spec, status, want)
		}
		return ""
	})
	l.wantNodes(t, names...)
}

// standing is what a worker stands on, by kind: which object it is, and its
// generation, which any change of its spec moves on.
func (l *lab) standing(t *testing.T, worker string) map[string]string {
	t.Helper()
	all := l.owned(t, worker)
	node := obj.New("v1", "Node", "", worker)
	playtest.Until(t, playtest.Client(t, l.hosted(t).Config()), node, func(u *unstructured.Unstructured) string { node = u; return "" })
	all["Node"] = string(node.GetUID())
	if len(all) < 4 {
		t.Errorf("%s stands on %v", worker, all)
	}
	return all
}

// owned are the objects of a worker on the management cluster.
func (l *lab) owned(t *testing.T, worker string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for resource, version := range map[string]string{"baremetalhosts": "metal3.io/v1alpha1", "agents": obj.AgentInstall, "nmstateconfigs": obj.AgentInstall, "secrets": "v1"} {
		for _, u := range l.list(t, version, resource, l.facts.ControlPlaneNamespace()) {
			if !slices.Contains([]string{worker, worker + "-bmc"}, u.GetName()) && u.GetLabels()["agent-install.openshift.io/bmh"] != worker {
				continue
			}
			if all[u.GetKind()] != "" {
				t.Errorf("%s has two %ss", worker, u.GetKind())
			}
			all[u.GetKind()] = fmt.Sprintf("%s/%d", u.GetUID(), u.GetGeneration())
		}
	}
	return all
}

func (l *lab) worker(t *testing.T, name string) labs.Worker {
	t.Helper()
	for _, w := range l.overlaid(t).Workers {
		if w.Name == name {
			return w
		}
	}
	t.Fatalf("no server %s", name)
	return labs.Worker{}
}

// threeServers is the connected lab with a spare server, and networks for those that
// come and go.
func threeServers(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, connected))
	if err != nil {
		t.Fatal(err)
	}
	network := func(n int) string {
		return fmt.Sprintf("      network: {interface: enp1s0, addresses: [192.168.125.%d/24], gateways: [192.168.125.1], dns: [192.168.125.1]}\n", n)
	}
	before, include, _ := strings.Cut(string(text), "\ninclude:")
	_, last, found := strings.Cut(before, "    - name: worker1\n")
	if !found {
		t.Fatalf("%s has no worker1", connected)
	}
	spare := strings.NewReplacer("00:11", "00:12", "000000000011", "000000000012").Replace("    - name: spare\n" + last)
	file := filepath.Join(t.TempDir(), "lab.yaml")
	if err := os.WriteFile(file, []byte(before+network(41)+spare+network(42)+"\ninclude:"+include), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// staffed is the lab with some of its workers: name, or name=server for one that is
// another server than the rack's of that name.
func (l *lab) staffed(t *testing.T, workers ...string) *lab {
	t.Helper()
	some := *l
	some.file, some.values = picked(t, l.file, workers), picked(t, l.values, workers)
	return &some
}

// picked writes a lab file, or one of values, with some of its workers.
func picked(t *testing.T, file string, workers []string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	facts := doc["lab"].(map[string]any)
	var some []any
	for _, wanted := range workers {
		name, server, other := strings.Cut(wanted, "=")
		if !other {
			server = name
		}
		for _, w := range facts["workers"].([]any) {
			if w := w.(map[string]any); w["name"] == server {
				w = maps.Clone(w)
				w["name"] = name
				some = append(some, w)
			}
		}
	}
	if len(some) != len(workers) {
		t.Fatalf("%s has %d of %v", file, len(some), workers)
	}
	facts["workers"] = some
	if text, err = yaml.Marshal(doc); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), filepath.Base(file))
	if err := os.WriteFile(out, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return out
}
