package cli

import (
	"slices"

	"github.com/labrun/labrun/internal/forecast"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
)

// left estimates what is left of a run that goes on; nil where nothing is known.
func (a *app[E]) left(r *recorded[E], file string, f labFlags) *forecast.Left {
	if !r.live() || len(r.pipeline.Steps) == 0 {
		return nil
	}
	var past []*event.State
	runs, _ := r.lab.Runs()
	for _, n := range runs {
		if n >= r.run.Number {
			break
		}
		if state, err := readJournal(r.lab.Run(n).Journal(), r.lab.Name); err == nil && state.Run.Command == r.state.Run.Command {
			past = append(past, state)
		}
	}
	if left, ok := forecast.Of(a.goesThrough(r, file, f), r.state, past, a.program.Now()); ok {
		return &left
	}
	return nil
}

// goesThrough are the steps that a recorded run goes through: the lab's, those of its
// destroy, or of a rebuild both. None where they are not known any more.
func (a *app[E]) goesThrough(r *recorded[E], file string, f labFlags) []forecast.Step {
	run := r.state.Run
	if run.Command != event.Destroy && run.Command != event.Rebuild {
		return reckoned(r.pipeline, "")
	}
	if a.program.Destroy == nil {
		return nil
	}
	undo, err := a.undoing(file, f, undoFlags{orphans: run.Orphans, workers: run.Workers}, 0)
	switch {
	case err != nil:
		return nil
	case run.Command == event.Destroy:
		return reckoned(undo, "")
	}
	return after(reckoned(undo, event.Destroy+"/"), reckoned(r.pipeline, ""))
}

// reckoned are a pipeline's steps, ids and phases under a prefix.
func reckoned[E any](p *pipeline.Pipeline[E], under string) []forecast.Step {
	var steps []forecast.Step
	for _, d := range p.Steps {
		s := forecast.Step{ID: under + d.ID, Phase: under + d.Phase, Last: d.Stage == pipeline.Finally, Aside: d.Stage == pipeline.OnFailure}
		for _, e := range d.Edges {
			if e.Phase != "" {
				s.Phases = append(s.Phases, under+e.Phase)
			} else {
				s.After = append(s.After, under+e.From)
			}
		}
		steps = append(steps, s)
	}
	return steps
}

// after are the steps of two pipelines, the second of which waits for all of the first.
func after(first, second []forecast.Step) []forecast.Step {
	var phases []string
	for n := range first {
		first[n].Last = false // of the first one alone
		if !slices.Contains(phases, first[n].Phase) {
			phases = append(phases, first[n].Phase)
		}
	}
	for n := range second {
		second[n].Phases = append(second[n].Phases, phases...)
	}
	return append(first, second...)
}
