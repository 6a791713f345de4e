package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/labrun/labrun/internal/statedir"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
)

// rebuildFlags are the flags of rebuild.
type rebuildFlags struct {
	runFlags
	from    string
	timeout time.Duration
}

func (a *app[E]) rebuildCommand() *cobra.Command {
	var f rebuildFlags
	cmd := &cobra.Command{
		Use:   "rebuild LAB",
		Short: "destroy, then run: the nightly command",
		Long: `Removes what the lab's phases from --from on made, and builds the lab: one run with
one journal and one exit code. What earlier phases made stays, and is looked at as
in any run. Nothing is built where the destroy did not end well.

Ended by SIGTERM, --max-duration or a kill, the lab is what the same command can
begin with; labrun run goes on with what was begun.

` + exitTable,
		Example: "  labrun rebuild labs/ipv6-disconnected.yaml --from hosted --max-duration 4h",
		Args:    oneLab,
		RunE:    func(cmd *cobra.Command, args []string) error { return a.rebuild(cmd.Context(), args[0], f) },
	}
	f.labFlags.register(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.from, "from", "", "keep what the phases of the lab file before this one made")
	flags.DurationVar(&f.timeout, "timeout", 0, "how long each step of the destroy may wait, instead of its own time")
	flags.IntVar(&f.parallel, "parallel", 0, "how many steps may run at the same time (default 128)")
	stateFlag(cmd, &f.stateDir)
	outputFlag(cmd, &f.output, "text", "json")
	a.unattended(cmd, &f.longest)
	return cmd
}

func (a *app[E]) rebuild(ctx context.Context, file string, f rebuildFlags) error {
	f.forRun = true
	p, err := a.load(file, f.labFlags)
	if err != nil {
		return err
	}
	undo, err := a.undoing(file, f.labFlags, a.program.Destroy.Whole, f.timeout)
	if err != nil {
		return err
	}
	keeps, err := keeping(p, destroyFlags{from: f.from})
	if err != nil {
		return err
	}
	lab, err := statedir.Of(f.stateDir, p.Name)
	if err != nil {
		return err
	}
	job, err := a.jobOf(p, f.labFlags, lab)
	if err != nil {
		return err
	}
	job.Keeps = keeps
	return a.change(ctx, work[E]{
		pipeline: p, first: &pipeline.First[E]{Pipeline: undo, Phase: event.Destroy}, flags: f.runFlags, job: job, lab: lab,
		doing: pipeline.Doing{Command: event.Rebuild, From: f.from},
		prepare: func(environment Environment[E]) (*memory, error) {
			past, err := a.past(lab, false)
			if err != nil {
				return nil, err
			}
			return past.without(f.from), a.ready(ctx, p, environment)
		}})
}
