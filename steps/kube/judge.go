package kube

import (
	"context"
	"errors"
	"time"

	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps/trouble"
)

// soonest is how soon a verdict's Recheck is heeded: a step that asks again and
// again for a moment that has passed does not spin.
const soonest = 50 * time.Millisecond

// objects asks the step for what must exist, until what it reads is there.
func (r *run) objects(ctx, watching context.Context) ([]Intent, error) {
	for {
		intents, err := r.step.Objects(r.facts, r.seen())
		var notYet *NotYet
		if !errors.As(err, &notYet) {
			return intents, err
		}
		r.scope.Progress(r.withTrouble(notYet.Report))
		if err := r.next(ctx, watching, time.Time{}); err != nil {
			return nil, err
		}
	}
}

// judge asks the step how what is seen is to be taken, at once and after every
// change, until it is done or has failed, or ctx ends. Nothing is watched where
// the first answer is an end.
func (r *run) judge(ctx, watching context.Context) (Verdict, Seen, error) {
	for {
		seen := r.seen()
		v := r.step.Judge(r.facts, seen)
		switch v.State {
		case Done:
			for _, w := range v.Warnings {
				r.scope.Warn(w)
			}
			return v, seen, nil
		case Failed:
			return v, seen, &pipeline.Report{Report: explained(v.Report)}
		}
		r.scope.Progress(r.withTrouble(explained(v.Report)))
		if err := r.next(ctx, watching, v.Recheck); err != nil {
			return v, seen, err
		}
	}
}

// next waits until something has changed, or it is time to look again.
func (r *run) next(ctx, watching context.Context, recheck time.Time) error {
	for _, ref := range r.unread() {
		r.view.add(ref)
	}
	r.view.watch(watching)
	var again <-chan time.Time
	if !recheck.IsZero() {
		timer := time.NewTimer(max(recheck.Sub(r.env.Now()), soonest))
		defer timer.Stop()
		again = timer.C
	}
	select {
	case <-r.view.changed:
	case <-again:
	case <-ctx.Done():
		return r.timedOut(ctx)
	}
	return nil
}

// explained adds to a report what the catalogue says that its trouble means.
func explained(report event.Report) event.Report {
	if t, ok := trouble.Find(report.Code); ok {
		report.Lines = append(report.Lines[:len(report.Lines):len(report.Lines)], event.Line{Label: "means", Text: t.Means})
	}
	return report
}

// withTrouble adds to a report what keeps the objects from being read.
func (r *run) withTrouble(report event.Report) event.Report {
	if err := r.view.trouble(); err != nil {
		report.Lines = append(report.Lines[:len(report.Lines):len(report.Lines)],
			event.Line{Label: "unread", Text: "what is told here may be out of date: " + said(err)})
	}
	return report
}
