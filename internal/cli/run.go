package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/labrun/labrun/internal/statedir"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
)

// runFlags are the flags of run.
type runFlags struct {
	labFlags
	selectFlags
	output   string
	parallel int
	dryRun   bool
	adopt    bool
	longest  time.Duration
}

// defaultHeartbeat is how long a log is silent about a step that runs.
const defaultHeartbeat = time.Minute

func (f *runFlags) register(cmd *cobra.Command) {
	f.labFlags.register(cmd)
	f.selectFlags.register(cmd)
	stateFlag(cmd, &f.stateDir)
	outputFlag(cmd, &f.output, "text", "json")
	cmd.Flags().IntVar(&f.parallel, "parallel", 0, "how many steps may run at the same time (default 128)")
	cmd.Flags().BoolVar(&f.adopt, "adopt", false, "take over objects that exist and are not this lab's, instead of failing")
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "the same as labrun plan")
}

func (a *app[E]) runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run LAB",
		Short: "build the lab; continue where the last run stopped",
		Long: `Builds the lab. Progress goes to stderr and the closing counts to stdout; with
-o json the event stream goes to stdout, a line an event.

` + exitTable,
		Example: "  labrun labs/ipv6-disconnected.yaml\n  labrun run labs/ipv4-connected.yaml --values my.yaml --kubeconfig hub.kubeconfig",
		Args:    oneLab,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.selectFlags.check(cmd); err != nil {
				return err
			}
			return a.run(cmd.Context(), args[0], f)
		},
	}
	f.register(cmd)
	a.unattended(cmd, &f.longest)
	return cmd
}

// unattended registers the flags of a command that may run for hours without
// anybody who looks at it.
func (a *app[E]) unattended(cmd *cobra.Command, longest *time.Duration) {
	cmd.Flags().DurationVar(longest, "max-duration", 0, "end the run as SIGTERM does once it has taken this long, such as 5h (default: never)")
	cmd.Flags().DurationVar(&a.heartbeat, "heartbeat", defaultHeartbeat, "without a terminal, how often a step that sees nothing new is told to run still; 0 for never")
}

// view is a sink that shows a run to a person.
type view interface {
	event.Sink
	State() *event.State
	Note(text string)
	Close()
}

func (a *app[E]) run(ctx context.Context, file string, f runFlags) (err error) {
	if f.dryRun {
		return a.plan(ctx, file, planFlags{labFlags: f.labFlags, selectFlags: f.selectFlags, output: f.output})
	}
	f.forRun = true
	p, err := a.load(file, f.labFlags)
	if err != nil {
		return err
	}
	lab, err := statedir.Of(f.stateDir, p.Name)
	if err != nil {
		return err
	}
	known := &memory{} // what is selected may read earlier outputs
	if !f.fresh && f.selectFlags.given() {
		if known, err = remember(lab); err != nil {
			return err
		}
	}
	if err := selected(p, f.selectFlags, known); err != nil {
		a.note(known)
		return err
	}
	job, err := a.jobOf(p, f.labFlags, lab)
	if err != nil {
		return err
	}
	job.Adopt = f.adopt
	doing := pipeline.Doing{Fresh: f.fresh && !f.selectFlags.given()} // a part of the steps does not make good what the others did
	return a.change(ctx, work[E]{pipeline: p, flags: f, job: job, lab: lab, doing: doing, prepare: func(environment Environment[E]) (*memory, error) {
		past, err := a.past(lab, f.fresh) // another run may have ended meanwhile
		if err != nil {
			return nil, err
		}
		return past, a.ready(ctx, p, environment)
	}})
}

// past reads what earlier runs did, and tells what of it is lost; nil for a fresh run.
// A line that a run was killed over is cut off its journal.
func (a *app[E]) past(lab *statedir.Lab, fresh bool) (*memory, error) {
	if fresh {
		return nil, nil
	}
	if last, err := lab.Last(); err == nil {
		cut, err := event.Mend(last.Journal())
		if err != nil {
			return nil, err
		}
		if cut > 0 {
			fmt.Fprintf(a.streams.Err, "labrun: the journal of run %d ended within a line, which is cut off (%d bytes): its run was killed, or the disk was full\n", last.Number, cut)
		}
	}
	past, err := remember(lab)
	if err != nil {
		return nil, err
	}
	a.note(past)
	return past, nil
}

// note tells what of earlier runs is not known. A nil memory has nothing to tell.
func (a *app[E]) note(past *memory) {
	if past == nil {
		return
	}
	for _, note := range past.notes {
		fmt.Fprintf(a.streams.Err, "labrun: %s\n", note)
	}
}
