package destroy

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/steps/kube"
)

const poolOfMachine = "hypershift.openshift.io/nodePool" // annotation of a Machine: namespace/name

// TakeOut takes just the workers out of the pool whose BareMetalHosts are to go:
// their Machines are marked, and the pool is made smaller by as many. A worker that
// never joined has no Machine.
type TakeOut struct{ inventoried }

// Reads what the pool is made of.
func (TakeOut) Reads(f *labs.Facts) []kube.Ref {
	return []kube.Ref{nodePools(f), machines(f), agentMachines(f), agents(f)}
}

// leaving are the hosts that go, or that somebody else has deleted already, by name:
// the Machine of such a one stands on nothing any more, and has to go all the same.
func leaving(f *labs.Facts, seen kube.Seen) []string {
	var names []string
	for _, i := range Items(f.Name, seen) {
		if i.parts() {
			names = append(names, i.Entry.Name)
		}
	}
	return names
}

// staying are the lab's hosts that do not go.
func staying(f *labs.Facts, seen kube.Seen) []string {
	var names []string
	for _, i := range Items(f.Name, seen) {
		if i.Entry.Kind == "BareMetalHost" && !i.parts() {
			names = append(names, i.Entry.Name)
		}
	}
	return names
}

// machinesOn are the Machines that stand on hosts that are chosen.
func machinesOn(f *labs.Facts, seen kube.Seen, chosen func(host string) bool) []*unstructured.Unstructured {
	infrastructure := map[string]bool{}
	for _, a := range seen.List(agents(f)) {
		if !chosen(a.GetLabels()[hostOfAgent]) {
			continue
		}
		for _, m := range seen.List(agentMachines(f)) {
			if serves(a, m) {
				infrastructure[m.GetName()] = true
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(seen.List(machines(f))), func(m *unstructured.Unstructured) bool {
		return !infrastructure[text(m, "spec", "infrastructureRef", "name")]
	})
}

// Objects mark the Machines and count the pool anew: those that stay. Done twice, it
// comes to the same.
func (TakeOut) Objects(f *labs.Facts, seen kube.Seen) ([]kube.Intent, error) {
	leave := machinesOn(f, seen, among(leaving(f, seen)))
	var marks, fewer []kube.Intent
	smaller := map[string]bool{}
	for _, m := range leave {
		if m.GetDeletionTimestamp() == nil {
			smaller[m.GetAnnotations()[poolOfMachine]] = true
			marks = append(marks, changed(m, "mark", mark))
		}
	}
	for _, pool := range seen.List(nodePools(f)) {
		name := pool.GetNamespace() + "/" + pool.GetName()
		if !smaller[name] {
			continue
		}
		stay := int64(0)
		for _, m := range seen.List(machines(f)) {
			if m.GetAnnotations()[poolOfMachine] == name && m.GetDeletionTimestamp() == nil && !slices.Contains(leave, m) {
				stay++
			}
		}
		if now, _, _ := unstructured.NestedInt64(pool.Object, "spec", "replicas"); now <= stay {
			continue
		}
		to, err := smallerPool(pool, stay)
		if err != nil {
			return nil, err
		}
		fewer = append(fewer, to)
	}
	return slices.Concat(unmarked(f, seen, smaller), marks, fewer), nil
}

// unmarked takes the mark off the Machines of smaller pools whose hosts stay: it is of
// a worker that an undo that was cut off did not come to take out, and Cluster API
// would let that one go instead.
func unmarked(f *labs.Facts, seen kube.Seen, smaller map[string]bool) []kube.Intent {
	var intents []kube.Intent
	for _, m := range machinesOn(f, seen, among(staying(f, seen))) {
		if marked(m) && smaller[m.GetAnnotations()[poolOfMachine]] && m.GetDeletionTimestamp() == nil {
			intents = append(intents, changed(m, "unmark", func(u *unstructured.Unstructured) error {
				drop(u, "annotations", deleteFirst)
				return nil
			}))
		}
	}
	return intents
}

func changed(m *unstructured.Unstructured, verb string, change func(*unstructured.Unstructured) error) kube.Intent {
	return kube.Intent{How: kube.Restore, Verb: verb, Object: Item{Entry: entryOf(m)}.blank(), UID: string(m.GetUID()), Change: change}
}

func mark(m *unstructured.Unstructured) error {
	return unstructured.SetNestedField(m.Object, "", "metadata", "annotations", deleteFirst)
}

func marked(m *unstructured.Unstructured) bool {
	_, is := m.GetAnnotations()[deleteFirst]
	return is
}

func among(names []string) func(string) bool {
	return func(name string) bool { return slices.Contains(names, name) }
}

// smallerPool sets the pool's replicas in the name of the step that scaled it: a run
// finds them as that step would leave them.
func smallerPool(pool *unstructured.Unstructured, replicas int64) (kube.Intent, error) {
	u := Item{Entry: entryOf(pool)}.blank()
	u.SetUID(pool.GetUID()) // the server refuses another pool of the name
	err := unstructured.SetNestedField(u.Object, replicas, "spec", "replicas")
	return kube.Intent{Object: u, Partial: true, Force: true, Manager: kube.Applier(pool, "spec", "replicas")}, err
}

// Judge waits until the Machines are gone and their Agents unbound. A Machine that has
// let its Agent go is known by its mark alone; one that stands on another host is none
// of these.
func (TakeOut) Judge(f *labs.Facts, seen kube.Seen) kube.Verdict {
	hosts := leaving(f, seen)
	agents := slices.DeleteFunc(bound(seen.List(agents(f))), func(u *unstructured.Unstructured) bool {
		return !slices.Contains(hosts, u.GetLabels()[hostOfAgent])
	})
	going := machinesOn(f, seen, among(hosts))
	elsewhere := machinesOn(f, seen, func(host string) bool { return !slices.Contains(hosts, host) })
	machines := slices.DeleteFunc(slices.Clone(seen.List(machines(f))), func(u *unstructured.Unstructured) bool {
		return !slices.Contains(going, u) && (!marked(u) || slices.Contains(elsewhere, u))
	})
	return freed(f, machines, nil, agents, count(len(hosts), "worker")+" taken out of the pool")
}
