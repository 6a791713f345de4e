package destroy

import (
	"slices"
	"strings"
	"testing"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/steps/kube"
)

// from keeps what --from does where the shared steps have one more phase, tests, after
// join.
func from(phase string) func(kube.Entry) string {
	phases := []string{"hosted", "workers", "join", "tests"}
	return func(e kube.Entry) string {
		of := "hosted"
		switch {
		case e.Kind == "BareMetalHost":
			of = "workers"
		case e.Step == "scale":
			of = "join"
		case e.Step == "scale_down": // no step of the lab file
			return "its phase is not known"
		}
		if slices.Index(phases, of) < slices.Index(phases, phase) {
			return "phase " + of + " comes before " + phase
		}
		return ""
	}
}

// The workers leave the hosted cluster where their servers go, or where the step that
// let them join is undone; a later phase alone costs no worker.
func TestScaleDownFromAPhase(t *testing.T) {
	scaledBy := func(replicas int64, manager string, operation meta.ManagedFieldsOperationType) *unstructured.Unstructured {
		u := pool(replicas)
		fields := u.GetManagedFields()
		fields[0].Manager, fields[0].Operation = manager, operation
		u.SetManagedFields(fields)
		return u
	}
	byHand := func() *unstructured.Unstructured { return scaledBy(1, "kubectl", meta.ManagedFieldsOperationUpdate) }
	cutOff := scaledBy(0, "labrun/night/scale_down", meta.ManagedFieldsOperationUpdate)
	scaled := []string{"scale NodePool h replicas=0 nodeDrainTimeout=10m0s"}
	const left = "left in clusters-h: 1 Machine, 1 AgentMachine, 1 bound Agent"
	const free = "the pool has no Machine, and no Agent is bound"
	for _, c := range []struct {
		phase, name string
		pool        *unstructured.Unstructured
		joined      bool
		want        []string
		told        string
	}{
		{"workers", "the servers go", pool(1), true, scaled, left},
		{"workers", "scaled by hand", byHand(), true, scaled, left},
		{"join", "the servers stay", pool(1), true, scaled, left},
		{"join", "cut off while the Machine goes", cutOff, true, nil, left},
		{"join", "cut off after it is gone", cutOff, false, nil, free},
		{"join", "scaled by hand", byHand(), true, nil, "the workers stay: NodePool clusters/h is kept, phase hosted comes before join"},
		{"join", "scaled by an instance of a step", scaledBy(1, "labrun/night/scale[a]", meta.ManagedFieldsOperationApply), true, scaled, left},
		{"join", "scaled by another lab's step", scaledBy(1, "labrun/day/scale", meta.ManagedFieldsOperationApply), true, nil, "the workers stay: NodePool clusters/h is kept, phase hosted comes before join"},
		{"tests", "all stays", pool(1), true, nil, "the workers stay: NodePool clusters/h is kept, phase hosted comes before tests"},
		{"tests", "nobody joined yet", pool(0), false, nil, free},
	} {
		objects := []*unstructured.Unstructured{cluster("True"), c.pool, host(1, nil)}
		if c.joined {
			objects = append(objects, machine(1), agentMachine(1), agent(1, true))
		}
		seen := sees(from(c.phase), objects...)
		intents, err := ScaleDown{}.Objects(facts(), seen)
		if got := did(t, intents, seen); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("--from %s, %s: %q, want %q (%v)", c.phase, c.name, got, c.want, err)
		}
		if v := (ScaleDown{}).Judge(facts(), seen); v.Summary+v.Report.Title != c.told || (v.State == kube.Done) != (c.told != left) {
			t.Errorf("--from %s, %s: %+v, want %q", c.phase, c.name, v, c.told)
		}
	}
}

