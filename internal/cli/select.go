package cli

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/labrun/labrun/internal/statedir"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
)

// selectFlags choose the steps that take part.
type selectFlags struct {
	only        []string
	from, until string
}

func (f *selectFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVar(&f.only, "only", nil, "just these steps, phases and instances: --only mirror,host.worker0")
	flags.StringVar(&f.from, "from", "", "this step or phase, and all that stand behind it in the plan")
	flags.StringVar(&f.until, "until", "", "all up to this step or phase")
}

// selected leaves out what the flags do not name. Outputs of what is left out are
// those of the lab's earlier runs.
func selected[E any](p *pipeline.Pipeline[E], f selectFlags, lab *statedir.Lab) error {
	s := pipeline.Selection{Only: f.only, Recall: (&memory{lab: lab}).recall}
	if f.from != "" {
		s.From = []string{f.from}
	}
	if f.until != "" {
		s.Until = []string{f.until}
	}
	return p.Select(s)
}

// memory is what the journals of a lab tell, the newest first, read when asked.
type memory struct {
	lab    *statedir.Lab
	read   bool
	states []*event.State
}

// recall gives the outputs of the newest run in which a step ended well. A journal
// that cannot be read is none.
func (m *memory) recall(step string) (pipeline.Recalled, bool) {
	if !m.read {
		m.read = true
		runs, _ := m.lab.Runs()
		for _, n := range slices.Backward(runs) {
			if state, err := readJournal(m.lab.Run(n).Journal()); err == nil {
				m.states = append(m.states, state)
			}
		}
	}
	for _, state := range m.states {
		if found, ok := outputsOf(state, step); ok {
			return found, true
		}
	}
	return pipeline.Recalled{}, false
}

func outputsOf(state *event.State, step string) (pipeline.Recalled, bool) {
	var found pipeline.Recalled
	for _, s := range state.Steps {
		if s.ID != step || s.Status() != event.OK && s.Status() != event.Changed {
			continue
		}
		for _, i := range s.Instances {
			if i.Key == "" {
				found.Outputs = i.Result.Outputs
				continue
			}
			found.Instances = append(found.Instances, pipeline.RecalledInstance{Key: i.Key, Outputs: i.Result.Outputs})
		}
		return found, len(s.Instances) > 0
	}
	return found, false
}
