package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/labrun/labrun/internal/evidence"
	"github.com/labrun/labrun/internal/progress"
	"github.com/labrun/labrun/internal/statedir"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
)

// runFlags are the flags of run.
type runFlags struct {
	labFlags
	selectFlags
	stateDir string
	output   string
	parallel int
	dryRun   bool
	adopt    bool
	longest  time.Duration
	doing    pipeline.Doing // not a flag
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
		RunE:    func(cmd *cobra.Command, args []string) error { return a.run(cmd.Context(), args[0], f) },
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
		return a.plan(ctx, file, planFlags{labFlags: f.labFlags, selectFlags: f.selectFlags, stateDir: f.stateDir, output: f.output})
	}
	if f.longest < 0 {
		return &misuse{message: fmt.Sprintf("--max-duration %s: a run takes longer than that", event.Span(f.longest)), hint: "0 is without a limit"}
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
		return err
	}
	job, err := a.jobOf(p, f.labFlags, lab)
	if err != nil {
		return err
	}
	job.Adopt = f.adopt
	environment := a.program.Open(job)
	defer environment.close()
	held, err := a.hold(ctx, lab, environment)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, held.release()) }()
	past, err := a.past(lab, f.fresh) // another run may have ended meanwhile
	if err != nil {
		return err
	}
	if err := a.ready(ctx, p, environment); err != nil {
		return err
	}
	record, journal, err := begin(lab)
	if err != nil {
		return err
	}
	defer func() { err = ended(err, journal.Close()) }()
	a.prune(lab)
	return a.perform(ctx, p, f, job, environment, held, lab, past, record, journal)
}

// past reads what earlier runs did, and tells what of it is lost. A line that a
// run was killed over is cut off its journal.
func (a *app[E]) past(lab *statedir.Lab, fresh bool) (*memory, error) {
	if fresh {
		return &memory{}, nil
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
	for _, note := range past.notes {
		fmt.Fprintf(a.streams.Err, "labrun: %s\n", note)
	}
	return past, nil
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

// prune removes old runs; where it cannot, the new one goes on.
func (a *app[E]) prune(lab *statedir.Lab) {
	if err := lab.Prune(statedir.Keep); err != nil {
		fmt.Fprintf(a.streams.Err, "labrun: old runs are left: %v\n", err)
	}
}

// begin makes the folder of a new run with its journal.
func begin(lab *statedir.Lab) (*statedir.Run, *event.Journal, error) {
	if err := lab.MakeSalt(); err != nil {
		return nil, nil, err
	}
	record, err := lab.Begin()
	if err != nil {
		return nil, nil, err
	}
	journal, err := event.Create(record.Journal())
	return record, journal, err
}

// perform runs the steps and shows them.
func (a *app[E]) perform(ctx context.Context, p *pipeline.Pipeline[E], f runFlags, job Job, environment Environment[E], held context.Context, lab *statedir.Lab, past *memory, record *statedir.Run, journal *event.Journal) error {
	salt, err := lab.Salt()
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
		Env: environment.New, Command: command, Doing: f.doing, Sinks: []event.Sink{a.secrets.Before(sinks...)}, Number: record.Number, Labrun: a.program.Version, Title: a.title(job),
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
	if held.Err() != nil && summary.Counts[event.Cancelled] > 0 {
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
