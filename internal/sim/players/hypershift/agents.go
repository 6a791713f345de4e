package hypershift

import (
	"context"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/labrun/labrun/internal/sim/players/obj"
)

// agentView is what Cluster API's agent provider reads of an Agent.
type agentView struct {
	Spec struct {
		Approved bool   `json:"approved"`
		Hostname string `json:"hostname"`
		Cluster  *struct {
			Name      string `json:"name"`
			Namespace string `json:"namespace"`
		} `json:"clusterDeploymentName"`
	} `json:"spec"`
	Status struct {
		DebugInfo struct {
			State string `json:"state"`
		} `json:"debugInfo"`
		Progress struct {
			CurrentStage string `json:"currentStage"`
		} `json:"progress"`
		Inventory struct {
			Hostname   string `json:"hostname"`
			Interfaces []struct {
				IPv4 []string `json:"ipV4Addresses"`
				IPv6 []string `json:"ipV6Addresses"`
			} `json:"interfaces"`
			CPU struct {
				Count        int64  `json:"count"`
				Architecture string `json:"architecture"`
			} `json:"cpu"`
			Memory struct {
				PhysicalBytes int64 `json:"physicalBytes"`
			} `json:"memory"`
		} `json:"inventory"`
	} `json:"status"`
}

func viewAgent(u *unstructured.Unstructured) (agentView, error) {
	var a agentView
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &a); err != nil {
		return a, fmt.Errorf("reading Agent %s: %w", u.GetName(), err)
	}
	return a, nil
}

// judgeAgent says why an Agent cannot be bound; "" where it can.
func judgeAgent(u *unstructured.Unstructured, selector labels.Selector) string {
	a, err := viewAgent(u)
	if err != nil {
		return err.Error()
	}
	switch {
	case u.GetDeletionTimestamp() != nil:
		return "it is being deleted"
	case u.GetLabels()[agentMachineRef] != "" || a.Spec.Cluster != nil:
		return "it is taken"
	case !selector.Matches(labels.Set(u.GetLabels())):
		return "its labels do not match agentLabelSelector"
	case !a.Spec.Approved:
		return "it is not approved"
	}
	if bound := obj.FindCondition(u, "Bound"); bound.Status != obj.False {
		return "its condition Bound is not False"
	}
	for _, kind := range []string{"Validated", "RequirementsMet"} {
		if obj.FindCondition(u, kind).Status != obj.True {
			return "its condition " + kind + " is not True"
		}
	}
	return ""
}

func selectorOf(agentMachine *unstructured.Unstructured) (labels.Selector, error) {
	part, found, _ := unstructured.NestedMap(agentMachine.Object, "spec", "agentLabelSelector")
	if !found {
		return labels.Everything(), nil
	}
	var s metav1.LabelSelector
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(part, &s); err != nil {
		return nil, fmt.Errorf("reading the label selector of AgentMachine %s: %w", agentMachine.GetName(), err)
	}
	return metav1.LabelSelectorAsSelector(&s)
}

// reserve binds a free Agent of the agents' namespace to an AgentMachine; nil where there is none.
func (m *machines) reserve(ctx context.Context, agentMachine *unstructured.Unstructured, namespace, cluster string) (*unstructured.Unstructured, error) {
	selector, err := selectorOf(agentMachine)
	if err != nil {
		return nil, err
	}
	m.binding.Lock()
	defer m.binding.Unlock()
	list, err := obj.List(ctx, m.client, obj.AgentInstall, "Agent", client.InNamespace(namespace))
	if err != nil {
		return nil, err
	}
	for i := range list {
		if list[i].GetLabels()[agentMachineRef] == string(agentMachine.GetUID()) {
			return &list[i], nil // bound before, and interrupted
		}
	}
	if err := m.holdAgents(ctx, list); err != nil {
		return nil, err
	}
	for i := range list {
		agent := &list[i]
		if why := judgeAgent(agent, selector); why != "" {
			m.log.Debug("Agent is not suitable", "agent", agent.GetName(), "why", why)
			continue
		}
		original := agent.DeepCopy()
		mark(agent, string(agentMachine.GetUID()), agentMachine.GetNamespace())
		obj.Set(agent, map[string]any{"name": cluster, "namespace": agentMachine.GetNamespace()}, "spec", "clusterDeploymentName")
		if err := m.client.Patch(ctx, agent, client.MergeFromWithOptions(original, client.MergeFromWithOptimisticLock{})); err != nil {
			m.log.Info("Agent was taken by somebody else", "agent", agent.GetName(), "why", err.Error())
			continue
		}
		m.log.Info("Agent bound", "agent", agent.GetName(), "agentmachine", agentMachine.GetName())
		return agent, nil
	}
	return nil, nil
}

func mark(agent *unstructured.Unstructured, uid, namespace string) {
	l, a := agent.GetLabels(), agent.GetAnnotations()
	if l == nil {
		l = map[string]string{}
	}
	if a == nil {
		a = map[string]string{}
	}
	l[agentMachineRef], a[agentMachineRefNamespace] = uid, namespace
	if uid == "" {
		delete(l, agentMachineRef)
		delete(a, agentMachineRefNamespace)
	}
	agent.SetLabels(l)
	agent.SetAnnotations(a)
}

// unbind frees an Agent. free is whether it is back, or gone.
func (m *machines) unbind(ctx context.Context, namespace, name string) (free bool, err error) {
	agent, err := obj.Get(ctx, m.client, obj.AgentInstall, "Agent", namespace, name)
	if err != nil || agent == nil {
		return agent == nil, err
	}
	a, err := viewAgent(agent)
	if err != nil {
		return false, err
	}
	if agent.GetLabels()[agentMachineRef] != "" || a.Spec.Cluster != nil {
		original := agent.DeepCopy()
		mark(agent, "", "")
		unstructured.RemoveNestedField(agent.Object, "spec", "clusterDeploymentName")
		if err := m.client.Patch(ctx, agent, client.MergeFrom(original)); err != nil {
			return false, fmt.Errorf("unbinding Agent %s: %w", name, err)
		}
		return false, nil
	}
	unbound := []string{"discovering-unbound", "known-unbound", "disconnected-unbound", "insufficient-unbound", "disabled-unbound", "unbinding-pending-user-action", "error"}
	return slices.Contains(unbound, a.Status.DebugInfo.State), nil
}

// installed says that an Agent's host was rebooted into what was installed.
func (a agentView) installed() bool {
	if a.Status.DebugInfo.State == "installing-pending-user-action" {
		return false // it rebooted, into the wrong medium
	}
	return slices.Contains([]string{"Rebooting", "Configuring", "Joined", "Done"}, a.Status.Progress.CurrentStage) ||
		a.Status.DebugInfo.State == "added-to-existing-cluster"
}

// hostname is the name that the host's Node has.
func (a agentView) hostname() string {
	if a.Spec.Hostname != "" {
		return a.Spec.Hostname
	}
	return a.Status.Inventory.Hostname
}
