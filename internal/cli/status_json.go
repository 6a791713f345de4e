package cli

import (
	"time"

	"github.com/labrun/labrun/internal/forecast"
	"github.com/labrun/labrun/internal/holder"
	"github.com/labrun/labrun/internal/progress"
	"github.com/labrun/labrun/pipeline/event"
)

// statusDoc is a status as JSON.
type statusDoc struct {
	Lab      string         `json:"lab"`
	Run      int            `json:"run"`
	Started  time.Time      `json:"started"`
	Last     time.Time      `json:"last"` // latest event
	Running  bool           `json:"running"`
	Finished bool           `json:"finished"`         // the run told its end
	CutOff   bool           `json:"cut_off"`          // its process ended without
	Holder   *holder.Holder `json:"holder,omitempty"` // of a run that goes on
	Left     *statusLeft    `json:"left,omitempty"`
	// ContinuesFrom is the instance at which the lab is gone on with: where a run
	// failed or was cut off.
	ContinuesFrom string         `json:"continues_from,omitempty"`
	Summary       *event.Summary `json:"summary,omitempty"`
	Phases        []statusPhase  `json:"phases"`
	Steps         []statusStep   `json:"steps"`
}

// statusLeft is what a run still takes, by earlier ones.
type statusLeft struct {
	Time  time.Duration `json:"time_ns"`
	Runs  int           `json:"runs"`            // that it is taken from
	Never []string      `json:"never,omitempty"` // open steps that ended well in none of them
}

type statusPhase struct {
	Phase string     `json:"phase"`
	Began *time.Time `json:"began,omitempty"`
	Ended *time.Time `json:"ended,omitempty"` // of a phase all of whose steps have ended
	Open  int        `json:"open"`            // steps that have not ended
}

type statusStep struct {
	Step   string         `json:"step"`
	Key    string         `json:"key,omitempty"`
	Phase  string         `json:"phase,omitempty"`
	State  string         `json:"state"` // a status, running, cut off or waiting
	Began  *time.Time     `json:"began,omitempty"`
	Ended  *time.Time     `json:"ended,omitempty"`
	Seen   *event.Report  `json:"seen,omitempty"` // last, by a wait
	SeenAt *time.Time     `json:"seen_at,omitempty"`
	Result *event.Result  `json:"result,omitempty"`
	Open   []event.Effect `json:"open,omitempty"`
}

func statusOf(s *event.State, running bool, by holder.Holder, left *forecast.Left) statusDoc {
	doc := statusDoc{Lab: s.Run.Lab, Run: s.Run.Number, Started: s.Started, Last: s.Last, Running: running, Finished: s.Finished,
		CutOff: !running && !s.Finished, Phases: phasesOf(s)}
	if running {
		doc.Holder = &by
	} else if c := progress.Continues(s); c != nil {
		doc.ContinuesFrom = c.From
	}
	if left != nil {
		doc.Left = &statusLeft{left.Time, left.Runs, left.Never}
	}
	if s.Finished {
		doc.Summary = &s.Summary
	}
	for _, st := range s.Steps {
		if len(st.Instances) == 0 {
			doc.Steps = append(doc.Steps, statusStep{Step: st.ID, Phase: st.Phase, State: "waiting"})
		}
		for _, i := range st.Instances {
			doc.Steps = append(doc.Steps, statusStep{Step: st.ID, Key: i.Key, Phase: st.Phase, State: stateOf(i, running),
				Began: moment(i.Started), Ended: moment(i.Ended), Seen: i.Seen, SeenAt: moment(i.SeenAt), Result: i.Result, Open: i.Open})
		}
	}
	return doc
}

// phasesOf gives the phases in their order, with the time that each took.
func phasesOf(s *event.State) []statusPhase {
	phases := []statusPhase{}
	for _, st := range s.Steps {
		if len(phases) == 0 || phases[len(phases)-1].Phase != st.Phase {
			phases = append(phases, statusPhase{Phase: st.Phase})
		}
		p := &phases[len(phases)-1]
		if st.Status() == "" {
			p.Open++
		}
		for _, i := range st.Instances {
			if i.Start != nil && (p.Began == nil || i.Started.Before(*p.Began)) {
				p.Began = moment(i.Started)
			}
			if i.Result != nil && (p.Ended == nil || i.Ended.After(*p.Ended)) {
				p.Ended = moment(i.Ended)
			}
		}
	}
	for n := range phases {
		if phases[n].Open > 0 {
			phases[n].Ended = nil
		}
	}
	return phases
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
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
