package pipeline

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"reflect"
	"runtime"
	"strings"
	"time"

	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/pipeline/gate"
	"github.com/labrun/labrun/pipeline/source"
)

// errTimeout is the cause of an instance that took longer than its step may.
var errTimeout = errors.New("timed out")

// errLeft is the error of a step that ended its goroutine instead of returning.
var errLeft = errors.New("the step ended without a result")

// runInstance runs one instance to its end, which it tells, whatever the step
// does: an error, a panic, or leaving its goroutine.
func (s *scheduler[E]) runInstance(ctx context.Context, t task) {
	d := s.pipeline.Steps[t.node]
	began := s.options.Now()
	a, e := attempt{result: failed(errLeft)}, ended{task: t}
	defer func() { // runtime.Goexit comes by here too
		a.result.Duration = s.options.Now().Sub(began)
		s.tell(d, t.key(), a.result)
		s.collect(ctx, d, t, a)
		e.status, e.outputs = a.result.Status, a.outputs
		s.ended <- e
	}()
	var err error
	if a, err = s.attempt(ctx, d, t); a.result.Status == event.Failed {
		e.code = codeOf(err)
	}
}

// codeOf is the exit code of a failed step's error, 0 where it has none: that of a
// program which a step ran is not labrun's.
func codeOf(err error) int {
	var code ExitCoder
	if !errors.As(err, &code) {
		return 0
	}
	if _, program := code.(*exec.ExitError); program {
		return 0
	}
	return code.ExitCode()
}

// attempt is what became of one instance; scope is nil where its gate or options
// kept it from starting.
type attempt struct {
	result  event.Result
	outputs any
	scope   *Scope
	options any
}

// attempt evaluates the gate and the options, runs the step, and says how it
// ended.
func (s *scheduler[E]) attempt(ctx context.Context, d *Declared[E], t task) (attempt, error) {
	skip, options, err := s.prepare(d, t)
	if err == nil && skip != "" {
		return attempt{result: event.Result{Status: event.Skipped, Reason: skip}}, nil
	}
	if err != nil {
		s.tellStarted(d, t.key(), event.Start{})
		return attempt{result: failed(err)}, err
	}
	a := attempt{scope: s.scope(d, t.key()), options: options}
	before := s.recall(d, t.key())
	start, same, err := s.remember(ctx, d, a.scope, options, before)
	s.tellStarted(d, t.key(), start)
	if err != nil {
		a.result = s.unsuccessful(ctx, d, a.scope, err)
		return a, err
	}
	if same {
		return asBefore(d, a, before), nil
	}
	a.scope.lone, a.scope.loneRun = before.Lone, before.LoneRun
	outcome, err := s.call(ctx, d, a.scope, options)
	if err != nil {
		a.result = s.unsuccessful(ctx, d, a.scope, err)
		return a, err
	}
	a.result = event.Result{Status: event.OK, Summary: outcome.Summary}
	if outcome.Summary == "" && start.Because != nil {
		a.result.Summary = "again: " + strings.Join(start.Because, ", ")
	}
	if a.scope.Changed() {
		a.result.Status = event.Changed
	}
	a.outputs = gate.ValueOf(reflect.ValueOf(outcome.Outputs))
	if m, ok := a.outputs.(map[string]any); !ok || len(m) > 0 {
		a.result.Outputs = a.outputs
	}
	return a, nil
}

// remember reads what an instance is made of, within its step's time.
func (s *scheduler[E]) remember(ctx context.Context, d *Declared[E], scope *Scope, options any, before Remembered) (start event.Start, same bool, err error) {
	limited, cancel := limit(ctx, d)
	defer cancel()
	start, same, err = remember(limited, d, s.options.Env(scope), options, s.options.Salt, before)
	return start, same, overdue(limited, d, scope, err)
}

// recall gives what earlier runs left of an instance.
func (s *scheduler[E]) recall(d *Declared[E], key string) Remembered {
	if s.options.Memory == nil {
		return Remembered{}
	}
	return s.options.Memory(d.ID, key)
}

// asBefore ends an instance whose effect an earlier run had.
func asBefore[E any](d *Declared[E], a attempt, before Remembered) attempt {
	a.outputs = restore(before.Outputs, d.Kind.Outputs)
	a.result = event.Result{Status: event.OK, As: before.Run, Outputs: before.Outputs,
		Summary: fmt.Sprintf("as run %d left it: neither options nor inputs changed", before.Run)}
	return a
}

func (s *scheduler[E]) scope(d *Declared[E], key string) *Scope {
	scope := NewScope(s.pipeline.Name, d.Phase, d.ID, key, s.emit)
	scope.abandon = s.stream.abandon
	if s.options.Evidence != nil {
		scope.Dir = s.options.Evidence(s.told(d.ID), key)
	}
	return scope
}

