package destroy

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/steps/crd"
	"github.com/labrun/labrun/steps/kube"
)

// ScaleDown scales the lab's NodePool to nothing. Where the hosted cluster's API is
// dead no node can be drained: the HostedCluster is deleted first then, and told to
// leave the namespace with the hosts.
type ScaleDown struct{ inventoried }

// Reads what the pool is made of.
func (ScaleDown) Reads(f *labs.Facts) []kube.Ref {
	return []kube.Ref{hostedCluster(f), nodePools(f), machines(f), agentMachines(f), agents(f)}
}

// Objects are the pool's replicas, or the end of a dead HostedCluster.
func (ScaleDown) Objects(f *labs.Facts, seen kube.Seen) ([]kube.Intent, error) {
	items := Items(f.Name, seen)
	var intents []kube.Intent
	for _, u := range seen.List(nodePools(f)) {
		if !shrinks(f, seen, u) || u.GetDeletionTimestamp() != nil {
			continue
		}
		intents = append(intents, kube.Intent{How: kube.Restore, Verb: "scale", Object: Item{Entry: entryOf(u)}.blank(), UID: string(u.GetUID()), Change: empty(f)})
	}
	hc, ok := find(items, hostedCluster(f))
	if !ok || hc.Fate != Doomed || !dead(f, seen) {
		return intents, nil
	}
	keep := func(u *unstructured.Unstructured) error {
		return unstructured.SetNestedField(u.Object, "true", "metadata", "annotations", keepsPlane)
	}
	return append(intents,
		kube.Intent{How: kube.Restore, Verb: "mark", Object: hc.blank(), UID: hc.UID, Change: keep},
		kube.Intent{How: kube.Delete, Object: hc.blank(), UID: hc.UID, Around: f.ControlPlaneNamespace(), Enter: true}), nil
}

// shrinks says whether a pool is scaled to nothing: the lab's own, one that it took
// over where that goes with the HostedCluster, and one that is kept where its workers
// are not.
func shrinks(f *labs.Facts, seen kube.Seen, pool *unstructured.Unstructured) bool {
	items := Items(f.Name, seen)
	i, _ := find(items, kube.RefTo(pool))
	switch i.Fate {
	case Doomed:
		return true
	case Restored:
		hc, _ := find(items, hostedCluster(f))
		return hc.Fate == Doomed
	case Kept:
		return slices.ContainsFunc(items, Item.parts) || scaledBack(f, seen, pool)
	}
	return false
}

// scaledBack says that the step that gave a pool its workers is undone. Replicas that
// somebody else set are not labrun's to take.
func scaledBack(f *labs.Facts, seen kube.Seen, pool *unstructured.Unstructured) bool {
	instance, ours := strings.CutPrefix(kube.Applier(pool, "spec", "replicas"), kube.FieldManager(f.Name, "", ""))
	step, key, _ := strings.Cut(strings.TrimSuffix(instance, "]"), "[")
	return ours && seen.Keeps(kube.Entry{Lab: f.Name, Step: step, Key: key}) == ""
}

// emptied says that a pool is to have no worker, whoever wanted that: an undo that was
// cut off, too.
func emptied(pool *unstructured.Unstructured) bool {
	n, found, _ := unstructured.NestedInt64(pool.Object, "spec", "replicas")
	return found && n == 0
}

// empty takes all replicas of a pool, and bounds how long its nodes may drain.
func empty(f *labs.Facts) func(*unstructured.Unstructured) error {
	return func(u *unstructured.Unstructured) error {
		unstructured.RemoveNestedField(u.Object, "spec", "autoScaling")
		if limit := text(u, "spec", "nodeDrainTimeout"); limit == "" || limit == "0s" || limit == "0" {
			limit = drainDefault
			if f.Hosted.NodeDrainTimeout.Duration > 0 {
				limit = f.Hosted.NodeDrainTimeout.Duration.String()
			}
			if err := unstructured.SetNestedField(u.Object, limit, "spec", "nodeDrainTimeout"); err != nil {
				return err
			}
		}
		return unstructured.SetNestedField(u.Object, int64(0), "spec", "replicas")
	}
}

