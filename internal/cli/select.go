package cli

import (
	"github.com/spf13/cobra"

	"github.com/labrun/labrun/pipeline"
)

// selectFlags choose the steps that take part.
type selectFlags struct {
	only        []string
	from, until string
}

func (f *selectFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVar(&f.only, "only", nil, "just these steps and phases: --only mirror,infraenv")
	flags.StringVar(&f.from, "from", "", "this step or phase, and all that stand behind it in the plan")
	flags.StringVar(&f.until, "until", "", "all up to this step or phase")
}

// selected leaves out what the flags do not name.
func selected[E any](p *pipeline.Pipeline[E], f selectFlags) error {
	s := pipeline.Selection{Only: f.only}
	if f.from != "" {
		s.From = []string{f.from}
	}
	if f.until != "" {
		s.Until = []string{f.until}
	}
	return p.Select(s)
}
