package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/labrun/labrun/pipeline/event"
)

// The exit codes that a run ends with.
const (
	ExitDone        = 0
	ExitFailed      = 1
	ExitPreflight   = 3
	ExitInterrupted = 130
)

// defaultParallel bounds the instances that run at the same time, so that a
// forEach over thousands of items does not open thousands of connections.
const defaultParallel = 128

// RunOptions are what a program hands to a run.
type RunOptions[E any] struct {
	// Env makes the environment of one instance; it is called just before the
	// instance runs.
	Env func(*Scope) E
	// Sinks take the events, in this order. An error of one of them stops the
	// run: the journal's is the one that has errors.
	Sinks []event.Sink

	// Command is how the user names the lab on a command line: its file and the
	// flags beside it, quoted for a shell; "" for the file alone. It stands in the
	// commands that reports tell to type.
	Command string
	// Memory tells what earlier runs left; nil: nothing is known of them. Salt keys
	// the digests, the same one for all runs of a lab.
	Memory Memory
	Salt   []byte
	Doing  Doing  // what the run is for, for its first event
	Number int    // of the run
	Labrun string // version of the program
	Title  string // one line about the lab, for people
	// Held ends, with a cause, when the lab may be another run's: the run is
	// cancelled then, and its finally steps too. nil: it never does.
	Held context.Context
	// Parallel bounds the instances that run at the same time; 0 means 128.
	Parallel int
	// Evidence names the folder of an instance's evidence; nil for none.
	Evidence func(step, key string) string
	// Collect keeps the evidence of failures; nil for none. It is given
	// WitnessLimit for each, 0 means DefaultWitnessLimit.
	Collect      Collector
	WitnessLimit time.Duration
	// Requests counts what the run asked of others, for its summary; may be nil.
	Requests func() map[string]int
	// Now is the clock; nil means time.Now.
	Now func() time.Time

	// First is run before the pipeline, which is begun where First ended well, in the
	// same stream: all its steps are told in one phase, of this name, as phase/id. Its
	// steps remember nothing.
	First *First[E]

	resolve resolver[E] // of tests; nil: the pipeline's own expressions
}

// First is a pipeline that a run goes through before its own.
type First[E any] struct {
	Pipeline *Pipeline[E]
	Phase    string
}

// Doing is what a run is for: the commands that keep a journal.
type Doing struct {
	Command string   // "run", or "" for it; destroy or rebuild
	Fresh   bool     // of a run of all steps: nothing before it is remembered, by later ones either
	From    string   // of a destroy: a phase of the lab file
	Orphans bool     // of a destroy
	Workers []string // of a destroy or rebuild: keys of instances
}

// ExitCoder is an error that has a class in the table of exit codes: that of a failed
// step, or the cause of a cancelled run.
type ExitCoder interface {
	error
	ExitCode() int
}

