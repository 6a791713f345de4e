package generic

import (
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline/decode"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/pipeline/gate"
	"github.com/labrun/labrun/steps/kube"
)

// Named names one object.
type Named struct {
	APIVersion string `yaml:"api_version" doc:"group and version of the kind, apps/v1"`
	Kind       string `yaml:"kind" doc:"kind of the object, Deployment"`
	Namespace  string `yaml:"namespace,omitempty" doc:"its namespace; absent for a kind that belongs to none"`
	Name       string `yaml:"name" doc:"its name"`
}

func (n Named) ref() kube.Ref {
	return kube.Ref{APIVersion: n.APIVersion, Kind: n.Kind, Namespace: n.Namespace, Name: n.Name}
}

// Wait waits for a condition over one object.
type Wait struct {
	Named
	Condition decode.Expr `yaml:"condition" result:"bool" vars:"object" doc:"expression over the object that must become true; what it reads and is not there yet is waited for"`
}

// WaitOutputs are the object as it was when the condition became true.
type WaitOutputs struct {
	Object map[string]any `yaml:"object" doc:"the object; empty for a Secret"`
}

// Reads is the object.
func (s Wait) Reads(*labs.Facts) []kube.Ref {
	ref := s.ref()
	ref.Optional = true
	return []kube.Ref{ref}
}

// Objects are none: nothing is changed.
func (Wait) Objects(*labs.Facts, kube.Seen) ([]kube.Intent, error) { return nil, nil }

// Judge evaluates the condition.
func (s Wait) Judge(_ *labs.Facts, seen kube.Seen) kube.Verdict {
	u := seen.Get(s.ref())
	if u == nil {
		return s.waiting("it does not exist yet")
	}
	value, err := s.Condition.Eval(map[string]any{"object": u.Object})
	var failed *gate.Error
	switch {
	case errors.As(err, &failed) && failed.Absent:
		return s.waiting("a field of the condition is not there yet: "+failed.Message, statusOf(u)...)
	case err != nil:
		return kube.Verdict{State: kube.Failed, Report: event.Report{Title: s.ref().String() + ": the condition cannot be evaluated",
			Lines: []event.Line{{Label: "condition", Text: s.Condition.Text}, {Label: "it said", Text: err.Error()}}, Next: "mend the condition"}}
	case value == true:
		return kube.Verdict{State: kube.Done, Summary: s.ref().String() + ": " + s.Condition.Text}
	}
	return s.waiting("it is "+fmt.Sprint(value), statusOf(u)...)
}

func (s Wait) waiting(seen string, more ...event.Line) kube.Verdict {
	lines := append([]event.Line{{Label: "waits for", Text: s.Condition.Text}, {Label: "seen", Text: seen}}, more...)
	return kube.Verdict{Report: event.Report{Title: s.ref().String(), Lines: lines, Next: "oc get " + kube.GetArguments(s.ref()) + " -o yaml"}}
}

// statusOf tells the conditions that an object shows.
func statusOf(u *unstructured.Unstructured) []event.Line {
	conditions, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	var lines []event.Line
	for _, c := range conditions {
		if m, ok := c.(map[string]any); ok {
			text := strings.TrimSpace(fmt.Sprintf("%v %s", m["status"], orEmpty(m["reason"])))
			if message := orEmpty(m["message"]); message != "" {
				text += ": " + message
			}
			lines = append(lines, event.Line{Label: orEmpty(m["type"]), Text: text})
		}
	}
	return lines
}

func orEmpty(v any) string {
	s, _ := v.(string)
	return s
}

// Outputs are the object.
func (s Wait) Outputs(_ *labs.Facts, seen kube.Seen) WaitOutputs {
	u := seen.Get(s.ref())
	if u == nil || s.Kind == "Secret" {
		return WaitOutputs{Object: map[string]any{}}
	}
	u = u.DeepCopy()
	u.SetManagedFields(nil)
	return WaitOutputs{Object: u.Object}
}