// call runs the step under its timeout, and makes an error of a panic.
func (s *scheduler[E]) call(ctx context.Context, d *Declared[E], scope *Scope, options any) (out Outcome, err error) {
	ctx, cancel := limit(ctx, d)
	defer cancel()
	out, err = s.tries(ctx, d, scope, options)
	return out, overdue(ctx, d, scope, err)
}

// limit ends what an instance does when its step's time is up.
func limit[E any](ctx context.Context, d *Declared[E]) (context.Context, context.CancelFunc) {
	if d.Timeout == 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, d.Timeout, errTimeout)
}

// overdue makes an error of time of the one that it led to.
func overdue[E any](ctx context.Context, d *Declared[E], scope *Scope, err error) error {
	if err != nil && errors.Is(context.Cause(ctx), errTimeout) && aboutContext(err) {
		return timedOut(scope, d.Timeout, err)
	}
	return err
}

// aboutContext says whether an error is just that the context ended, so that
// what the step last saw tells more than the error does.
func aboutContext(err error) bool {
	var told event.Reporter
	return !errors.As(err, &told) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// unsuccessful says how an instance ended whose step gave an error.
func (s *scheduler[E]) unsuccessful(ctx context.Context, d *Declared[E], scope *Scope, err error) event.Result {
	if ctx.Err() != nil && !isTimeout(err) && aboutContext(err) {
		return event.Result{Status: event.Cancelled, Reason: cancelReason(ctx), Report: lastSeen(scope)}
	}
	return failed(err)
}

func isTimeout(err error) bool { return errors.Is(err, errTimeout) }

func cancelReason(ctx context.Context) string {
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return err.Error()
	}
	return "interrupted"
}

func failed(err error) event.Result {
	return event.Result{Status: event.Failed, Report: tellError(err)}
}

// tellError makes a report of any error.
func tellError(err error) *event.Report {
	var (
		told  event.Reporter
		found source.Diagnostics
		one   source.Diagnostic
	)
	switch {
	case errors.As(err, &told):
		r := told.Tell()
		return &r
	case errors.As(err, &found) && len(found) > 0:
		one = found[0]
	case errors.As(err, &one):
	default:
		return &event.Report{Title: err.Error()}
	}
	return &event.Report{Title: one.Message, Lines: []event.Line{{Label: "at", Text: one.Pos.String()}}, Next: one.Hint}
}

func lastSeen(scope *Scope) *event.Report {
	if seen := scope.LastSeen(); seen.Title != "" {
		return &seen
	}
	return nil
}

// timedOut tells what the step was waiting for when its time was up.
func timedOut(scope *Scope, after time.Duration, err error) error {
	r := event.Report{Title: fmt.Sprintf("%s timed out after %s", name(scope.Step, scope.Key), event.Span(after))}
	if seen := lastSeen(scope); seen != nil {
		r.Lines = append(r.Lines, event.Line{Label: "last seen", Text: seen.Title})
		r.Lines = append(r.Lines, seen.Lines...)
		r.Next, r.Code = seen.Next, seen.Code
	} else {
		r.Lines = append(r.Lines, event.Line{Label: "it said", Text: err.Error()})
	}
	return &Report{Report: r, Cause: fmt.Errorf("%w: %w", errTimeout, err)}
}

// name is an instance as people read it, host[worker0].
func name(step, key string) string {
	if key == "" {
		return step
	}
	return step + "[" + key + "]"
}

// panicked tells a panic of a step. Just the places are told: the values on the
// stack may be secrets.
func panicked[E any](d *Declared[E], p any) error {
	r := event.Report{
		Title: fmt.Sprintf("the step %s broke down: %v", d.Kind.Name, p),
		Next:  "this is a mistake in labrun, not in the lab: report it with these lines",
	}
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	for more := true; more && len(r.Lines) < 6; {
		var f runtime.Frame
		f, more = frames.Next()
		if f.File == "" || strings.HasPrefix(f.Function, "runtime.") {
			continue
		}
		r.Lines = append(r.Lines, event.Line{Label: "at", Text: fmt.Sprintf("%s:%d", lastParts(f.File), f.Line)})
	}
	return &Report{Report: r, Cause: errBroken}
}

// lastParts leaves folder and file of a path.
func lastParts(path string) string {
	parts := strings.Split(path, "/")
	return strings.Join(parts[max(0, len(parts)-2):], "/")
}

// tellStarted tells the beginning of an instance; of start, what is known besides
// the file is set.
func (s *scheduler[E]) tellStarted(d *Declared[E], key string, start event.Start) {
	start.Phase, start.Uses, start.Timeout = s.phase(d), d.Kind.Name, d.Timeout
	start.File, start.Line, start.Column = d.Pos.File, d.Pos.Line, d.Pos.Column
	_ = s.emit(event.Event{Type: event.StepStarted, Step: d.ID, Key: key, Start: &start})
}

// tell tells and counts the end of an instance.
func (s *scheduler[E]) tell(d *Declared[E], key string, r event.Result) {
	s.counts.add(r.Status)
	_ = s.emit(event.Event{Type: event.StepFinished, Step: d.ID, Key: key, Result: &r})
}
