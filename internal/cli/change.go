package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/labrun/labrun/internal/evidence"
	"github.com/labrun/labrun/internal/holder"
	"github.com/labrun/labrun/internal/progress"
	"github.com/labrun/labrun/internal/statedir"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
)

// work is what a command does that changes a lab, and keeps a journal of it.
type work[E any] struct {
	pipeline *pipeline.Pipeline[E]
	first    *pipeline.First[E] // before it; nil for nothing
	flags    runFlags
	doing    pipeline.Doing
	job      Job
	lab      *statedir.Lab
	// prepare is called once the lab is held and before anything is recorded: it gives
	// what is remembered of earlier runs. nil: nothing is.
	prepare func(Environment[E]) (*memory, error)
	// undone is what of that the work takes apart before it builds; nil for nothing.
	undone *event.Undone
}

// change does the work: it holds the lab meanwhile.
func (a *app[E]) change(ctx context.Context, w work[E]) (err error) {
	if w.flags.longest < 0 {
		return &misuse{message: fmt.Sprintf("--max-duration %s: a run takes longer than that", event.Span(w.flags.longest)), hint: "0 is without a limit"}
	}
	outliveReaders()
	environment := a.program.Open(w.job)
	defer environment.close()
	held, err := a.hold(ctx, w.lab, environment)
	if other := (*holder.Held)(nil); errors.As(err, &other) {
		other.Typed = w.flags.command(w.pipeline.File)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, held.release()) }()
	var past *memory
	if w.prepare != nil {
		if past, err = w.prepare(environment); err != nil {
			return err
		}
	}
	a.tellUnheld(held.unheld)
	record, journal, err := begin(w.lab, held)
	if err != nil {
		return err
	}
	defer func() { err = ended(err, journal.Close()) }()
	a.prune(w.lab, past, ids(w.pipeline))
	if w.undone != nil { // not before: it may yet be refused, and then all of it stands
		past = past.without(*w.undone)
	}
	return a.perform(ctx, w, environment, held, past, record, journal)
}

// ended is the error of a run whose journal was closed with another one. A run
// that was stopped has told why the journal cannot be kept.
func ended(run, closing error) error {
	var told *silent
	if run == nil || closing != nil && errors.As(run, &told) {
		return closing
	}
	return run
}

// prune removes old runs, but for the journals of those in which steps ended well
// that none has brought to a good end since; where it cannot, the new one goes on.
// A command that remembers nothing leaves it to the next one that does.
func (a *app[E]) prune(lab *statedir.Lab, past *memory, steps []string) {
	if past == nil {
		return
	}
	if err := lab.Prune(statedir.Keep, past.oldest(steps)); err != nil {
		fmt.Fprintf(a.streams.Err, "labrun: old runs are left: %v\n", err)
	}
}

func ids[E any](p *pipeline.Pipeline[E]) []string {
	all := make([]string, len(p.Steps))
	for n, d := range p.Steps {
		all[n] = d.ID
	}
	return all
}

// begin makes the folder of a new run with its journal.
func begin(lab *statedir.Lab, by held) (*statedir.Run, *event.Journal, error) {
	if err := lab.MakeSalt(); err != nil {
		return nil, nil, err
	}
	record, err := lab.Begin()
	if err != nil {
		return nil, nil, err
	}
	if err := by.begins(record.Number); err != nil {
		return nil, nil, err
	}
	journal, err := event.Create(record.Journal())
	return record, journal, err
}

// perform runs the steps and shows them.
func (a *app[E]) perform(ctx context.Context, w work[E], environment Environment[E], held context.Context, past *memory, record *statedir.Run, journal *event.Journal) error {
	p, f := w.pipeline, w.flags
	salt, err := w.lab.Salt()
	if err != nil {
		return err
	}
	shown := a.view()
	command := f.command(p.File)
	witness := evidence.New(command, a.secrets.Text, a.program.Advise)
	sinks := []event.Sink{journal, witness, shown}
	closing := a.streams.Out
	if f.output == "json" {
		sinks = append(sinks, progress.NewJSON(a.streams.Out))
		closing = a.streams.Err
	}
	ctx, inTime := within(ctx, f.longest, shown.Note)
	defer inTime()
	ctx, release := interruptible(ctx, shown.Note, environment.Kill)
	told := context.AfterFunc(held, func() { shown.Note(context.Cause(held).Error()) })
	summary, err := p.Run(ctx, pipeline.RunOptions[E]{
		Env: environment.New, Command: command, Doing: w.doing, First: w.first, Sinks: []event.Sink{a.secrets.Before(sinks...)}, Number: record.Number, Labrun: a.program.Version, Title: a.title(w.job),
		Memory: past.last, Salt: salt, Parallel: f.parallel, Evidence: record.Evidence, Collect: witness.Collect, Requests: environment.Requests, Now: a.program.Now,
		Held: held,
	})
	release()
	told()
	shown.Close()
	a.close(shown.State(), closing)
	if err != nil {
		return fmt.Errorf("the run was stopped: %w", err)
	}
	if held.Err() != nil && summary.Exit == exitHeld {
		return fmt.Errorf("the run was stopped: %w", context.Cause(held))
	}
	return ends(summary.Exit)
}

func (a *app[E]) title(j Job) string {
	if a.program.Title == nil {
		return ""
	}
	return a.program.Title(j)
}

// close tells what the run came to.
func (a *app[E]) close(s *event.State, closing io.Writer) {
	if !s.Finished {
		return
	}
	progress.Failures(a.streams.Err, s, terminalOf(a.streams.Err).colour)
	progress.Closing(closing, s)
}