func TestScaleDown(t *testing.T) {
	for _, c := range []struct {
		name string
		seen kube.Seen
		want []string
		done bool
	}{
		{"a pool of two", sees(nil, cluster("True"), pool(2), machine(1), agentMachine(1), agent(1, true)),
			[]string{"scale NodePool h replicas=0 nodeDrainTimeout=10m0s"}, false},
		{"a pool that drains for ever", sees(nil, cluster("True"), with(pool(2), "0s", "spec", "nodeDrainTimeout")),
			[]string{"scale NodePool h replicas=0 nodeDrainTimeout=10m0s"}, true},
		{"a pool with a limit of its own", sees(nil, cluster("True"), with(pool(2), "5m", "spec", "nodeDrainTimeout"), agent(1, false)),
			[]string{"scale NodePool h replicas=0 nodeDrainTimeout=5m"}, true},
		{"a dead API", sees(nil, cluster("False"), pool(1), machine(1)),
			[]string{"scale NodePool h replicas=0 nodeDrainTimeout=10m0s", "mark HostedCluster h skip-delete", "delete HostedCluster h"}, false},
		{"no API yet, and no Machine", sees(nil, cluster("False"), pool(0)), []string{"scale NodePool h replicas=0 nodeDrainTimeout=10m0s"}, true},
		{"a dead API of a cluster that is kept", sees(from("workers"), cluster("False"), pool(1), machine(1)),
			[]string{"scale NodePool h replicas=0 nodeDrainTimeout=10m0s"}, false},
		{"somebody else's pool", sees(nil, cluster("True"), object(hyperShift, "NodePool", "clusters", "theirs", "x", nil)), nil, true},
		{"an unbound Machine", sees(nil, agentMachine(1)), nil, false},
	} {
		intents, err := ScaleDown{}.Objects(facts(), c.seen)
		if err != nil {
			t.Fatal(err)
		}
		got := did(t, intents, c.seen)
		for n := range got {
			got[n] = strings.Replace(got[n], " skip-delete-hosted-controlplane-namespace=true", "", 1)
			got[n] = strings.Replace(got[n], " "+keepsPlane+"=true", " skip-delete", 1)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if v := (ScaleDown{}).Judge(facts(), c.seen); (v.State == kube.Done) != c.done {
			t.Errorf("%s: %+v", c.name, v)
		}
	}
}

// othersWorker is the worker of somebody else's pool on the lab's HostedCluster.
func othersWorker(pool map[string]any) []*unstructured.Unstructured {
	m := machine(9)
	m.SetAnnotations(map[string]string{poolOfMachine: "clusters/theirs"})
	theirs := with(object(hyperShift, "NodePool", "clusters", "theirs", "theirs", pool), "h", "spec", "clusterName")
	return []*unstructured.Unstructured{theirs, m, agentMachine(9), agent(9, true)}
}

// The Machines of a pool that stays are nobody's to wait for. One that labrun took over
// goes with the HostedCluster, and is scaled like its own.
func TestScaleDownBesideOthersPools(t *testing.T) {
	scaled := "scale NodePool h replicas=0 nodeDrainTimeout=10m0s"
	taken := func(e *kube.Entry) { e.Found = e.Name == "theirs" }
	kept := func(e *kube.Entry) {
		if e.Kind == "HostedCluster" {
			e.Kept = "--from workers"
		}
		e.Found = e.Name == "theirs"
	}
	for _, c := range []struct {
		name    string
		theirs  []*unstructured.Unstructured
		entries func(*kube.Entry)
		own     []*unstructured.Unstructured
		want    []string
		waits   string // the report's title, "" where it is done
	}{
		{"all that is left is theirs", othersWorker(nil), nil, nil, []string{scaled}, ""},
		{"one of the lab's is left", othersWorker(nil), nil, []*unstructured.Unstructured{machine(1), agentMachine(1), agent(1, true)},
			[]string{scaled}, "left in clusters-h: 1 Machine, 1 AgentMachine, 1 bound Agent"},
		{"an Agent of the lab's is bound", othersWorker(nil), nil, []*unstructured.Unstructured{agent(1, true)},
			[]string{scaled}, "left in clusters-h: 0 Machines, 0 AgentMachines, 1 bound Agent"},
		{"another lab's by its label", othersWorker(labelled("day")), nil, nil, []string{scaled}, ""},
		{"taken over, and the HostedCluster goes", othersWorker(labelled(lab)), taken, nil,
			[]string{scaled, "scale NodePool theirs replicas=0 nodeDrainTimeout=10m0s"}, "left in clusters-h: 1 Machine, 1 AgentMachine, 1 bound Agent"},
		{"taken over, and the HostedCluster stays", othersWorker(labelled(lab)), kept, nil, []string{scaled}, ""},
		{"gone, and its Machine is left", othersWorker(nil)[1:], nil, nil, []string{scaled}, "left in clusters-h: 1 Machine, 1 AgentMachine, 1 bound Agent"},
	} {
		seen := sees(nil, append(append([]*unstructured.Unstructured{cluster("True"), pool(1)}, c.theirs...), c.own...)...)
		if c.entries != nil {
			entries := seen.Entries()
			for n := range entries {
				c.entries(&entries[n])
			}
			seen = seen.WithEntries(entries, nil)
		}
		intents, err := ScaleDown{}.Objects(facts(), seen)
		if got := did(t, intents, seen); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q (%v)", c.name, got, c.want, err)
		}
		switch v := (ScaleDown{}).Judge(facts(), seen); {
		case v.Report.Title != c.waits || (v.State == kube.Done) != (c.waits == ""):
			t.Errorf("%s: %+v, want %q", c.name, v, c.waits)
		case c.waits == "" && !strings.HasSuffix(v.Summary, "but for 1 Machine of other NodePools: clusters/theirs"):
			t.Errorf("%s: told %q", c.name, v.Summary)
		}
	}
}
