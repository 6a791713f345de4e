package steps

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps/crd"
	"github.com/labrun/labrun/steps/kube"
	"github.com/labrun/labrun/steps/trouble"
)

// Agent waits until the server behind one worker has registered, and is ready to
// be bound to the hosted cluster.
type Agent struct {
	Worker labs.Worker   `yaml:"worker" doc:"the worker"`
	Grace  labs.Duration `yaml:"grace" default:"5m" doc:"how long a validation may fail before it is terminal"`
}

// AgentOutputs is the Agent that was found.
type AgentOutputs struct {
	Name string `yaml:"name" doc:"name of the Agent: the server's UUID"`
}

func agents(f *labs.Facts) kube.Ref {
	return kube.Ref{APIVersion: crd.AgentInstallVersion, Kind: "Agent", Namespace: f.ControlPlaneNamespace()}
}

func agentRef(f *labs.Facts, name string) kube.Ref {
	ref := agents(f)
	ref.Name = name
	return ref
}

// Reads all Agents of the lab, and the worker's host.
func (s Agent) Reads(f *labs.Facts) []kube.Ref {
	return []kube.Ref{agents(f), hostRef(f, s.Worker.Name)}
}

// Objects are none: the host's annotations name and approve the Agent.
func (Agent) Objects(*labs.Facts, kube.Seen) ([]kube.Intent, error) { return nil, nil }

// agentOf finds the newest Agent that has the worker's boot MAC.
func agentOf(f *labs.Facts, w labs.Worker, seen kube.Seen) (*crd.Agent, *unstructured.Unstructured) {
	var newest *crd.Agent
	var raw *unstructured.Unstructured
	for _, u := range seen.List(agents(f)) {
		a := kube.Convert[crd.Agent](u)
		if a == nil || !slices.ContainsFunc(a.Status.Inventory.Interfaces, func(i crd.AgentInterface) bool {
			return strings.EqualFold(i.MacAddress, string(w.BootMAC))
		}) {
			continue
		}
		if newest == nil || newest.CreationTimestamp.Before(&a.CreationTimestamp) {
			newest, raw = a, u
		}
	}
	return newest, raw
}

// Judge follows one Agent to the state in which a NodePool can take it. One that
// is bound to this hosted cluster already is past that.
func (s Agent) Judge(f *labs.Facts, seen kube.Seen) kube.Verdict {
	a, u := agentOf(f, s.Worker, seen)
	if a == nil {
		return s.absent(f, seen)
	}
	if c := a.Spec.ClusterDeploymentName; c != nil {
		if c.Namespace == f.ControlPlaneNamespace() {
			return done("Agent %s bound to %s", a.Name, c.Name)
		}
		return fail(agentRef(f, a.Name), trouble.AgentElsewhere, "is bound to another cluster", c.Namespace+"/"+c.Name, look(agentRef(f, a.Name)))
	}
	if v, bad := s.refused(f, a, u, seen); bad {
		return v
	}
	if missing := notReady(a, u); missing != "" {
		return s.unready(f, a, missing)
	}
	return done("Agent %s ready to bind", a.Name)
}

// absent says what is known while no Agent has the worker's MAC.
func (s Agent) absent(f *labs.Facts, seen kube.Seen) kube.Verdict {
	v := wait(agents(f), fmt.Sprintf("no Agent has an interface %s; %s registered in %s", s.Worker.BootMAC, count(len(seen.List(agents(f))), "Agent"), f.ControlPlaneNamespace()))
	v = known(v, trouble.AgentAbsent)
	v.Report.Title = "Agent of " + s.Worker.Name + " has not registered"
	v.Report.Next = "look at the worker's console: it must boot the discovery image and reach assisted-service"
	if host := kube.As[crd.BareMetalHost](seen, hostRef(f, s.Worker.Name)); host != nil {
		v.Report.Lines = append(v.Report.Lines, event.Line{Label: "host", Text: Host{}.seen(host)})
	}
	return v
}