// Run runs the steps: side by side where the edges allow it, all others after
// what they need. A failed step blocks what is below it, other branches go on.
// When ctx is cancelled, running instances are told and all others are left out;
// the cause of ctx may be an ExitCoder, otherwise the run exits with
// ExitInterrupted. The finally steps run all the same; only a journal that cannot
// be kept, or the end of the process, keeps them from it.
//
// The error is that of a sink: the run could not be recorded. A failed step is
// no error of Run, the summary says so.
func (p *Pipeline[E]) Run(ctx context.Context, o RunOptions[E]) (event.Summary, error) {
	o.complete()
	if o.Command == "" {
		o.Command = p.File
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	last, stopLast := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stopLast(nil)
	stopAll := func(cause error) { stop(cause); stopLast(cause) }
	if o.Held != nil {
		defer context.AfterFunc(o.Held, func() { stopAll(context.Cause(o.Held)) })()
	}
	out := &stream{lab: o.Command, sinks: o.Sinks, now: o.Now, stop: stopAll}
	began := o.Now()
	if err := out.emit(event.Event{Type: event.RunStarted, Run: p.identity(o)}); err != nil {
		return event.Summary{Exit: ExitFailed}, fmt.Errorf("nothing was changed: %w", err)
	}
	summary := p.parts(ctx, last, o, out)
	summary.Duration = o.Now().Sub(began)
	if o.Requests != nil {
		summary.Requests = o.Requests()
	}
	err := out.broken()
	if err != nil {
		summary.Report = &event.Report{
			Title: "what happened after the last recorded event is in no journal",
			Lines: []event.Line{{Label: "it said", Text: err.Error()}},
		}
	}
	if told := out.emit(event.Event{Type: event.RunFinished, Summary: &summary}); err == nil {
		err = told
	}
	return summary, err
}

// parts runs the pipelines of a run one after the other, as long as each ends well.
func (p *Pipeline[E]) parts(ctx, last context.Context, o RunOptions[E], out *stream) event.Summary {
	all := &counts{by: map[event.Status]int{}}
	collecting := &witnesses{limit: o.WitnessLimit}
	exit := ExitDone
	begin := func(p *Pipeline[E], o RunOptions[E], under string) {
		s := &scheduler[E]{pipeline: p, options: o, stream: out, under: under, counts: all, values: newValues(p.Values), witnesses: collecting}
		s.run(ctx, last)
		collecting.group.Wait()
		exit = s.exit(ctx)
	}
	summary := event.Summary{}
	if o.First != nil {
		before := o
		before.Memory = nil
		begin(o.First.Pipeline, before, o.First.Phase)
	}
	if exit == ExitDone {
		begin(p, o, "")
	} else {
		summary.Report = &event.Report{Title: "its " + o.First.Phase + " did not come to its end: nothing else was begun"}
	}
	summary.Counts, summary.Exit = all.by, exit
	return summary
}

// counts are how many instances ended how.
type counts struct {
	mu sync.Mutex
	by map[event.Status]int
}

func (c *counts) add(s event.Status) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.by[s]++
}

func (c *counts) of(s event.Status) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.by[s]
}

// told is a step's id as the stream has it.
func (s *scheduler[E]) told(id string) string {
	if s.under == "" {
		return id
	}
	return s.under + "/" + id
}

func (s *scheduler[E]) phase(d *Declared[E]) string {
	if s.under == "" {
		return d.Phase
	}
	return s.under
}

// emit tells what happened in a step.
func (s *scheduler[E]) emit(e event.Event) error {
	e.Step = s.told(e.Step)
	return s.stream.emit(e)
}

func (o *RunOptions[E]) complete() {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Parallel <= 0 {
		o.Parallel = defaultParallel
	}
	if o.WitnessLimit <= 0 {
		o.WitnessLimit = DefaultWitnessLimit
	}
	if o.resolve == nil {
		o.resolve = expressions[E]{}
	}
}

func (p *Pipeline[E]) identity(o RunOptions[E]) *event.Run {
	r := &event.Run{
		Version: event.Version, Command: o.Doing.Command, Fresh: o.Doing.Fresh, From: o.Doing.From, Orphans: o.Doing.Orphans, Workers: o.Doing.Workers, Lab: p.Name, File: p.File, Typed: o.Command, Title: o.Title,
		Number: o.Number, Labrun: o.Labrun, Phases: p.Phases,
		Steps: make([]event.Ref, 0, len(p.Steps)),
	}
	if first := o.First; first != nil {
		r.Phases = append([]string{first.Phase}, p.Phases...)
		for _, d := range first.Pipeline.Steps {
			r.Steps = append(r.Steps, event.Ref{ID: first.Phase + "/" + d.ID, Phase: first.Phase})
		}
	}
	for _, d := range p.Steps {
		r.Steps = append(r.Steps, event.Ref{ID: d.ID, Phase: d.Phase})
	}
	return r
}

// exit gives the run's exit code.
func (s *scheduler[E]) exit(ctx context.Context) int {
	switch {
	case s.stream.broken() != nil:
		return ExitFailed
	case s.counts.of(event.Cancelled) > 0:
		var code ExitCoder
		if errors.As(context.Cause(ctx), &code) {
			return code.ExitCode()
		}
		return ExitInterrupted
	case s.code > 0:
		return s.code
	case s.counts.of(event.Failed) > 0:
		return ExitFailed
	}
	return ExitDone
}
