package pipeline

import (
	"context"
	"fmt"
	"sync"

	"github.com/labrun/labrun/pipeline/event"
)

// Scope is one running instance of a step, as its environment sees it: whom it
// belongs to, and the way its progress and effects reach the event stream. All
// of its methods may be called side by side.
type Scope struct {
	Lab   string // name of the lab
	Phase string
	Step  string
	Key   string // of a forEach instance, else ""
	Dir   string // folder of this instance's evidence; made by whoever writes there

	emit    func(event.Event) error
	abandon func() // called for an effect that never returns; may be nil

	mu      sync.Mutex
	last    event.Report
	changed bool
	effects int
	lone    *event.Effect // of an earlier run, whose end nobody told
	loneRun int
}

// NewScope makes a scope whose events go to emit. An error of emit means that
// the journal cannot be kept: no new effect may begin.
func NewScope(lab, phase, step, key string, emit func(event.Event) error) *Scope {
	return &Scope{Lab: lab, Phase: phase, Step: step, Key: key, emit: emit}
}

// Progress tells what a wait sees now. The last one is what a timeout reports.
// A report equal to the one before it is not told again.
func (s *Scope) Progress(r event.Report) {
	s.mu.Lock()
	same := equalReports(s.last, r)
	s.last = r
	s.mu.Unlock()
	if !same {
		_ = s.send(event.Event{Type: event.StepProgress, Report: &r})
	}
}

// LastSeen gives what Progress told last.
func (s *Scope) LastSeen() event.Report {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// Warn tells something that the user should know, and that does not fail the step.
func (s *Scope) Warn(r event.Report) {
	_ = s.send(event.Event{Type: event.StepWarned, Report: &r})
}

// Changed says whether an effect of this instance changed something.
func (s *Scope) Changed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Act brings one effect about. It says whether something is different now, and
// the UID of the object where it has one.
type Act func(context.Context) (changed bool, uid string, err error)

// Do brings an effect about that no later run can see, such as a command: the
// intent is told and on the disk before act runs, and so is what became of it
// before Do returns.
func (s *Scope) Do(ctx context.Context, verb, object string, act Act) error {
	return s.do(ctx, event.Effect{Verb: verb, Object: object}, act)
}

// DoObservable is Do for an effect that a later run can see for itself, such as
// an object in a cluster: its events reach the disk within a second.
func (s *Scope) DoObservable(ctx context.Context, verb, object string, act Act) error {
	return s.do(ctx, event.Effect{Verb: verb, Object: object, Observable: true}, act)
}

func (s *Scope) do(ctx context.Context, effect event.Effect, act Act) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	s.effects++
	effect.ID = s.effects
	lone := s.lone
	if !effect.Observable {
		s.lone = nil
	}
	s.mu.Unlock()
	if lone != nil && !effect.Observable {
		s.Warn(OutcomeUnknown(*lone, s.loneRun))
	}

	intent := effect
	if err := s.send(event.Event{Type: event.Intent, Effect: &intent}); err != nil {
		return err
	}
	returned := false
	defer func() { // a panic, and runtime.Goexit, come by here
		if !returned && s.abandon != nil {
			s.abandon()
		}
	}()
	changed, uid, err := act(ctx)
	returned = true
	effect.Changed, effect.UID = changed, uid
	if err != nil {
		effect.Error = err.Error()
	}
	s.mu.Lock()
	s.changed = s.changed || changed
	s.mu.Unlock()
	if told := s.send(event.Event{Type: event.Done, Effect: &effect}); err == nil {
		err = told
	}
	return err
}

// OutcomeUnknown tells an effect that no run can see, and that a run began and
// did not live to see the end of.
func OutcomeUnknown(e event.Effect, run int) event.Report {
	return event.Report{Title: fmt.Sprintf("outcome unknown: run %d was cut off during %s %s, which is done again", run, e.Verb, e.Object),
		Next: "where that must not happen twice, let the step look first: creates or unless"}
}

func (s *Scope) send(e event.Event) error {
	e.Step, e.Key = s.Step, s.Key
	return s.emit(e)
}

func equalReports(a, b event.Report) bool {
	if a.Title != b.Title || a.Next != b.Next || len(a.Lines) != len(b.Lines) {
		return false
	}
	for i := range a.Lines {
		if a.Lines[i] != b.Lines[i] {
			return false
		}
	}
	return true
}
