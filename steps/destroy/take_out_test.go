package destroy

import (
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/steps/kube"
)

// allButW2 is what --orphans keeps where the lab file has no worker w2.
func allButW2(e kube.Entry) string {
	if e.Name == "w2" {
		return ""
	}
	return "the lab file has it"
}

// A worker that is taken out loses its own Machine, whatever Cluster API would choose.
func TestTakeOut(t *testing.T) {
	three := []*unstructured.Unstructured{cluster("True"), pool(3), host(1, nil), host(2, nil), host(3, nil), machine(1), machine(2), machine(3),
		agentMachine(1), agentMachine(2), agentMachine(3), agent(1, true), agent(2, true), agent(3, true)}
	seen := sees(allButW2, three...)
	intents, err := TakeOut{}.Objects(facts(), seen)
	want := []string{"mark Machine m2 marked", `apply NodePool h replicas=2 as "labrun/night/scale"`}
	if got := did(t, intents, seen); err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, want %q (%v)", got, want, err)
	}
	if v := (TakeOut{}).Judge(facts(), seen); v.State == kube.Done {
		t.Errorf("done while its Agent is bound: %+v", v)
	}
	// Done again half-way: the pool is smaller already, and stays so.
	three[1], three[6] = pool(2), with(three[6].DeepCopy(), "", "metadata", "annotations", deleteFirst)
	seen = sees(allButW2, slices.DeleteFunc(three, func(u *unstructured.Unstructured) bool { return u.GetName() == "w9" })...)
	if intents, err = (TakeOut{}).Objects(facts(), seen); err != nil || !slices.Equal(did(t, intents, seen), want[:1]) {
		t.Errorf("again: %q, %v", did(t, intents, seen), err)
	}
	none := sees(func(kube.Entry) string { return "kept" }, three...)
	if intents, err = (TakeOut{}).Objects(facts(), none); err != nil || len(intents) > 0 {
		t.Errorf("nothing was taken out, and %q", did(t, intents, none))
	}
	joined := sees(allButW2, cluster("True"), pool(1), host(2, nil), machine(1), agentMachine(1), agent(1, true), agent(2, false))
	if intents, err = (TakeOut{}).Objects(facts(), joined); err != nil || len(intents) > 0 || (TakeOut{}).Judge(facts(), joined).State != kube.Done {
		t.Errorf("a worker that never joined: %q", did(t, intents, joined))
	}
}

// An undo that was cut off may have left its mark on the Machine of a worker that is
// kept by now: Cluster API must not take that one, and nobody waits for it.
func TestTakeOutBesideAnEarlierMark(t *testing.T) {
	withMark := func(u *unstructured.Unstructured) *unstructured.Unstructured {
		return with(u, "", "metadata", "annotations", deleteFirst)
	}
	going := func(u *unstructured.Unstructured) *unstructured.Unstructured {
		return with(u, "2026-01-02T03:04:05Z", "metadata", "deletionTimestamp")
	}
	base := func(replicas int64, more ...*unstructured.Unstructured) []*unstructured.Unstructured {
		return append([]*unstructured.Unstructured{cluster("True"), pool(replicas), host(1, nil), host(2, nil), agentMachine(1), agentMachine(2), agent(1, true)}, more...)
	}
	theirs := machine(9)
	theirs.SetAnnotations(map[string]string{poolOfMachine: "clusters/theirs"})
	shrunk := `apply NodePool h replicas=1 as "labrun/night/scale"`
	for _, c := range []struct {
		name string
		seen kube.Seen
		want []string
		left string // what is waited for, "" where it is done
	}{
		{"before", sees(allButW2, base(2, withMark(machine(1)), machine(2), agent(2, true))...),
			[]string{"unmark Machine m1", "mark Machine m2 marked", shrunk}, "1 Machine, 0 AgentMachines, 1 bound Agent"},
		{"its mark stands yet", sees(allButW2, base(1, withMark(machine(1)), going(withMark(machine(2))), agent(2, true))...), nil, "1 Machine, 0 AgentMachines, 1 bound Agent"},
		{"the Agent is free, the Machine goes", sees(allButW2, base(1, withMark(machine(1)), going(withMark(machine(2))))...), nil, "1 Machine, 0 AgentMachines, 0 bound Agents"},
		{"after", sees(allButW2, base(1, withMark(machine(1)), agent(2, false))...), nil, ""},
		{"the kept one goes already", sees(allButW2, base(1, going(withMark(machine(1))), machine(2), agent(2, true))...),
			[]string{"mark Machine m2 marked", `apply NodePool h replicas=0 as "labrun/night/scale"`}, "1 Machine, 0 AgentMachines, 1 bound Agent"},
		{"somebody else's mark, on a host and a pool of theirs", sees(allButW2, base(2, machine(1), machine(2), agent(2, true), withMark(theirs), agentMachine(9), agent(9, true))...),
			[]string{"mark Machine m2 marked", shrunk}, "1 Machine, 0 AgentMachines, 1 bound Agent"},
		{"somebody took the Machine out by hand", sees(allButW2, base(1, machine(1), going(machine(2)), agent(2, true))...), nil, "1 Machine, 0 AgentMachines, 1 bound Agent"},
	} {
		intents, err := TakeOut{}.Objects(facts(), c.seen)
		if got := did(t, intents, c.seen); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q (%v)", c.name, got, c.want, err)
		}
		v := TakeOut{}.Judge(facts(), c.seen)
		if want := "left in clusters-h: " + c.left; (v.State == kube.Done) != (c.left == "") || c.left != "" && v.Report.Title != want {
			t.Errorf("%s: %+v, want %q", c.name, v, c.left)
		}
	}
}

// A worker whose BareMetalHost somebody has deleted loses its Machine like any other,
// and its Agent is waited for.
func TestTakeOutOfAHostThatIsGone(t *testing.T) {
	e := entryOf(host(2, nil))
	e.UID, e.Step, e.Key, e.Lab = "w2", "host", "w2", lab
	of := func(entry kube.Entry, objects ...*unstructured.Unstructured) kube.Seen {
		return sees(nil, objects...).WithEntries([]kube.Entry{entry}, nil)
	}
	all := []*unstructured.Unstructured{pool(2), machine(1), machine(2), agentMachine(1), agentMachine(2), agent(1, true), agent(2, true)}
	seen := of(e, all...)
	intents, err := TakeOut{}.Objects(facts(), seen)
	want := []string{"mark Machine m2 marked", `apply NodePool h replicas=1 as "labrun/night/scale"`}
	if got := did(t, intents, seen); err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, want %q (%v)", got, want, err)
	}
	if v := (TakeOut{}).Judge(facts(), seen); v.State == kube.Done {
		t.Errorf("done while its Agent is bound: %+v", v)
	}
	if v := (TakeOut{}).Judge(facts(), of(e, machine(1), agent(1, true), agent(2, false))); v.State != kube.Done || v.Summary != "1 worker taken out of the pool" {
		t.Errorf("its Machine is gone: %+v", v)
	}
	e.UID = "" // labrun never had such a host: the Agent is of somebody else's
	if intents, err = (TakeOut{}).Objects(facts(), of(e, all...)); err != nil || len(intents) > 0 {
		t.Errorf("a host that was never made: %q, %v", did(t, intents, seen), err)
	}
}
