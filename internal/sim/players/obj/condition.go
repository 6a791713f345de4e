package obj

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// againSoon is how long a reconciler waits before it looks again at what another writer changed under its hands.
const againSoon = 20 * time.Millisecond

// Condition is an entry of status.conditions, of the fields that all operators' conditions share.
type Condition struct {
	Type, Status, Reason, Message string
}

// True and False are the two statuses that most conditions have.
const (
	True  = "True"
	False = "False"
)

// Status gives True or False.
func Status(b bool) string {
	if b {
		return True
	}
	return False
}

// SetCondition puts the condition into status.conditions. Its lastTransitionTime moves with its status only; nothing
// changes where it stands there already. also names further fields that are set to the present time on a change, such
// as MultiClusterEngine's lastUpdateTime.
func SetCondition(u *unstructured.Unstructured, c Condition, also ...string) {
	conditions, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	now := time.Now().UTC().Format(time.RFC3339)
	entry := map[string]any{"type": c.Type, "status": c.Status, "reason": c.Reason, "message": c.Message, "lastTransitionTime": now}
	for _, field := range also {
		entry[field] = now
	}
	at := slices.IndexFunc(conditions, func(x any) bool { return typeOf(x) == c.Type })
	if at < 0 {
		Set(u, append(conditions, entry), "status", "conditions")
		return
	}
	old := conditions[at].(map[string]any)
	if old["status"] == c.Status {
		if old["reason"] == c.Reason && old["message"] == c.Message {
			return
		}
		entry["lastTransitionTime"] = old["lastTransitionTime"]
	}
	if generation, ok := old["observedGeneration"]; ok {
		entry["observedGeneration"] = generation
	}
	conditions[at] = entry
	Set(u, conditions, "status", "conditions")
}

// DropCondition removes a condition.
func DropCondition(u *unstructured.Unstructured, kind string) {
	conditions, found, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	if !found {
		return
	}
	kept := slices.DeleteFunc(conditions, func(x any) bool { return typeOf(x) == kind })
	Set(u, kept, "status", "conditions")
}

// FindCondition is the condition of that type, or its zero value.
func FindCondition(u *unstructured.Unstructured, kind string) Condition {
	if u == nil {
		return Condition{}
	}
	conditions, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	for _, x := range conditions {
		m, ok := x.(map[string]any)
		if !ok || m["type"] != kind {
			continue
		}
		text := func(key string) string { s, _ := m[key].(string); return s }
		return Condition{kind, text("status"), text("reason"), text("message")}
	}
	return Condition{}
}

func typeOf(condition any) string {
	m, _ := condition.(map[string]any)
	s, _ := m["type"].(string)
	return s
}
