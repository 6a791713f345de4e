package kube

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline"
)

// DefaultTimeout ends a wait whose step gives no timeout of its own.
const DefaultTimeout = 30 * time.Minute

// Use makes a kind of the Kubernetes step S. It panics, at start-up, on a type
// that has a method of one of the contract's names with a wrong receiver or
// signature: it would otherwise be lost in silence.
func Use[S Step, E Environment](name, doc, example string) pipeline.Kind[E] {
	options := reflect.TypeFor[S]()
	outputs := check(options)
	k := pipeline.Kind[E]{Name: name, Doc: doc, Example: example, Options: options, Outputs: outputs.of, Timeout: DefaultTimeout}
	k.Run = func(ctx context.Context, env E, o any) (pipeline.Outcome, error) {
		r, err := newRun(ctx, env, o.(S))
		if err != nil {
			return pipeline.Outcome{}, err
		}
		verdict, seen, err := r.do(ctx)
		if err != nil {
			return pipeline.Outcome{}, err
		}
		out, err := outputs.call(o, env.Facts(), seen)
		if err != nil {
			return pipeline.Outcome{}, err
		}
		summary := verdict.Summary
		if s, ok := out.(pipeline.Summarizer); ok && summary == "" {
			summary = s.Summary()
		}
		return pipeline.Outcome{Outputs: out, Summary: summary}, nil
	}
	k.Render = func(ctx context.Context, env E, o any) ([]map[string]any, error) {
		return render(ctx, env, o.(S))
	}
	k.Plan = func(ctx context.Context, env E, o any) (pipeline.Change, error) {
		return plan(ctx, env, o.(S), outputs)
	}
	k.Witness = func(ctx context.Context, env E, o any, keep pipeline.Keep) error {
		return witness(ctx, env, o.(S), keep)
	}
	return k
}

// outputs is the optional method Outputs of a step.
type outputs struct {
	of      reflect.Type
	there   bool
	failing bool // it has a second result, an error
}

// call gives what the step tells later steps, struct{}{} where it tells nothing.
func (o outputs) call(step any, f *labs.Facts, seen Seen) (any, error) {
	if !o.there {
		return struct{}{}, nil
	}
	results := reflect.ValueOf(step).MethodByName("Outputs").Call([]reflect.Value{reflect.ValueOf(f), reflect.ValueOf(seen)})
	if o.failing && !results[1].IsNil() {
		return nil, results[1].Interface().(error)
	}
	return results[0].Interface(), nil
}

// check reads the contract off a step's type.
func check(s reflect.Type) outputs {
	if s.Kind() != reflect.Struct {
		panic(fmt.Sprintf("step %s is no struct", s))
	}
	for _, name := range []string{"Run", "Plan", "Render", "Witness"} {
		if has(s, name) {
			panic(fmt.Sprintf("step %s has a method %s, which a Kubernetes step gets from its Objects and Judge", s, name))
		}
	}
	pipeline.RefuseNearMiss[Reader](s, "Reads")
	pipeline.RefuseNearMiss[Follower](s, "Follows")
	pipeline.RefuseNearMiss[SecretUser](s, "Secrets")
	pipeline.RefuseNearMiss[Hosted](s, "OnHostedCluster")
	pipeline.RefuseNearMiss[Inventoried](s, "LooksIntoInventory")
	pipeline.RefuseNearMiss[Surveyor](s, "Surveys")
	pipeline.RefuseNearMiss[OnMachine](s, "Machines")
	m, ok := s.MethodByName("Outputs")
	if !ok {
		if has(s, "Outputs") {
			panic(fmt.Sprintf("step %s has a method Outputs of a pointer receiver", s))
		}
		return outputs{of: reflect.TypeFor[struct{}]()}
	}
	t, isError := m.Type, reflect.TypeFor[error]()
	failing := t.NumOut() == 2 && t.Out(1) == isError
	right := t.NumIn() == 3 && t.In(1) == reflect.TypeFor[*labs.Facts]() && t.In(2) == reflect.TypeFor[Seen]() &&
		(t.NumOut() == 1 || failing) && t.Out(0).Kind() == reflect.Struct
	if !right {
		panic(fmt.Sprintf("step %s has a method Outputs of the wrong signature: want Outputs(*labs.Facts, kube.Seen) and a struct", s))
	}
	return outputs{of: t.Out(0), there: true, failing: failing}
}

// has says whether s, or a pointer to it, has a method called name.
func has(s reflect.Type, name string) bool {
	_, ok := reflect.PointerTo(s).MethodByName(name)
	return ok
}