// refused judges what assisted-service finds wrong with a server.
func (s Agent) refused(f *labs.Facts, a *crd.Agent, u *unstructured.Unstructured, seen kube.Seen) (kube.Verdict, bool) {
	ref := agentRef(f, a.Name)
	if c := crd.ConditionOf(u, "SpecSynced"); c.Is("False") {
		next, id := look(ref), trouble.AgentInput
		if hintsMatchNone(a, c) {
			id = trouble.RootDeviceHints
			next = "correct root_device_hints of " + s.Worker.Name + " in the lab file, then run again: the BareMetalHost is brought up to date"
		}
		v := stuck(ref, u, c, seen, s.Grace.Duration, id, next)
		if id == trouble.RootDeviceHints {
			v.Report.Lines = append(v.Report.Lines, s.disks(u)...)
		}
		return s.terminal(v, a), true
	}
	if c := crd.ConditionOf(u, "Connected"); c.Is("False") {
		v := stuck(ref, u, c, seen, s.Grace.Duration, trouble.AgentLost, "labrun preflight LAB --host "+s.Worker.Name+"; "+look(ref))
		return s.terminal(v, a), true
	}
	failing := failing(a)
	if c := crd.ConditionOf(u, "Validated"); c.Is("False") && len(failing) > 0 {
		v := stuck(ref, u, c, seen, s.Grace.Duration, trouble.AgentValidation, "mend what the validation names; all of them: "+look(ref))
		for _, r := range failing {
			v.Report.Lines = append(v.Report.Lines, event.Line{Label: "validation", Text: r.ID + ": " + r.Message})
		}
		return s.terminal(v, a), true
	}
	return kube.Verdict{}, false
}

// hintsMatchNone says whether an input error is about the installation disk.
func hintsMatchNone(a *crd.Agent, c *crd.Condition) bool {
	return strings.Contains(a.Spec.InstallationDisk+c.Message, "not-found-by-hints") || strings.Contains(c.Message, "installation disk")
}

// terminal adds whom an Agent belongs to: its own name is a UUID.
func (s Agent) terminal(v kube.Verdict, a *crd.Agent) kube.Verdict {
	v.Report.Lines = append(v.Report.Lines, event.Line{Label: "worker", Text: s.Worker.Name + ", state " + a.Status.DebugInfo.State})
	return v
}

// failing lists the validations that fail, in a stable order.
func failing(a *crd.Agent) []crd.ValidationResult {
	var out []crd.ValidationResult
	for _, group := range a.Status.ValidationsInfo {
		for _, r := range group {
			if r.Status == "failure" {
				out = append(out, r)
			}
		}
	}
	slices.SortFunc(out, func(x, y crd.ValidationResult) int { return strings.Compare(x.ID, y.ID) })
	return out
}

// notReady gives the first thing that keeps an Agent from being bound.
func notReady(a *crd.Agent, u *unstructured.Unstructured) string {
	if !a.Spec.Approved {
		return "it is not approved: no BareMetalHost is linked to it"
	}
	for _, name := range []string{"SpecSynced", "Connected", "Validated", "RequirementsMet"} {
		c := crd.ConditionOf(u, name)
		if c == nil {
			return "no condition " + name + " yet"
		}
		if !c.Is("True") {
			return condition(c)
		}
	}
	ref := a.Labels["agentMachineRef"]
	switch c := crd.ConditionOf(u, "Bound"); {
	case c == nil:
		return "no condition Bound yet"
	case !c.Is("False"):
		return condition(c)
	case ref != "":
		return "it is taken: its label agentMachineRef names the AgentMachine of UID " + ref + ", which has not bound it"
	}
	return ""
}

func (s Agent) unready(f *labs.Facts, a *crd.Agent, missing string) kube.Verdict {
	v := wait(agentRef(f, a.Name), missing)
	if !a.Spec.Approved {
		v = known(v, trouble.AgentUnapproved)
	}
	return s.terminal(v, a)
}

// Outputs name the Agent.
func (s Agent) Outputs(f *labs.Facts, seen kube.Seen) AgentOutputs {
	if a, _ := agentOf(f, s.Worker, seen); a != nil {
		return AgentOutputs{Name: a.Name}
	}
	return AgentOutputs{}
}
