package cli

import (
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
