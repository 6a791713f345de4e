package pipeline

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/labrun/labrun/pipeline/event"
)

// Step is a kind of step: a struct whose fields are its options, with one method.
// E is the environment that the program hands to its steps; the engine never
// looks into it. O is a struct of outputs, struct{} for none.
type Step[E, O any] interface {
	Run(ctx context.Context, env E) (O, error)
}

// Planner is a step that can say what it would change.
type Planner[E any] interface {
	Plan(ctx context.Context, env E) (Change, error)
}

// ErrLater is the error of a Renderer whose objects depend on what an earlier
// step will have made.
var ErrLater = errors.New("not known before the run")

// Renderer is a step that can say which objects it would apply, each a plain map
// with its secrets masked.
type Renderer[E any] interface {
	Render(ctx context.Context, env E) ([]map[string]any, error)
}

// Summarizer is an output that tells itself in one line, beside the step's name.
type Summarizer interface{ Summary() string }

// Change is what a step would change, for a plan.
type Change struct {
	Objects []ObjectChange
	// Waits says what a run would wait for where nothing would change; "" for nothing.
	Waits string
	// Note is what else is to be said of it, in a few words; may be empty.
	Note string
	// Outputs are those of a step that would change nothing and wait for nothing, of
	// the kind's Outputs type; nil where only the run finds them out.
	Outputs any
}

// ObjectChange is what would become of one object.
type ObjectChange struct {
	Object string `json:"object"`         // Kind namespace/name
	Verb   string `json:"verb"`           // create, update, delete, exec or none
	Diff   string `json:"diff,omitempty"` // of an update: unified diff, secrets masked
}

// Kind is a kind of step as the engine keeps it: its options and outputs known by
// reflection, its methods erased. A nil method is one that the kind lacks.
type Kind[E any] struct {
	Name    string // as in `uses`: area/verb
	Doc     string // one sentence, then what to know
	Example string // YAML of one step that uses it
	Options reflect.Type
	Outputs reflect.Type
	// Timeout ends an instance whose step gives none; 0 for a kind that waits for
	// nothing.
	Timeout time.Duration
	// Needless are the options that can say that nothing is to do. A step that
	// gives none of them has its effect in every run, and the plan says so.
	Needless []string

	Run func(ctx context.Context, env E, options any) (Outcome, error)
	// Remember is that of a Rememberer.
	Remember func(ctx context.Context, env E, options any) (inputs map[string]string, once bool, err error)
	Plan     func(ctx context.Context, env E, options any) (Change, error)
	Render   func(ctx context.Context, env E, options any) ([]map[string]any, error)
	Witness  func(ctx context.Context, env E, options any, keep Keep) error
}

// Outcome is what a step that ended well leaves.
type Outcome struct {
	Outputs any    // of the kind's Outputs type
	Summary string // one line for people, may be empty
}

// Use makes a kind of the step type S. It panics, at start-up, on a type that has
// a method called Plan, Render, Remember or Witness without satisfying its interface:
// a wrong receiver or signature would otherwise be lost in silence.
func Use[S Step[E, O], E, O any](name, doc, example string) Kind[E] {
	options := reflect.TypeFor[S]()
	RefuseNearMiss[Planner[E]](options, "Plan")
	RefuseNearMiss[Renderer[E]](options, "Render")
	RefuseNearMiss[Witness[E]](options, "Witness")
	RefuseNearMiss[Rememberer[E]](options, "Remember")

	k := Kind[E]{Name: name, Doc: doc, Example: example, Options: options, Outputs: reflect.TypeFor[O]()}
	k.Run = func(ctx context.Context, env E, o any) (Outcome, error) {
		out, err := o.(S).Run(ctx, env)
		return outcome(out), err
	}
	var zero S
	if _, ok := any(zero).(Planner[E]); ok {
		k.Plan = func(ctx context.Context, env E, o any) (Change, error) { return o.(Planner[E]).Plan(ctx, env) }
	}
	if _, ok := any(zero).(Rememberer[E]); ok {
		k.Remember = func(ctx context.Context, env E, o any) (map[string]string, bool, error) {
			return o.(Rememberer[E]).Remember(ctx, env)
		}
	}
	if _, ok := any(zero).(Renderer[E]); ok {
		k.Render = func(ctx context.Context, env E, o any) ([]map[string]any, error) {
			return o.(Renderer[E]).Render(ctx, env)
		}
	}
	if _, ok := any(zero).(Witness[E]); ok {
		k.Witness = func(ctx context.Context, env E, o any, keep Keep) error {
			return o.(Witness[E]).Witness(ctx, env, keep)
		}
	}
	return k
}

func outcome(out any) Outcome {
	o := Outcome{Outputs: out}
	if s, ok := out.(Summarizer); ok {
		o.Summary = s.Summary()
	}
	return o
}

// RefuseNearMiss panics where S, or a pointer to it, has a method called name
// but S does not satisfy I.
func RefuseNearMiss[I any](s reflect.Type, name string) {
	if s.Implements(reflect.TypeFor[I]()) {
		return
	}
	if _, ok := reflect.PointerTo(s).MethodByName(name); ok {
		panic(fmt.Sprintf("step %s has a method %s of the wrong receiver or signature", s, name))
	}
}

// Report is an error that tells itself with labelled lines and what to do next.
type Report struct {
	event.Report
	Cause error
}

// Error is the report in one line.
func (r *Report) Error() string {
	parts := []string{r.Title}
	for _, l := range r.Lines {
		parts = append(parts, l.Label+": "+l.Text)
	}
	return strings.Join(parts, "; ")
}

// Unwrap gives the cause.
func (r *Report) Unwrap() error { return r.Cause }

// Tell gives the report.
func (r *Report) Tell() event.Report { return r.Report }
