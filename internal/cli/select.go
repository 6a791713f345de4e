package cli

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/labrun/labrun/pipeline"
)

// selectFlags choose the steps that take part.
type selectFlags struct {
	only        []string
	from, until string
	fresh       bool
}

func (f *selectFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVar(&f.only, "only", nil, "just these steps, phases and instances: --only mirror,host.worker0")
	flags.StringVar(&f.from, "from", "", "this step or phase, and all that stand behind it in the plan")
	flags.StringVar(&f.until, "until", "", "all up to this step or phase")
	flags.BoolVar(&f.fresh, "fresh", false, "forget what earlier runs did: only what can be seen is taken as done")
}

// check refuses a name that a shell left empty: it would mean the whole lab.
func (f selectFlags) check(cmd *cobra.Command) error {
	given := cmd.Flags().Changed
	for _, flag := range []struct {
		name  string
		empty bool
	}{{"only", len(f.only) == 0 || slices.Contains(f.only, "")}, {"from", f.from == ""}, {"until", f.until == ""}} {
		if given(flag.name) && flag.empty {
			return &misuse{message: "--" + flag.name + " names no step or phase", hint: cmd.CommandPath() + " LAB --" + flag.name + " STEP"}
		}
	}
	return nil
}

// given says whether a part of the steps is selected.
func (f selectFlags) given() bool { return len(f.only) > 0 || f.from != "" || f.until != "" }

// selected leaves out what the flags do not name. Outputs of what is left out are
// those of the lab's earlier runs.
func selected[E any](p *pipeline.Pipeline[E], f selectFlags, past *memory) error {
	s := pipeline.Selection{Only: f.only, Recall: past.recall, RecallInstances: past.recallInstances}
	if f.from != "" {
		s.From = []string{f.from}
	}
	if f.until != "" {
		s.Until = []string{f.until}
	}
	return p.Select(s)
}
