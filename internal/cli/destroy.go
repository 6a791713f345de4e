package cli

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
)

// Destroying is how a program takes a lab apart: a pipeline of steps of their own.
type Destroying[E any] struct {
	Kinds func() []pipeline.Kind[E]
	Files fs.FS // the pipelines, as NAME.yaml
	// Whole and Orphans name them: of all that the lab made, and of workers alone.
	Whole, Orphans string
	// Workers are those of the lab file, by name, and Made those that the management
	// cluster has of the lab.
	Workers func(facts any) []string
	Made    func(context.Context, Job) ([]string, error)
	// Look says what would become of what the lab made. It changes nothing.
	Look func(context.Context, Job) (Undoing, error)
}

// Undoing is what would become of a lab's objects.
type Undoing struct {
	Lab    string     `json:"lab"`
	Items  []UndoItem `json:"items"`
	Others []UndoItem `json:"others"` // somebody else's, for which nothing would be begun
	// Unread is what could not be read of a namespace that would go: nothing would be begun.
	Unread []string `json:"unread,omitempty"`
	Notes  []string `json:"notes,omitempty"` // what else would happen, a sentence each
}

// FateKept is the fate of what an undo is not about.
const FateKept = "keep"

// UndoItem is one object, what would become of it, and why.
type UndoItem struct {
	Fate   string `json:"fate"`
	Object string `json:"object"`
	Why    string `json:"why"`
}

// destroyFlags are the flags of destroy.
type destroyFlags struct {
	labFlags
	undoFlags
	output  string
	dryRun  bool
	timeout time.Duration
	longest time.Duration
}

func (a *app[E]) destroyCommand() *cobra.Command {
	var f destroyFlags
	cmd := &cobra.Command{
		Use:   "destroy LAB",
		Short: "remove what was built, in the order in which a hosted cluster comes apart",
		Long: `Removes what labrun made of the lab, and only that, by the inventory on the
management cluster: no earlier run needs to be known here. What labs share on the
cluster is removed or restored by the last one out. Interrupted, it is continued by
the same command.

` + exitTable,
		Example: "  labrun destroy labs/ipv6-disconnected.yaml --dry-run\n  labrun destroy labs/ipv6-disconnected.yaml --from hosted\n  labrun destroy labs/ipv6-disconnected.yaml --worker worker1",
		Args:    oneLab,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.undoFlags.check(cmd); err != nil {
				return err
			}
			return a.destroy(cmd.Context(), args[0], f)
		},
	}
	f.labFlags.register(cmd)
	f.undoFlags.register(cmd, "take just these workers out, whether or not the lab file has them: --worker worker0,worker1")
	flags := cmd.Flags()
	flags.BoolVar(&f.orphans, "orphans", false, "only what the inventory has and the lab file no more: workers that were taken out")
	flags.BoolVar(&f.dryRun, "dry-run", false, "list what would be deleted, restored and left, and touch nothing")
	flags.DurationVar(&f.timeout, "timeout", 0, "how long each step may wait, instead of its own time")
	stateFlag(cmd, &f.stateDir)
	outputFlag(cmd, &f.output, "text", "json")
	a.unattended(cmd, &f.longest)
	return cmd
}

func (a *app[E]) destroy(ctx context.Context, file string, f destroyFlags) (err error) {
	p, keeps, err := a.loadDestroy(file, f)
	if err != nil {
		return err
	}
	lab, job, err := a.jobIn(p, f.labFlags)
	if err != nil {
		return err
	}
	job.Keeps = keeps
	if err := a.whichWorkers(ctx, job, f.undoFlags, false); err != nil {
		return err
	}
	if f.dryRun {
		return a.look(ctx, job, f.undoFlags, f.output)
	}
	run := runFlags{labFlags: f.labFlags, output: f.output, longest: f.longest}
	return a.change(ctx, work[E]{pipeline: p, flags: run, job: job, lab: lab, doing: pipeline.Doing{Command: event.Destroy, From: f.from, Orphans: f.orphans, Workers: f.workers}})
}

// loadDestroy reads the pipeline that takes the lab apart, and what it keeps.
func (a *app[E]) loadDestroy(file string, f destroyFlags) (*pipeline.Pipeline[E], func(step, key string) string, error) {
	var keeps func(step, key string) string
	if f.from != "" || f.orphans || len(f.workers) > 0 {
		request := a.request(file, f.labFlags)
		request.Lenient = true
		built, found := a.read(request)
		if len(found) > 0 {
			return nil, nil, &invalid{found, built.Files}
		}
		var err error
		if keeps, err = keeping(built, f.undoFlags); err != nil {
			return nil, nil, err
		}
	}
	p, err := a.undoing(file, f.labFlags, f.undoFlags, f.timeout)
	return p, keeps, err
}

// undoing reads a pipeline of the program's that takes a lab apart. Each step may
// wait as long as timeout says, or as it says itself where that is 0.
func (a *app[E]) undoing(file string, f labFlags, what undoFlags, timeout time.Duration) (*pipeline.Pipeline[E], error) {
	instead := a.program.Destroy.Whole
	if what.orphans || len(what.workers) > 0 {
		instead = a.program.Destroy.Orphans
	}
	request := a.request(file, f)
	request.Kinds, request.Builtin = a.program.Destroy.Kinds(), a.program.Destroy.Files
	request.Instead, request.Lenient = instead, true
	p, found := a.read(request)
	if len(found) > 0 {
		return nil, &invalid{found, p.Files}
	}
	if timeout > 0 {
		for _, d := range p.Steps {
			d.Timeout = timeout
		}
	}
	return p, nil
}

// look tells what an undo would do.
func (a *app[E]) look(ctx context.Context, job Job, f undoFlags, output string) error {
	found, err := a.program.Destroy.Look(ctx, job)
	if err != nil {
		return err
	}
	if output == "json" {
		err = writeJSON(a.streams.Out, found)
	} else {
		err = found.write(a.streams.Out, len(f.workers) > 0)
	}
	if err == nil && len(found.Others)+len(found.Unread) > 0 {
		return ends(exitFailed)
	}
	return err
}

// write lists the objects, and what is kept only as a number where that is the whole
// lab but for a worker.
func (u Undoing) write(w io.Writer, brief bool) error {
	if len(u.Items)+len(u.Others) == 0 {
		_, err := fmt.Fprintf(w, "nothing of lab %s is in the inventories of the management cluster\n", u.Lab)
		return err
	}
	table, kept := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0), 0
	for _, i := range u.Items {
		if brief && i.Fate == FateKept {
			kept++
			continue
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", i.Fate, i.Object, i.Why)
	}
	for _, i := range u.Others {
		fmt.Fprintf(table, "refused\t%s\t%s\n", i.Object, i.Why)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if kept > 0 {
		if _, err := fmt.Fprintf(w, "%s of the lab would be kept\n", count(kept, "other object")); err != nil {
			return err
		}
	}
	for _, note := range u.Notes {
		if _, err := fmt.Fprintln(w, note); err != nil {
			return err
		}
	}
	for _, unread := range u.Unread {
		if _, err := fmt.Fprintf(w, "\nwhat would go with the lab could not all be read, so that nothing would be begun: %s\n", unread); err != nil {
			return err
		}
	}
	if len(u.Others) == 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, "\n%s of somebody else would go with the lab: nothing would be begun\n", count(len(u.Others), "object"))
	return err
}
