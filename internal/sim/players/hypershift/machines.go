package hypershift

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	hyperv1 "github.com/openshift/hypershift/api/hypershift/v1beta1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/labrun/labrun/internal/sim/players/obj"
)

// machines reconciles Machines with their AgentMachines: Cluster API and its agent provider.
type machines struct {
	*operator
	binding sync.Mutex // one Agent is bound at a time
}

func poolOfMachine(_ context.Context, machine client.Object) []reconcile.Request {
	namespace, name, ok := strings.Cut(machine.GetAnnotations()[nodePoolNote], "/")
	if !ok {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}}}
}

// machinesOfAgent are the Machines that may care for an Agent: all of its namespace's control planes.
func (o *operator) machinesOfAgent(ctx context.Context, agent client.Object) []reconcile.Request {
	items, err := obj.List(ctx, o.client, capiAPI, "Machine")
	if err != nil {
		return nil
	}
	only := agent.GetAnnotations()[agentMachineRefNamespace]
	var requests []reconcile.Request
	for i := range items {
		if only == "" || only == items[i].GetNamespace() {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&items[i])})
		}
	}
	return requests
}

// Reconcile takes one Machine further: an Agent for it, its Node, or its end.
func (m *machines) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	u, err := obj.Get(ctx, m.client, capiAPI, "Machine", request.Namespace, request.Name)
	if err != nil || u == nil {
		return reconcile.Result{}, err
	}
	one, err := parseMachine(u)
	if err != nil {
		return reconcile.Result{}, err
	}
	pool, hc, err := m.owners(ctx, u)
	if err != nil {
		return reconcile.Result{}, err
	}
	if u.GetDeletionTimestamp() != nil {
		return obj.Settle(m.remove(ctx, one, pool, hc))
	}
	if pool == nil || hc == nil || hc.Spec.Platform.Agent == nil {
		return reconcile.Result{}, nil
	}
	return obj.Settle(m.join(ctx, one, hc))
}

func (m *machines) owners(ctx context.Context, u *unstructured.Unstructured) (*hyperv1.NodePool, *hyperv1.HostedCluster, error) {
	namespace, name, _ := strings.Cut(u.GetAnnotations()[nodePoolNote], "/")
	pool := &hyperv1.NodePool{}
	if err := m.client.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, pool); err != nil {
		return nil, nil, client.IgnoreNotFound(err)
	}
	hc := &hyperv1.HostedCluster{}
	if err := m.client.Get(ctx, types.NamespacedName{Namespace: namespace, Name: pool.Spec.ClusterName}, hc); err != nil {
		return pool, nil, client.IgnoreNotFound(err)
	}
	return pool, hc, nil
}

// join binds an Agent to the Machine, follows its installation and brings its Node about.
func (m *machines) join(ctx context.Context, one *machine, hc *hyperv1.HostedCluster) (reconcile.Result, error) {
	namespace, name := one.object.GetNamespace(), one.Spec.InfrastructureRef.Name
	am, err := obj.Get(ctx, m.client, agentAPI, "AgentMachine", namespace, name)
	if err != nil || am == nil {
		return reconcile.Result{RequeueAfter: m.delay("reserve", 5*time.Second)}, err
	}
	var agent *unstructured.Unstructured
	if ref := obj.String(am, "status", "agentRef", "name"); ref != "" {
		agent, err = obj.Get(ctx, m.client, obj.AgentInstall, "Agent", obj.String(am, "status", "agentRef", "namespace"), ref)
	} else {
		agent, err = m.reserve(ctx, am, hc.Spec.Platform.Agent.AgentNamespace, hc.Name)
	}
	if err != nil {
		return reconcile.Result{}, err
	}
	ready, err := m.tellAgentMachine(ctx, am, agent)
	if err != nil {
		return reconcile.Result{}, err
	}
	if agent == nil {
		return reconcile.Result{RequeueAfter: m.delay("reserve", 5*time.Second)}, m.tellMachine(ctx, one, am, ready, "", false)
	}
	view, err := viewAgent(agent)
	if err != nil {
		return reconcile.Result{}, err
	}
	node, healthy, again, err := m.node(ctx, one, hc, agent.GetName(), view)
	if err != nil {
		return reconcile.Result{}, err
	}
	return reconcile.Result{RequeueAfter: again}, m.tellMachine(ctx, one, am, ready, node, healthy)
}

