package mce

import (
	"context"
	"time"

	"github.com/labrun/labrun/internal/sim/players/obj"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// componentState is an entry of status.components; available is the operator's own judgement and not written.
type componentState struct {
	name, kind, condition, status, reason, message string
	available                                      bool
}

// report is what the operator knows of one MultiClusterEngine.
type report struct {
	version    string
	components []componentState
	refused    error
	left       time.Duration // until something that no watch tells
}

// wait notes a time after which there is more to do.
func (r *report) wait(d time.Duration) {
	if d > 0 && (r.left == 0 || d < r.left) {
		r.left = d
	}
}

func unknown(name, kind string) componentState {
	return componentState{name, kind, "Unknown", "Unknown", "No conditions available", "No conditions available", false}
}

func ofDeployment(d *apps.Deployment) *componentState {
	state := unknown(d.Name, "Deployment")
	for _, c := range d.Status.Conditions {
		if c.Type != apps.DeploymentAvailable {
			continue
		}
		state = componentState{d.Name, "Deployment", string(c.Type), string(c.Status), c.Reason, c.Message, c.Status == core.ConditionTrue}
		if state.available {
			state.message = "Deployment is available"
		}
	}
	return &state
}

// write puts the report into the status.
func (e *engine) write(ctx context.Context, was *unstructured.Unstructured, r report) error {
	m := was.DeepCopy()
	all := len(r.components) > 0
	var components []any
	for _, c := range r.components {
		all = all && c.available
		components = append(components, c.entry(was))
	}
	if len(components) > 0 {
		obj.Set(m, components, "status", "components")
	}
	available := obj.Condition{Type: "Available", Status: obj.False, Reason: "ComponentsUnavailable", Message: "Not all components available"}
	progressing := obj.Condition{Type: "Progressing", Status: obj.True, Reason: "WaitingForResource", Message: "Setting the operator"}
	phase := "Progressing"
	if len(components) > 0 {
		progressing.Reason, progressing.Message = "ComponentsDeployed", "All components deployed"
	}
	if all {
		available = obj.Condition{Type: "Available", Status: obj.True, Reason: "ComponentsAvailable", Message: "All components available"}
		phase = "Available"
		obj.Set(m, r.version, "status", "currentVersion")
	}
	if r.refused != nil {
		progressing = obj.Condition{Type: "Progressing", Status: obj.False, Reason: "RequirementsNotMet", Message: r.refused.Error()}
		phase = "Error"
	}
	obj.SetCondition(m, progressing, "lastUpdateTime")
	obj.SetCondition(m, available, "lastUpdateTime")
	obj.Set(m, r.version, "status", "desiredVersion")
	obj.Set(m, phase, "status", "phase")
	return obj.WriteStatus(ctx, e, was, m)
}

// entry is the component as the status holds it; its time moves with its status only.
func (c componentState) entry(was *unstructured.Unstructured) map[string]any {
	since := time.Now().UTC().Format(time.RFC3339)
	old, _, _ := unstructured.NestedSlice(was.Object, "status", "components")
	for _, x := range old {
		o, _ := x.(map[string]any)
		if o["name"] == c.name && o["kind"] == c.kind && o["status"] == c.status {
			since, _ = o["lastTransitionTime"].(string)
		}
	}
	return map[string]any{
		"name": c.name, "kind": c.kind, "type": c.condition, "status": c.status, "reason": c.reason, "message": c.message, "lastTransitionTime": since,
	}
}
