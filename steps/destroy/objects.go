package destroy

import (
	"slices"
	"strings"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps/crd"
	"github.com/labrun/labrun/steps/kube"
)

// Objects deletes objects of the lab's own inventory.
type Objects struct {
	inventoried
	Kinds []string `yaml:"kinds,omitempty" doc:"the kinds; all where absent"`
	But   []string `yaml:"but,omitempty" doc:"kinds that are left out"`
	Plane bool     `yaml:"plane,omitempty" doc:"only those in the control plane's namespace"`
}

// Reads the Agents, which go with their InfraEnv.
func (Objects) Reads(f *labs.Facts) []kube.Ref { return []kube.Ref{agents(f)} }

func (s Objects) items(f *labs.Facts, seen kube.Seen) []Item {
	return slices.DeleteFunc(Items(f.Name, seen), func(i Item) bool {
		switch {
		case i.Shared, slices.Contains(s.But, i.Entry.Kind), len(s.Kinds) > 0 && !slices.Contains(s.Kinds, i.Entry.Kind):
			return true
		case s.Plane && i.Entry.Namespace != f.ControlPlaneNamespace():
			return true
		}
		// A host's entry is taken out once its server is off; at once where it had none, or
		// is not the lab's.
		return i.parts() || i.Entry.Kind == "Namespace" && i.Fate == Doomed || needed(i, Items(f.Name, seen))
	})
}

// needed says whether an item is the login of a BMC whose server has yet to be switched
// off: it goes once that is done.
func needed(i Item, items []Item) bool {
	return i.Entry.Kind == "Secret" && i.Fate == Doomed && i.Entry.Key != "" && slices.ContainsFunc(items, func(host Item) bool {
		return host.Fate == Gone && host.parts() && host.Entry.Step == i.Entry.Step && host.Entry.Key == i.Entry.Key
	})
}

// Objects are those of the kinds.
func (s Objects) Objects(f *labs.Facts, seen kube.Seen) ([]kube.Intent, error) {
	return intentsOf(f, s.items(f, seen), ""), nil
}

func intentsOf(f *labs.Facts, items []Item, around string) []kube.Intent {
	var intents []kube.Intent
	for _, i := range items {
		for _, intent := range i.intents(f.Name) {
			if intent.How == kube.Delete {
				intent.Around = around
			}
			intents = append(intents, intent)
		}
	}
	return intents
}

// Judge waits for the Agents where their InfraEnv went.
func (s Objects) Judge(f *labs.Facts, seen kube.Seen) kube.Verdict {
	ref := named(crd.AgentInstallVersion, "InfraEnv", f.ControlPlaneNamespace(), f.Hosted.Name)
	if i, ok := find(s.items(f, seen), ref); ok && i.Fate == Gone {
		var left []string
		for _, u := range seen.List(agents(f)) {
			if u.GetLabels()["infraenvs.agent-install.openshift.io"] == f.Hosted.Name {
				left = append(left, u.GetName())
			}
		}
		if len(left) > 0 {
			return wait(count(len(left), "Agent")+" of InfraEnv "+f.Hosted.Name+" are left", strings.Join(left, ", "), "oc get agents.agent-install.openshift.io -n "+f.ControlPlaneNamespace())
		}
	}
	return tally(s.items(f, seen))
}

// tally counts what was done, and warns of what was left.
func tally(items []Item) kube.Verdict {
	counts := map[Fate]int{}
	v := done("nothing is left of it")
	for _, i := range items {
		counts[i.Fate]++
		if i.Fate == Left {
			v.Warnings = append(v.Warnings, event.Report{Title: i.Ref().String() + " is left: " + i.Why})
		}
	}
	var parts []string
	for _, told := range []struct {
		fate Fate
		text string
	}{{Gone, "gone"}, {Restored, "restored"}, {AsBefore, "as before labrun"}, {Released, "left to other labs"}, {Left, "left"}, {Kept, "kept"}, {Follows, "gone with the hosted cluster"}} {
		if n := counts[told.fate]; n > 0 {
			parts = append(parts, count(n, "object")+" "+told.text)
		}
	}
	if len(parts) > 0 {
		v.Summary = strings.Join(parts, ", ")
	}
	return v
}

// HostedCluster deletes the HostedCluster and its pools; HyperShift takes the
// control plane's namespace with it.
type HostedCluster struct{ inventoried }

func (HostedCluster) items(f *labs.Facts, seen kube.Seen) []Item {
	return slices.DeleteFunc(Items(f.Name, seen), func(i Item) bool {
		return i.Shared || i.Entry.Kind != "HostedCluster" && i.Entry.Kind != "NodePool"
	})
}

// Objects are the HostedCluster and its pools.
func (s HostedCluster) Objects(f *labs.Facts, seen kube.Seen) ([]kube.Intent, error) {
	return intentsOf(f, s.items(f, seen), f.ControlPlaneNamespace()), nil
}

// Judge is satisfied by their end.
func (s HostedCluster) Judge(f *labs.Facts, seen kube.Seen) kube.Verdict {
	return tally(s.items(f, seen))
}

// Namespace deletes the control plane's namespace where HyperShift left it: it was
// told to, or never came to the HostedCluster.
type Namespace struct{ inventoried }

// Reads a HostedCluster that may be somebody else's: its namespace is not deleted.
func (Namespace) Reads(f *labs.Facts) []kube.Ref {
	return []kube.Ref{hostedCluster(f), planeNamespace(f)}
}

// Surveys the namespace once more: something may have been put there meanwhile.
func (Namespace) Surveys(f *labs.Facts, seen kube.Seen) []string { return Survey{}.Surveys(f, seen) }

// left says why the namespace is not deleted, "" where it is.
func (Namespace) left(f *labs.Facts, seen kube.Seen, i Item) string {
	if i.Fate != Doomed {
		return i.Why
	}
	if seen.Get(hostedCluster(f)) != nil {
		return hostedCluster(f).String() + " is there"
	}
	if others := Others(seen.Contents(f.ControlPlaneNamespace()), Items(f.Name, seen)); len(others) > 0 {
		return others[0].Ref.String() + " is in it, " + others[0].Why
	}
	return unknown(seen.Contents(f.ControlPlaneNamespace()))
}

// Objects are the namespace.
func (s Namespace) Objects(f *labs.Facts, seen kube.Seen) ([]kube.Intent, error) {
	i, ok := find(Items(f.Name, seen), planeNamespace(f))
	if !ok || i.Fate == Doomed && s.left(f, seen, i) != "" {
		return nil, nil
	}
	return i.intents(f.Name), nil
}

// Judge says why it is left.
func (s Namespace) Judge(f *labs.Facts, seen kube.Seen) kube.Verdict {
	i, ok := find(Items(f.Name, seen), planeNamespace(f))
	switch why := s.left(f, seen, i); {
	case !ok || i.Fate == Gone:
		return done("Namespace %s is gone", f.ControlPlaneNamespace())
	case i.Fate == Kept:
		return done("Namespace %s is kept: %s", f.ControlPlaneNamespace(), why)
	default:
		v := done("Namespace %s is left: %s", f.ControlPlaneNamespace(), why)
		v.Warnings = []event.Report{{Title: v.Summary}}
		return v
	}
}