// tellAgentMachine writes what an AgentMachine knows of its Agent; ready is whether that is installed.
func (m *machines) tellAgentMachine(ctx context.Context, am, agent *unstructured.Unstructured) (ready bool, err error) {
	now := am.DeepCopy()
	set := func(kind string, ok bool, reason, message string) {
		setBare(now, obj.Condition{Type: kind, Status: obj.Status(ok), Reason: reason, Message: message})
	}
	if agent == nil {
		set("AgentReserved", false, "NoSuitableAgents", "")
		for _, kind := range []string{"AgentSpecSynced", "AgentValidated", "AgentRequirementsMet", "Installed"} {
			set(kind, false, "AgentNotYetFound", "Agent not yet reserved")
		}
		set("Ready", false, "NoSuitableAgents", "0 of 5 completed")
		obj.Set(now, false, "status", "ready")
		return false, obj.WriteStatus(ctx, m.client, am, now)
	}
	set("AgentReserved", true, "", "")
	worst := obj.Condition{Status: obj.True}
	for _, pair := range [][2]string{{"AgentSpecSynced", "SpecSynced"}, {"AgentValidated", "Validated"}, {"AgentRequirementsMet", "RequirementsMet"}, {"Installed", "Installed"}} {
		c := obj.FindCondition(agent, pair[1])
		set(pair[0], c.Status == obj.True, c.Reason, c.Message)
		if c.Status != obj.True && worst.Status == obj.True {
			worst = c
		}
	}
	view, err := viewAgent(agent)
	if err != nil {
		return false, err
	}
	ready = view.installed()
	set("Ready", ready, worst.Reason, worst.Message)
	obj.Set(now, ready, "status", "ready")
	obj.Set(now, map[string]any{"name": agent.GetName(), "namespace": agent.GetNamespace()}, "status", "agentRef")
	if err := obj.WriteStatus(ctx, m.client, am, now); err != nil {
		return false, err
	}
	original := now.DeepCopy()
	if obj.String(now, "spec", "providerID") == "" {
		obj.Set(now, "agent://"+agent.GetName(), "spec", "providerID")
		if err := m.client.Patch(ctx, now, client.MergeFrom(original)); err != nil {
			return false, fmt.Errorf("naming the Agent of AgentMachine %s: %w", am.GetName(), err)
		}
	}
	return ready, nil
}

// tellMachine writes the Machine's status.
func (m *machines) tellMachine(ctx context.Context, one *machine, am *unstructured.Unstructured, ready bool, node string, healthy bool) error {
	now := one.object.DeepCopy()
	infra := obj.FindCondition(am, "Ready")
	if fresh, err := obj.Get(ctx, m.client, agentAPI, "AgentMachine", am.GetNamespace(), am.GetName()); err == nil && fresh != nil {
		infra = obj.FindCondition(fresh, "Ready")
	}
	set := func(kind string, ok bool, reason, message string) {
		if ok {
			reason, message = "", ""
		}
		setBare(now, obj.Condition{Type: kind, Status: obj.Status(ok), Reason: reason, Message: message})
	}
	set("InfrastructureReady", ready, infra.Reason, infra.Message)
	set("Ready", ready, infra.Reason, infra.Message)
	phase := "Provisioning"
	switch {
	case healthy:
		phase = "Running"
		set("NodeHealthy", true, "", "")
	case node != "":
		phase = "Provisioned"
		set("NodeHealthy", false, "NodeConditionsFailed", "Condition Ready on node is reporting status False")
	case ready:
		phase = "Provisioned"
		set("NodeHealthy", false, "NodeProvisioning", "Waiting for a node with matching ProviderID to exist")
	default:
		set("NodeHealthy", false, "WaitingForNodeRef", "")
	}
	obj.Set(now, phase, "status", "phase")
	if node != "" {
		obj.Set(now, map[string]any{"name": node}, "status", "nodeRef")
	}
	return obj.WriteStatus(ctx, m.client, one.object, now)
}

// setBare sets a condition of Cluster API's, whose reason and message are left out where they are empty.
func setBare(u *unstructured.Unstructured, c obj.Condition) {
	obj.SetCondition(u, c)
	conditions, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	for _, one := range conditions {
		fields, _ := one.(map[string]any)
		for _, name := range []string{"reason", "message"} {
			if fields[name] == "" {
				delete(fields, name)
			}
		}
	}
	obj.Set(u, conditions, "status", "conditions")
}

// remove drains and deletes the Node, unbinds the Agent and lets the Machine go.
func (m *machines) remove(ctx context.Context, one *machine, pool *hyperv1.NodePool, hc *hyperv1.HostedCluster) (reconcile.Result, error) {
	if hc != nil && one.Status.NodeRef != nil {
		if again, err := m.drain(ctx, one, pool, hc); err != nil || again > 0 {
			return reconcile.Result{RequeueAfter: again}, err
		}
	}
	am, err := obj.Get(ctx, m.client, agentAPI, "AgentMachine", one.object.GetNamespace(), one.Spec.InfrastructureRef.Name)
	if err != nil {
		return reconcile.Result{}, err
	}
	if am != nil {
		if ref := obj.String(am, "status", "agentRef", "name"); ref != "" {
			free, err := m.unbind(ctx, obj.String(am, "status", "agentRef", "namespace"), ref)
			if err != nil || !free {
				return reconcile.Result{RequeueAfter: m.delay("unbind", 5*time.Second)}, err
			}
		}
		original := am.DeepCopy()
		if controllerutil.RemoveFinalizer(am, agentMachineFinalizer) {
			if err := m.client.Patch(ctx, am, client.MergeFrom(original)); client.IgnoreNotFound(err) != nil {
				return reconcile.Result{}, err
			}
		}
		if err := m.client.Delete(ctx, am); client.IgnoreNotFound(err) != nil {
			return reconcile.Result{}, err
		}
	}
	original := one.object.DeepCopy()
	controllerutil.RemoveFinalizer(one.object, machineFinalizer)
	return reconcile.Result{}, client.IgnoreNotFound(m.client.Patch(ctx, one.object, client.MergeFrom(original)))
}
