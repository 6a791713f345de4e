package pipeline

import (
	"context"
	"sync"
	"time"

	"github.com/labrun/labrun/pipeline/event"
)

// DefaultWitnessLimit bounds how long the evidence of one failure is collected,
// and so how long a run's end may wait for it.
const DefaultWitnessLimit = 20 * time.Second

// Keep keeps one piece of evidence: name is a path below the instance's folder.
// What is too large is cut, and told so. It may be called by several at a time.
type Keep func(name string, content []byte) error

// Witness is a step that can show what an expert would want to see after it has
// failed. It only reads, keeps what it gets as soon as it has it, and stops when
// ctx ends. An error says what could not be seen.
type Witness[E any] interface {
	Witness(ctx context.Context, env E, keep Keep) error
}

// Failure is an instance that failed, for whoever keeps its evidence.
type Failure struct {
	Step, Key string
	Uses      string
	Dir       string // folder of its evidence
	Result    event.Result
	// Witness lets the kind show what it sees; nil where it cannot.
	Witness func(ctx context.Context, keep Keep) error
}

// Collector keeps the evidence of a failure, and says where: nil where it kept
// none. It is called for each failure as soon as it is told, side by side.
type Collector func(ctx context.Context, f Failure) *event.Evidence

// witnesses collects evidence beside the run.
type witnesses struct {
	group sync.WaitGroup
	limit time.Duration
}

// collect begins to collect the evidence of an instance that started and failed.
func (s *scheduler[E]) collect(ctx context.Context, d *Declared[E], t task, a attempt) {
	if s.options.Collect == nil || a.result.Status != event.Failed || a.scope == nil {
		return
	}
	f := Failure{Step: s.told(d.ID), Key: t.key(), Uses: d.Kind.Name, Dir: a.scope.Dir, Result: a.result}
	if d.Kind.Witness != nil {
		f.Witness = func(ctx context.Context, keep Keep) (err error) {
			defer func() {
				if p := recover(); p != nil {
					err = panicked(d, p)
				}
			}()
			return d.Kind.Witness(ctx, s.options.Env(a.scope), a.options, keep)
		}
	}
	s.witnesses.group.Go(func() {
		// A run that is interrupted keeps what it has; it asks for nothing more.
		ctx, cancel := context.WithTimeout(ctx, s.witnesses.limit*9/10) // the rest is for writing it down
		defer cancel()
		done := make(chan *event.Evidence, 1)
		go func() { done <- s.options.Collect(ctx, f) }()
		select {
		case kept := <-done:
			s.tellEvidence(d, f, kept)
		case <-time.After(s.witnesses.limit): // it does not heed its context
		}
	})
}

func (s *scheduler[E]) tellEvidence(d *Declared[E], f Failure, kept *event.Evidence) {
	if kept != nil {
		_ = s.emit(event.Event{Type: event.StepEvidence, Step: d.ID, Key: f.Key, Evidence: kept})
	}
}
