package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/labrun/labrun/internal/progress"
	"github.com/labrun/labrun/internal/statedir"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
)

func (a *app[E]) statusCommand() *cobra.Command {
	var (
		f                labFlags
		stateDir, output string
	)
	cmd := &cobra.Command{
		Use:   "status LAB",
		Short: "what the last run did, and does now",
		Args:  oneLab,
		RunE:  func(_ *cobra.Command, args []string) error { return a.status(args[0], f, stateDir, output) },
	}
	f.register(cmd)
	stateFlag(cmd, &stateDir)
	outputFlag(cmd, &output, "text", "json")
	return cmd
}

func (a *app[E]) status(file string, f labFlags, stateDir, output string) error {
	// A file that was broken since the run still tells which lab it is.
	p, found := pipeline.Load(a.request(file, f))
	if p.Name == "" {
		return &invalid{found, p.Files}
	}
	lab, err := statedir.Of(stateDir, p.Name)
	if err != nil {
		return err
	}
	record, err := lab.Last()
	if errors.Is(err, statedir.ErrNoRun) {
		return fmt.Errorf("%w: labrun run %s begins the first", err, file)
	}
	if err != nil {
		return err
	}
	state, err := readJournal(record.Journal(), lab.Name)
	if err != nil {
		return fmt.Errorf("read the journal of run %d, %s: %w", record.Number, record.Journal(), err)
	}
	holder, held := lab.Holder()
	if output == "json" {
		return writeJSON(a.streams.Out, statusOf(state, held && !state.Finished))
	}
	s := progress.Situation{State: state, Now: a.program.Now(), Live: held && !state.Finished}
	if s.Live && holder.PID != 0 {
		s.Who = fmt.Sprintf("process %d on %s", holder.PID, holder.Host)
	}
	return progress.Status(a.streams.Out, s, terminalOf(a.streams.Out).colour)
}

// statusDoc is a status as JSON.
type statusDoc struct {
	Lab      string         `json:"lab"`
	Run      int            `json:"run"`
	Started  time.Time      `json:"started"`
	Last     time.Time      `json:"last"` // latest event
	Running  bool           `json:"running"`
	Finished bool           `json:"finished"` // the run told its end
	Summary  *event.Summary `json:"summary,omitempty"`
	Steps    []statusStep   `json:"steps"`
}

type statusStep struct {
	Step   string         `json:"step"`
	Key    string         `json:"key,omitempty"`
	Phase  string         `json:"phase,omitempty"`
	State  string         `json:"state"` // a status, running or waiting
	Seen   *event.Report  `json:"seen,omitempty"`
	Result *event.Result  `json:"result,omitempty"`
	Open   []event.Effect `json:"open,omitempty"`
}

func statusOf(s *event.State, running bool) statusDoc {
	doc := statusDoc{Lab: s.Run.Lab, Run: s.Run.Number, Started: s.Started, Last: s.Last, Running: running, Finished: s.Finished}
	if s.Finished {
		doc.Summary = &s.Summary
	}
	for _, st := range s.Steps {
		if len(st.Instances) == 0 {
			doc.Steps = append(doc.Steps, statusStep{Step: st.ID, Phase: st.Phase, State: "waiting"})
		}
		for _, i := range st.Instances {
			doc.Steps = append(doc.Steps, statusStep{Step: st.ID, Key: i.Key, Phase: st.Phase, State: stateOf(i, running), Seen: i.Seen, Result: i.Result, Open: i.Open})
		}
	}
	return doc
}

func stateOf(i *event.Instance, running bool) string {
	switch {
	case i.Result != nil:
		return string(i.Result.Status)
	case i.Running() && running:
		return "running"
	case i.Running():
		return "cut off" // its run was killed
	}
	return "waiting"
}
