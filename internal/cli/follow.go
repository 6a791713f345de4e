package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/labrun/labrun/internal/progress"
	"github.com/labrun/labrun/internal/statedir"
	"github.com/labrun/labrun/pipeline/event"
)

// look is how often a journal that another process writes is looked at.
const look = 250 * time.Millisecond

// errEnough ends the following of a run before it ends.
var errEnough = errors.New("enough was seen")

// begun waits until the run that holds the lab has a journal, where it is not the
// last one's. The lab may also be let go without. typed is the lab as it is named on a
// command line.
func (a *app[E]) begun(ctx context.Context, r *recorded[E], typed string) error {
	for r.held && (r.run == nil || r.state.Started.IsZero() || r.next()) {
		if err := pause(ctx); err != nil {
			return err
		}
		last, err := r.lab.Last()
		if err == nil {
			r.run = last
			if err := r.read(); err != nil {
				return err
			}
		}
		r.holder, r.held = r.lab.Holder()
	}
	if r.run == nil {
		return fmt.Errorf("%w: labrun run %s begins the first", statedir.ErrNoRun, typed)
	}
	return nil
}

// watch hands the events of the run to take, those that are there and those that
// are still written, until the run has ended, take has seen enough, or ctx ends.
// What was told until then is in r.state.
func (a *app[E]) watch(ctx context.Context, r *recorded[E], take func(event.Event) error) error {
	journal, err := os.Open(r.run.Journal())
	if err != nil {
		return fmt.Errorf("read the journal of run %d: %w", r.run.Number, err)
	}
	defer journal.Close()
	r.state = &event.State{}
	from := event.NewFollower(journal)
	for {
		// Whether its process is there is asked first: what it wrote before it
		// ended is read after.
		r.holder, r.held = r.lab.Holder()
		err := from.More(func(e event.Event) error {
			r.state.Add(e)
			return take(e)
		})
		if errors.Is(err, errEnough) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("follow the journal of run %d, %s: %w", r.run.Number, r.run.Journal(), err)
		}
		if r.state.Finished || !r.live() {
			return nil
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context) error {
	timer := time.NewTimer(look)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// follow shows a run as it shows itself, until it ends.
func (a *app[E]) follow(ctx context.Context, r *recorded[E], typed, output string) error {
	if err := a.begun(ctx, r, typed); err != nil {
		return err
	}
	if output == "json" {
		return a.watch(ctx, r, progress.NewJSON(a.streams.Out).Take)
	}
	shown := a.view()
	err := a.watch(ctx, r, shown.Take)
	shown.Close()
	if err != nil {
		return err
	}
	if !r.state.Finished {
		progress.CutOff(a.streams.Out, r.state)
	}
	a.close(r.state, a.streams.Out)
	return nil
}
