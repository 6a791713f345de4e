// Package crd holds the custom resources whose own Go modules do not build
// together with the rest: small structs with just the fields that labrun sets or
// reads. Strict field validation against the real CRDs proves them.
package crd

import (
	"encoding/json"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// Object is a custom resource with its spec and status.
type Object[Spec, Status any] struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              Spec   `json:"spec,omitempty"`
	Status            Status `json:"status,omitempty"`
}

// DeepCopyObject copies the object, as runtime.Object asks for.
func (o *Object[Spec, Status]) DeepCopyObject() runtime.Object {
	b, err := json.Marshal(o)
	if err != nil {
		panic(fmt.Sprintf("copying %s: %v", o.Kind, err)) // plain data always marshals
	}
	c := new(Object[Spec, Status])
	if err := json.Unmarshal(b, c); err != nil {
		panic(fmt.Sprintf("copying %s: %v", o.Kind, err))
	}
	return c
}

// Condition is a status condition, with what all APIs of the workflow share.
type Condition struct {
	Type               string      `json:"type"`
	Status             string      `json:"status"`
	Reason             string      `json:"reason,omitempty"`
	Message            string      `json:"message,omitempty"`
	LastTransitionTime metav1.Time `json:"lastTransitionTime,omitempty"`
	ObservedGeneration int64       `json:"observedGeneration,omitempty"`
}

// Is says whether the condition is there and has the status.
func (c *Condition) Is(status string) bool { return c != nil && c.Status == status }

// Since is how long the condition has had its status.
func (c *Condition) Since(now time.Time) time.Duration {
	if c.LastTransitionTime.IsZero() {
		return 0
	}
	return now.Sub(c.LastTransitionTime.Time)
}

// ConditionOf gives a condition of any object by its type, nil where it lacks it.
func ConditionOf(u *unstructured.Unstructured, conditionType string) *Condition {
	if u == nil {
		return nil
	}
	list, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	for _, item := range list {
		m, ok := item.(map[string]any)
		if !ok || m["type"] != conditionType {
			continue
		}
		var c Condition
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(m, &c); err != nil {
			return nil
		}
		return &c
	}
	return nil
}
