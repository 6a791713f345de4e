package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/labrun/labrun/internal/progress"
	"github.com/labrun/labrun/internal/statedir"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
)

type statusFlags struct {
	labFlags
	output string
	follow bool
}

func (a *app[E]) statusCommand() *cobra.Command {
	var f statusFlags
	cmd := &cobra.Command{
		Use:   "status LAB",
		Short: "what the last run did, and does now",
		Long: `Tells what became of each step of the lab's last run, what those that run wait for
and last saw, and how long the run still takes by earlier ones. It reads the run's
journal on this machine, and asks no cluster.

With --follow it shows the run as the run itself does, until it ends; with -o json
that is the event stream, a line an event.`,
		Example: "  labrun status labs/ipv6-disconnected.yaml --follow",
		Args:    oneLab,
		RunE:    func(cmd *cobra.Command, args []string) error { return a.status(cmd.Context(), args[0], f) },
	}
	f.register(cmd)
	stateFlag(cmd, &f.stateDir)
	outputFlag(cmd, &f.output, "text", "json")
	cmd.Flags().BoolVar(&f.follow, "follow", false, "show the run while it goes on, and end with it")
	return cmd
}

// recorded is the lab of a file, and what is recorded of its runs here.
type recorded[E any] struct {
	pipeline *pipeline.Pipeline[E] // without steps where the file is broken
	lab      *statedir.Lab
	run      *statedir.Run // the last one
	state    *event.State
	holder   statedir.Holding // of the lab, where held
	held     bool
}

// recorded reads the last run of a lab. A file that was broken since the run still
// tells which lab it is.
func (a *app[E]) recorded(file string, f labFlags) (*recorded[E], error) {
	p, found := pipeline.Load(a.request(file, f))
	if p.Name == "" {
		return nil, &invalid{found, p.Files}
	}
	lab, err := statedir.Of(f.stateDir, p.Name)
	if err != nil {
		return nil, err
	}
	r := &recorded[E]{pipeline: p, lab: lab}
	if len(found) > 0 {
		p.Steps = nil
	}
	r.run, err = lab.Last()
	r.holder, r.held = lab.Holder() // before its journal is read, which it may end meanwhile
	if errors.Is(err, statedir.ErrNoRun) {
		return r, fmt.Errorf("%w: labrun run %s begins the first", err, f.command(file))
	}
	if err == nil {
		err = r.read()
	}
	return r, err
}

func (r *recorded[E]) read() (err error) {
	if r.state, err = readJournal(r.run.Journal(), r.lab.Name); err != nil {
		return fmt.Errorf("read the journal of run %d, %s: %w", r.run.Number, r.run.Journal(), err)
	}
	return nil
}

// begins says whether no run is recorded, as err tells, because the first one has
// only just begun.
func (r *recorded[E]) begins(err error) bool {
	return errors.Is(err, statedir.ErrNoRun) && r.held
}

// live says whether a process works on the run.
func (r *recorded[E]) live() bool { return r.held && !r.state.Finished && !r.next() }

// next says whether a later run holds the lab, which has no journal yet.
func (r *recorded[E]) next() bool { return r.held && r.holder.Run != r.run.Number }

func (a *app[E]) status(ctx context.Context, file string, f statusFlags) error {
	r, err := a.recorded(file, f.labFlags)
	if f.follow && (err == nil || r.begins(err)) {
		return a.follow(ctx, r, f.command(file), f.output)
	}
	if r.begins(err) {
		return fmt.Errorf("the first run of %s has begun, and tells nothing yet: %s", r.lab.Name, r.holder)
	}
	if err != nil {
		return err
	}
	left := a.left(r, file, f.labFlags)
	if f.output == "json" {
		return writeJSON(a.streams.Out, statusOf(r.state, r.live(), r.holder.Holder, left))
	}
	s := progress.Situation{State: r.state, Now: a.program.Now(), Live: r.live(), Left: left}
	switch {
	case s.Live && r.holder.PID != 0:
		s.Who = r.holder.String()
	case r.next():
		s.Next = r.holder.String()
	}
	return progress.Status(a.streams.Out, s, terminalOf(a.streams.Out).colour)
}
