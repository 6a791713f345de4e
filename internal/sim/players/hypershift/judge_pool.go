package hypershift

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	hyperv1 "github.com/openshift/hypershift/api/hypershift/v1beta1"
	corev1 "k8s.io/api/core/v1"

	"github.com/labrun/labrun/internal/sim/players/obj"
)

// poolNote is one condition of a NodePool.
type poolNote struct {
	kind            string
	ok              bool
	reason, message string
}

func tellPool(pool *hyperv1.NodePool, notes ...poolNote) {
	for _, n := range notes {
		status := corev1.ConditionFalse
		if n.ok {
			status = corev1.ConditionTrue
		}
		now := hyperv1.NodePoolCondition{
			Type: n.kind, Status: status, Reason: n.reason, Message: n.message, ObservedGeneration: pool.Generation, LastTransitionTime: at(),
		}
		i := slices.IndexFunc(pool.Status.Conditions, func(c hyperv1.NodePoolCondition) bool { return c.Type == n.kind })
		if i < 0 {
			pool.Status.Conditions = append(pool.Status.Conditions, now)
			continue
		}
		if pool.Status.Conditions[i].Status == status {
			now.LastTransitionTime = pool.Status.Conditions[i].LastTransitionTime
		}
		pool.Status.Conditions[i] = now
	}
}

func dropPoolNote(pool *hyperv1.NodePool, kind string) {
	pool.Status.Conditions = slices.DeleteFunc(pool.Status.Conditions, func(c hyperv1.NodePoolCondition) bool { return c.Type == kind })
}

// judgePool are the conditions that a NodePool's own spec and its release decide.
func judgePool(pool *hyperv1.NodePool, releaseErr error) []poolNote {
	notes := []poolNote{
		{hyperv1.NodePoolReconciliationActiveConditionType, true, "ReconciliationActive", "Reconciliation active on resource"},
		{hyperv1.NodePoolAutoscalingEnabledConditionType, pool.Spec.AutoScaling != nil, hyperv1.AsExpectedReason, ""},
		{hyperv1.NodePoolAutorepairEnabledConditionType, pool.Spec.Management.AutoRepair, hyperv1.AsExpectedReason, ""},
		{hyperv1.NodePoolUpdateManagementEnabledConditionType, true, hyperv1.AsExpectedReason, ""},
		{hyperv1.NodePoolUpdatingVersionConditionType, false, hyperv1.AsExpectedReason, ""},
		{hyperv1.NodePoolUpdatingConfigConditionType, false, hyperv1.AsExpectedReason, ""},
	}
	arch := poolNote{hyperv1.NodePoolValidArchPlatform, true, hyperv1.AsExpectedReason, ""}
	if pool.Spec.Platform.Type == hyperv1.AgentPlatform && pool.Spec.Arch != "" && pool.Spec.Arch != "amd64" && pool.Spec.Arch != "arm64" {
		arch = poolNote{hyperv1.NodePoolValidArchPlatform, false, hyperv1.NodePoolInvalidArchPlatform,
			fmt.Sprintf("CPU arch %s is not supported for platform: %s, use 'amd64' instead", pool.Spec.Arch, pool.Spec.Platform.Type)}
	}
	image := poolNote{hyperv1.NodePoolValidReleaseImageConditionType, true, hyperv1.AsExpectedReason, "Using release image: " + pool.Spec.Release.Image}
	if releaseErr != nil {
		image = poolNote{hyperv1.NodePoolValidReleaseImageConditionType, false, hyperv1.NodePoolValidationFailedReason, "Failed to get release image: " + releaseErr.Error()}
	}
	return append(notes, arch, image)
}

// tellMachines sets what a NodePool says of its Machines: replicas, Ready, AllMachinesReady, AllNodesHealthy.
func tellMachines(pool *hyperv1.NodePool, list []*machine) {
	want := int32(0)
	if pool.Spec.Replicas != nil {
		want = *pool.Spec.Replicas
	}
	ready, notReady := 0, map[string][]string{}
	healthy, notHealthy := 0, map[string][]string{}
	for _, m := range list {
		count(m, "Ready", "WaitingForInfrastructure", &ready, notReady)
		count(m, "NodeHealthy", "WaitingForNodeRef", &healthy, notHealthy)
	}
	pool.Status.Replicas = int32(healthy)
	enough := poolNote{hyperv1.NodePoolReadyConditionType, true, hyperv1.AsExpectedReason, ""}
	if int32(healthy) < want {
		enough = poolNote{hyperv1.NodePoolReadyConditionType, false, "ScalingUp", fmt.Sprintf("Scaling up MachineSet to %d replicas (actual %d)", want, healthy)}
	}
	tellPool(pool, enough,
		summary(hyperv1.NodePoolAllMachinesReadyConditionType, len(list), ready, want, notReady, "ready"),
		summary(hyperv1.NodePoolAllNodesHealthyConditionType, len(list), healthy, want, notHealthy, "healthy"))
}

func count(m *machine, kind, unset string, good *int, bad map[string][]string) {
	c := obj.FindCondition(m.object, kind)
	if c.Status == obj.True {
		*good++
		return
	}
	if c.Reason == "" {
		c.Reason = unset
	}
	text := fmt.Sprintf("Machine %s: %s", m.object.GetName(), c.Reason)
	if c.Message != "" {
		text += ": " + c.Message
	}
	bad[c.Reason] = append(bad[c.Reason], text)
}

// summary is one condition over all Machines; none at all is False too, as expected at zero replicas.
func summary(kind string, all, good int, want int32, bad map[string][]string, state string) poolNote {
	switch {
	case all == 0 && want == 0:
		return poolNote{kind, false, hyperv1.AsExpectedReason, "NodePool set to no replicas"}
	case all == 0:
		return poolNote{kind, false, hyperv1.NodePoolNotFoundReason, "No Machines are created"}
	case good == all:
		return poolNote{kind, true, hyperv1.AsExpectedReason, hyperv1.AllIsWellMessage}
	}
	reasons := slices.Sorted(maps.Keys(bad))
	lines := []string{fmt.Sprintf("%d of %d machines are not %s", all-good, all, state)}
	for _, reason := range reasons {
		lines = append(lines, bad[reason]...)
	}
	return poolNote{kind, false, strings.Join(reasons, ","), strings.Join(lines, "\n") + "\n"}
}