// dead says that nodes have to be drained and the hosted cluster's API does not
// answer.
func dead(f *labs.Facts, seen kube.Seen) bool {
	c := crd.ConditionOf(seen.Get(hostedCluster(f)), "Available")
	return len(seen.List(machines(f))) > 0 && c.Is("False")
}

// Judge waits until no pool that was scaled, or is gone, holds an Agent any more.
func (ScaleDown) Judge(f *labs.Facts, seen kube.Seen) kube.Verdict {
	if kept := keptPools(f, seen); len(kept) > 0 {
		return done("the workers stay: %s", strings.Join(kept, "; "))
	}
	others := othersPools(f, seen)
	w := workersOf(f, seen, func(m *unstructured.Unstructured) bool {
		return slices.Contains(others, m.GetAnnotations()[poolOfMachine])
	})
	end := "the pool has no Machine, and no Agent is bound"
	if len(w.machines) > 0 {
		end += fmt.Sprintf(", but for %s of other NodePools: %s", count(len(w.machines), "Machine"), strings.Join(others, ", "))
	}
	rest := func(all, but []*unstructured.Unstructured) []*unstructured.Unstructured {
		return slices.DeleteFunc(slices.Clone(all), func(u *unstructured.Unstructured) bool { return slices.Contains(but, u) })
	}
	return freed(f, rest(seen.List(machines(f)), w.machines), rest(seen.List(agentMachines(f)), w.agentMachines), rest(bound(seen.List(agents(f))), w.agents), end)
}

// keptPools are the lab's pools that keep their workers, and why; none where one of
// its pools loses them, or is gone: their end is waited for.
func keptPools(f *labs.Facts, seen kube.Seen) []string {
	var kept []string
	items := Items(f.Name, seen)
	if slices.ContainsFunc(items, func(i Item) bool { return i.Entry.Kind == "NodePool" && i.Fate == Gone }) {
		return nil
	}
	for _, u := range seen.List(nodePools(f)) {
		switch i, ok := find(items, kube.RefTo(u)); {
		case ok && !keepsWorkers(f, seen, u):
			return nil
		case ok && i.Fate == Kept:
			kept = append(kept, i.Ref().String()+" is kept, "+i.Why)
		}
	}
	return kept
}

// keepsWorkers says that a pool keeps what workers it has.
func keepsWorkers(f *labs.Facts, seen kube.Seen, pool *unstructured.Unstructured) bool {
	i, _ := find(Items(f.Name, seen), kube.RefTo(pool))
	return !shrinks(f, seen, pool) && pool.GetDeletionTimestamp() == nil && (i.Fate != Kept || !emptied(pool))
}

// othersPools are the pools that stay as they are, as their Machines name them.
func othersPools(f *labs.Facts, seen kube.Seen) []string {
	var names []string
	for _, u := range seen.List(nodePools(f)) {
		if keepsWorkers(f, seen, u) {
			names = append(names, u.GetNamespace()+"/"+u.GetName())
		}
	}
	return names
}

// standing is what some workers consist of.
type standing struct{ machines, agentMachines, agents []*unstructured.Unstructured }

// workersOf are the workers whose Machines are chosen.
func workersOf(f *labs.Facts, seen kube.Seen, chosen func(machine *unstructured.Unstructured) bool) standing {
	var w standing
	infrastructure := map[string]bool{}
	for _, m := range seen.List(machines(f)) {
		if chosen(m) {
			w.machines = append(w.machines, m)
			infrastructure[text(m, "spec", "infrastructureRef", "name")] = true
		}
	}
	for _, m := range seen.List(agentMachines(f)) {
		if infrastructure[m.GetName()] {
			w.agentMachines = append(w.agentMachines, m)
		}
	}
	for _, a := range seen.List(agents(f)) {
		if slices.ContainsFunc(w.agentMachines, func(m *unstructured.Unstructured) bool { return serves(a, m) }) {
			w.agents = append(w.agents, a)
		}
	}
	return w
}

// serves says whether an Agent is that of an AgentMachine.
func serves(agent, machine *unstructured.Unstructured) bool {
	return string(machine.GetUID()) == agent.GetLabels()[machineOf] || text(machine, "status", "agentRef", "name") == agent.GetName()
}
