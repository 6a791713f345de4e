package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
)

// rebuildFlags are the flags of rebuild.
type rebuildFlags struct {
	runFlags
	undo    undoFlags
	timeout time.Duration
}

func (a *app[E]) rebuildCommand() *cobra.Command {
	var f rebuildFlags
	cmd := &cobra.Command{
		Use:   "rebuild LAB",
		Short: "destroy, then run: the nightly command",
		Long: `Removes what the lab's phases from --from on made, and builds the lab: one run with
one journal and one exit code. What earlier phases made stays, and is looked at as
in any run. Nothing is built where the destroy did not end well. --worker does so with
single workers: the same server is installed anew, another one that the lab file names
by now takes its place.

Ended by SIGTERM, --max-duration or a kill, the lab is what the same command can
begin with; labrun run goes on with what was begun.

` + exitTable,
		Example: "  labrun rebuild labs/ipv6-disconnected.yaml --from hosted --max-duration 4h\n  labrun rebuild labs/ipv6-disconnected.yaml --worker worker1",
		Args:    oneLab,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.undo.check(cmd); err != nil {
				return err
			}
			return a.rebuild(cmd.Context(), args[0], f)
		},
	}
	f.labFlags.register(cmd)
	f.undo.register(cmd, "take just these workers out and build them again: --worker worker0,worker1")
	flags := cmd.Flags()
	flags.BoolVar(&f.dryRun, "dry-run", false, "list what would be deleted and what would be run then, and touch nothing")
	flags.DurationVar(&f.timeout, "timeout", 0, "how long each step of the destroy may wait, instead of its own time")
	flags.IntVar(&f.parallel, "parallel", 0, "how many steps may run at the same time (default 128)")
	stateFlag(cmd, &f.stateDir)
	outputFlag(cmd, &f.output, "text", "json")
	a.unattended(cmd, &f.longest)
	return cmd
}

func (a *app[E]) rebuild(ctx context.Context, file string, f rebuildFlags) error {
	f.forRun = !f.dryRun
	p, err := a.load(file, f.labFlags)
	var mistyped *misuse
	if _, told := keeping(p, f.undo); len(p.Phases) > 0 && errors.As(told, &mistyped) {
		return told // before what a run would lack
	}
	if err != nil {
		return err
	}
	undo, err := a.undoing(file, f.labFlags, f.undo, f.timeout)
	if err != nil {
		return err
	}
	keeps, err := keeping(p, f.undo)
	if err != nil {
		return err
	}
	lab, job, err := a.jobIn(p, f.labFlags)
	if err != nil {
		return err
	}
	job.Keeps = keeps
	if err := a.whichWorkers(ctx, job, f.undo, true); err != nil {
		return err
	}
	if f.dryRun {
		return a.lookAhead(ctx, p, job, f)
	}
	undone := f.undo.undone()
	return a.change(ctx, work[E]{
		pipeline: p, first: &pipeline.First[E]{Pipeline: undo, Phase: event.Destroy}, flags: f.runFlags, job: job, lab: lab,
		doing: pipeline.Doing{Command: event.Rebuild, From: f.undo.from, Workers: f.undo.workers},
		prepare: func(environment Environment[E]) (*memory, error) {
			past, err := a.past(lab, false)
			if err != nil {
				return nil, err
			}
			return past, a.ready(ctx, p, environment)
		}, undone: &undone})
}

// lookAhead tells what a rebuild would take apart, and what it would run then.
func (a *app[E]) lookAhead(ctx context.Context, p *pipeline.Pipeline[E], job Job, f rebuildFlags) error {
	if f.output == "json" {
		return &misuse{message: "--dry-run of a rebuild is written for people alone", hint: "labrun destroy LAB --dry-run -o json, labrun plan LAB -o json"}
	}
	if err := a.look(ctx, job, f.undo, f.output); err != nil {
		return err
	}
	table := tabwriter.NewWriter(a.streams.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\nthen the lab is run, which builds again:")
	first := slices.Index(p.Phases, f.undo.from)
	for _, s := range p.Plan().Steps {
		if len(f.undo.workers) > 0 && !slices.Contains(f.undo.workers, s.Key) || slices.Index(p.Phases, s.Phase) < first || s.Verdict == pipeline.WillSkip {
			continue
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", s.Phase, s.Name(), s.Reason)
	}
	return table.Flush()
}
