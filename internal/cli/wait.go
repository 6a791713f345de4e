package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/labrun/labrun/internal/progress"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/pipeline/source"
)

type waitFlags struct {
	labFlags
	output, until string
	timeout       time.Duration
}

// untilDone is the --for of a run's end.
const untilDone = "done"

func (a *app[E]) waitCommand() *cobra.Command {
	var f waitFlags
	cmd := &cobra.Command{
		Use:   "wait LAB",
		Short: "wait for the run of another process, and end as it does",
		Long: `Waits until the lab's run on this machine has ended, and ends with its exit code; at
once where no run goes on: then it is the last one's. With --for STEP it waits for
that step alone, and the exit code is 1 where it failed or was kept from running.`,
		Example: "  labrun wait labs/ipv6-disconnected.yaml --timeout 2h\n  labrun wait labs/ipv6-disconnected.yaml --for host.worker0",
		Args:    oneLab,
		RunE:    func(cmd *cobra.Command, args []string) error { return a.wait(cmd.Context(), args[0], f) },
	}
	f.register(cmd)
	stateFlag(cmd, &f.stateDir)
	outputFlag(cmd, &f.output, "text", "json")
	cmd.Flags().StringVar(&f.until, "for", untilDone, "what is waited for: done, a step, or an instance, such as host.worker0")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 0, "how long it is waited for, such as 2h (default: until the run ends)")
	return cmd
}

func (a *app[E]) wait(ctx context.Context, file string, f waitFlags) error {
	r, err := a.recorded(file, f.labFlags)
	if err != nil && !r.begins(err) {
		return err
	}
	late := fmt.Errorf("not within --timeout %s", event.Span(f.timeout))
	if f.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, f.timeout, late)
		defer cancel()
	}
	if err := a.begun(ctx, r, f.command(file)); err != nil {
		return fmt.Errorf("wait for the lab %s: %w", r.lab.Name, err)
	}
	g := goal{until: f.until}
	if err := g.known(r.state); err != nil {
		return err
	}
	if r.live() && f.output == "text" {
		fmt.Fprintf(a.streams.Err, "waits for run %d of %s: %s\n", r.run.Number, r.lab.Name, r.holder)
	}
	err = a.watch(ctx, r, func(event.Event) error {
		if g.reached(r.state) {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, late) {
		return fmt.Errorf("run %d of %s: %s has not ended: %w%s; labrun status %s --follow shows it", r.run.Number, r.lab.Name, g.name(), err, now(r.state), f.command(file))
	}
	if err != nil {
		return err
	}
	return a.waited(r, g, f)
}

// waited tells what became of what was waited for.
func (a *app[E]) waited(r *recorded[E], g goal, f waitFlags) error {
	if f.output == "json" {
		if err := writeJSON(a.streams.Out, statusOf(r.state, r.live(), r.holder.Holder, nil)); err != nil {
			return err
		}
	}
	if g.until != untilDone && g.reached(r.state) {
		for _, i := range g.instances(r.state) {
			if f.output == "text" {
				fmt.Fprintln(a.streams.Out, progress.Ended(i))
			}
		}
		return ends(g.exit(r.state))
	}
	if g.until != untilDone && r.state.Finished {
		return fmt.Errorf("run %d of %s has ended, and had no %s", r.run.Number, r.lab.Name, g.until)
	}
	if !r.state.Finished {
		if f.output == "text" {
			progress.CutOff(a.streams.Out, r.state)
		}
		return ends(exitFailed)
	}
	if f.output == "text" {
		progress.Closing(a.streams.Out, r.state)
	}
	return ends(r.state.Summary.Exit)
}

// now says what a run does, in a few words.
func now(s *event.State) string {
	var names []string
	for _, st := range s.Steps {
		for _, i := range st.Instances {
			if i.Running() {
				names = append(names, i.Name())
			}
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "; it runs " + strings.Join(names[:min(3, len(names))], ", ")
}

// goal is what is waited for: the run's end, a step, or one of its instances.
type goal struct{ until string }

func (g goal) name() string {
	if g.until == untilDone {
		return "the run"
	}
	return g.until
}

// known refuses a step that the run has not.
func (g goal) known(s *event.State) error {
	id, _, _ := strings.Cut(g.until, ".")
	names := []string{untilDone}
	for _, st := range s.Steps {
		names = append(names, st.ID)
		if st.ID == id {
			return nil
		}
	}
	if g.until == untilDone {
		return nil
	}
	hint := source.DidYouMean(id, names)
	if hint == "" {
		hint = "labrun status lists them"
	}
	return &misuse{message: fmt.Sprintf("--for %s: run %d has no step %q", g.until, s.Run.Number, id), hint: hint}
}

// instances are those that are waited for, as far as the run has told them.
func (g goal) instances(s *event.State) []*event.Instance {
	id, key, one := strings.Cut(g.until, ".")
	var found []*event.Instance
	for _, st := range s.Steps {
		for _, i := range st.Instances {
			if st.ID == id && (!one || i.Key == key) {
				found = append(found, i)
			}
		}
	}
	return found
}

// reached says whether it has ended.
func (g goal) reached(s *event.State) bool {
	if g.until == untilDone {
		return s.Finished
	}
	all := g.instances(s)
	for _, i := range all {
		if i.Result == nil {
			return false
		}
	}
	return len(all) > 0
}

// exit is the exit code of a step that has ended.
func (g goal) exit(s *event.State) int {
	var worst event.Status
	for _, i := range g.instances(s) {
		worst = event.Worse(worst, i.Result.Status)
	}
	switch worst {
	case event.OK, event.Changed, event.Skipped:
		return exitDone
	}
	return exitFailed
}
