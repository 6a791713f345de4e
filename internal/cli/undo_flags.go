package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/pipeline/source"
)

// undoFlags say what of a lab is taken apart. The zero value is all of it.
type undoFlags struct {
	from    string
	orphans bool
	workers []string
}

func (f *undoFlags) register(cmd *cobra.Command, workers string) {
	cmd.Flags().StringVar(&f.from, "from", "", "keep what the phases of the lab file before this one made")
	cmd.Flags().StringSliceVar(&f.workers, "worker", nil, workers)
}

// check refuses flags that contradict one another, and a name that a shell left empty:
// it would mean the whole lab.
func (f undoFlags) check(cmd *cobra.Command) error {
	given := cmd.Flags().Changed
	switch {
	case given("worker") && (len(f.workers) == 0 || slices.Contains(f.workers, "")):
		return &misuse{message: "--worker names no worker", hint: cmd.CommandPath() + " LAB --worker NAME"}
	case given("from") && f.from == "":
		return &misuse{message: "--from names no phase", hint: cmd.CommandPath() + " LAB --from PHASE"}
	case given("worker") && given("from"):
		return &misuse{message: "--worker and --from: a worker is taken out whole, whichever phases made it", hint: "leave one of them out"}
	case given("worker") && f.orphans:
		return &misuse{message: "--worker and --orphans: --orphans are the workers that the lab file has no more", hint: "leave one of them out"}
	}
	return nil
}

// undone is what an undo of these flags takes apart.
func (f undoFlags) undone() event.Undone { return event.Undone{From: f.from, Keys: f.workers} }

// whichWorkers finds those that --worker names: in the lab file, and where the lab need
// not be built again also in what the management cluster has of it.
func (a *app[E]) whichWorkers(ctx context.Context, job Job, f undoFlags, build bool) error {
	known := a.program.Destroy.Workers(job.Facts)
	var unknown []string
	for _, name := range f.workers {
		if !slices.Contains(known, name) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	made, err := a.program.Destroy.Made(ctx, job)
	for _, name := range unknown {
		switch is := slices.Contains(made, name); {
		case is && build:
			return &misuse{message: fmt.Sprintf("the lab file has no worker %q: it can be taken out, and not built again", name),
				hint: "labrun destroy LAB --worker " + name}
		case is:
			continue
		}
		message := fmt.Sprintf("neither the lab file nor the management cluster has a worker %q of the lab", name)
		if err != nil {
			message = fmt.Sprintf("the lab file has no worker %q, and the management cluster could not be asked for one: %s", name, strings.ReplaceAll(err.Error(), "\n", "; "))
		}
		all := slices.Compact(slices.Sorted(slices.Values(slices.Concat(known, made))))
		return &misuse{message: message, hint: cmp.Or(source.DidYouMean(name, all), "its workers are "+strings.Join(all, ", "))}
	}
	return nil
}

// keeping says what of the lab's steps an undo leaves.
func keeping[E any](built *pipeline.Pipeline[E], f undoFlags) (func(step, key string) string, error) {
	from := 0
	if f.from != "" {
		if from = slices.Index(built.Phases, f.from); from < 0 {
			hint := source.DidYouMean(f.from, built.Phases)
			if hint == "" {
				hint = "its phases are " + strings.Join(built.Phases, ", ")
			}
			return nil, &misuse{message: fmt.Sprintf("the lab has no phase %q", f.from), hint: hint}
		}
		if err := mistaken(built, f.from); err != nil {
			return nil, err
		}
	}
	steps := map[string]*pipeline.Declared[E]{}
	for _, d := range built.Steps {
		steps[d.ID] = d
	}
	return func(step, key string) string {
		d := steps[step]
		switch {
		case len(f.workers) > 0 && !slices.Contains(f.workers, key):
			return "it is not " + strings.Join(f.workers, "'s nor ") + "'s"
		case f.orphans && d != nil && has(d, key):
			return "the lab file has it"
		case f.from == "":
			return ""
		case d == nil:
			return "the lab file no longer has step " + step + ": its phase is not known"
		case slices.Index(built.Phases, d.Phase) < from:
			return "phase " + d.Phase + " comes before " + f.from
		}
		return ""
	}, nil
}

// mistaken refuses an empty phase that has the name of a step of a later one: who means
// the step would lose what stands between the two.
func mistaken[E any](built *pipeline.Pipeline[E], phase string) error {
	var step *pipeline.Declared[E]
	for _, d := range built.Steps {
		if d.Phase == phase {
			return nil
		}
		if d.ID == phase {
			step = d
		}
	}
	if step == nil {
		return nil
	}
	return &misuse{message: fmt.Sprintf("--from takes a phase: phase %q is empty, and step %s is in phase %s", phase, step.ID, step.Phase),
		hint: "--from " + step.Phase}
}

// has says whether a step may have an instance of this key: where its items are
// known during a run only, it may.
func has[E any](d *pipeline.Declared[E], key string) bool {
	if key == "" || d.ForEach == nil {
		return (key == "") == (d.ForEach == nil)
	}
	return d.Instances == nil || slices.ContainsFunc(d.Instances, func(i pipeline.Instance) bool { return i.Key == key })
}
