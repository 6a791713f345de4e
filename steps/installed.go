package steps

import (
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps/crd"
	"github.com/labrun/labrun/steps/kube"
	"github.com/labrun/labrun/steps/trouble"
)

// Installed follows the installation of one worker's Agent to its end.
type Installed struct {
	Worker labs.Worker   `yaml:"worker" doc:"the worker"`
	Grace  labs.Duration `yaml:"grace" default:"5m" doc:"how long a bad state may stand before it is terminal"`
}

func agentMachines(f *labs.Facts) kube.Ref {
	return kube.Ref{APIVersion: "capi-provider.agent-install.openshift.io/v1beta1", Kind: "AgentMachine", Namespace: f.ControlPlaneNamespace(), Optional: true}
}

// Reads the Agents, and the machines that take them.
func (Installed) Reads(f *labs.Facts) []kube.Ref { return []kube.Ref{agents(f), agentMachines(f)} }

// Objects are none.
func (Installed) Objects(*labs.Facts, kube.Seen) ([]kube.Intent, error) { return nil, nil }

// Judge follows the states of an installation.
func (s Installed) Judge(f *labs.Facts, seen kube.Seen) kube.Verdict {
	a, u := agentOf(f, s.Worker, seen)
	if a == nil {
		return Agent{Worker: s.Worker}.absent(f, seen)
	}
	state := a.Status.DebugInfo.State
	if crd.ConditionOf(u, "Installed").Is("True") || state == "added-to-existing-cluster" {
		return done("installed, state %s", state)
	}
	if slices.Contains([]string{"error", "cancelled", "disconnected", "installing-pending-user-action", "preparing-failed"}, state) {
		c := troubleOf(u, state)
		if c == nil {
			return s.progress(f, a, u, seen)
		}
		v := stuck(agentRef(f, a.Name), u, c, seen, s.Grace.Duration, installTrouble(state), look(agentRef(f, a.Name)))
		v.Report.Lines = append(v.Report.Lines, event.Line{Label: "worker", Text: s.Worker.Name + ", state " + state + ": " + a.Status.DebugInfo.StateInfo})
		return v
	}
	return s.progress(f, a, u, seen)
}

// installTrouble names the trouble of a bad state.
func installTrouble(state string) trouble.ID {
	switch state {
	case "disconnected":
		return trouble.AgentLost
	case "installing-pending-user-action":
		return trouble.UserAction
	}
	return trouble.InstallFailed
}

// troubleOf finds the condition that tells of a bad state, and since when.
func troubleOf(u *unstructured.Unstructured, state string) *crd.Condition {
	names := []string{"Installed", "RequirementsMet", "Connected"}
	if state == "disconnected" {
		slices.Reverse(names)
	}
	for _, name := range names {
		if c := crd.ConditionOf(u, name); c.Is("False") {
			return c
		}
	}
	return nil
}

func (s Installed) progress(f *labs.Facts, a *crd.Agent, u *unstructured.Unstructured, seen kube.Seen) kube.Verdict {
	p := a.Status.Progress
	told := "state " + a.Status.DebugInfo.State
	if a.Status.DebugInfo.StateInfo != "" {
		told += " (" + a.Status.DebugInfo.StateInfo + ")"
	}
	if p.CurrentStage != "" {
		told += fmt.Sprintf(", %s, %d%%", p.CurrentStage, p.InstallationPercentage)
	}
	v := wait(agentRef(f, a.Name), told)
	v.Report.Lines = append(v.Report.Lines, event.Line{Label: "worker", Text: s.Worker.Name})
	if a.Spec.ClusterDeploymentName == nil {
		if machine, c := unreserved(f, seen); c != nil {
			v = known(v, trouble.NoSuitableAgent)
			v.Report.Lines = append(v.Report.Lines, event.Line{Label: "machine", Text: condition(c) + ", AgentMachine " + machine.GetName()})
			switch lacks := unsuitable(a, u, machine); {
			case keptFor(f, a, seen):
				v.Report.Lines = append(v.Report.Lines, event.Line{Label: "taken", Text: "its label agentMachineRef names an AgentMachine that is gone"})
				v.Report.Next = "oc label -n " + a.Namespace + " agent.agent-install.openshift.io " + a.Name + " agentMachineRef-"
			case lacks != "":
				v.Report.Lines = append(v.Report.Lines, event.Line{Label: "lacks", Text: lacks})
			}
		}
	}
	return v
}

// unreserved finds a machine that got no Agent.
func unreserved(f *labs.Facts, seen kube.Seen) (*unstructured.Unstructured, *crd.Condition) {
	for _, u := range seen.List(agentMachines(f)) {
		if c := crd.ConditionOf(u, "AgentReserved"); c.Is("False") {
			return u, c
		}
	}
	return nil, nil
}

// keptFor says whether an Agent is taken by a machine that is gone.
func keptFor(f *labs.Facts, a *crd.Agent, seen kube.Seen) bool {
	uid := a.Labels["agentMachineRef"]
	return uid != "" && !slices.ContainsFunc(seen.List(agentMachines(f)), func(u *unstructured.Unstructured) bool { return string(u.GetUID()) == uid })
}

// unsuitable says what an Agent lacks of what a machine asks for.
func unsuitable(a *crd.Agent, u, machine *unstructured.Unstructured) string {
	wanted, _, _ := unstructured.NestedStringMap(machine.Object, "spec", "agentLabelSelector", "matchLabels")
	for _, key := range slices.Sorted(maps.Keys(wanted)) {
		if have, there := a.Labels[key]; !there || have != wanted[key] {
			return "the NodePool's agentLabelSelector asks for label " + key + "=" + wanted[key] + ", which this Agent has not"
		}
	}
	return notReady(a, u)
}
