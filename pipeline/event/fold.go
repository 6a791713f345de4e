package event

import (
	"errors"
	"iter"
	"slices"
	"time"
)

// State is what the events of a run add up to: what status, progress and
// reports show.
type State struct {
	Run      Run
	Started  time.Time
	Last     time.Time // of the latest event
	Finished bool      // the run told its end
	Summary  Summary   // of a finished run
	Torn     bool      // the stream's last line was cut off
	Steps    []*Step   // in the file's order

	byID map[string]*Step
}

// Step is one step with its instances: one of key "" where it has no forEach.
// A step that nothing was told of yet has none.
type Step struct {
	ID        string
	Phase     string
	Instances []*Instance

	byKey map[string]*Instance
}

// Instance is what was told of one instance.
type Instance struct {
	Step, Phase, Key string
	Plan             *Plan
	Start            *Start // nil where it never started
	Started          time.Time
	Ended            time.Time
	Result           *Result // nil while it waits or runs
	Seen             *Report // what its wait last saw
	SeenAt           time.Time
	Waited           bool // it told progress
	Warnings         []Report
	Open             []Effect  // intents without a done: these may exist
	Begun            int       // effects that began
	Unseen           int       // those of them that no later run can see
	Evidence         *Evidence // of a failure, nil for none
}

// Name is the instance as it stands in progress: host[worker0].
func (i *Instance) Name() string {
	if i.Key == "" {
		return i.Step
	}
	return i.Step + "[" + i.Key + "]"
}

// Typed is the instance as a person types it: host.worker0.
func (i *Instance) Typed() string {
	if i.Key == "" {
		return i.Step
	}
	return i.Step + "." + i.Key
}

// Running says whether it started and has not ended.
func (i *Instance) Running() bool { return i.Start != nil && i.Result == nil }

// Instance is what was told of one instance, nil for nothing.
func (s *State) Instance(step, key string) *Instance {
	if st := s.byID[step]; st != nil {
		return st.byKey[key]
	}
	return nil
}

// Fold adds the events up. A torn last line is noted, not an error.
func Fold(events iter.Seq2[Event, error]) (*State, error) {
	s := &State{}
	for e, err := range events {
		if errors.Is(err, ErrTorn) {
			s.Torn = true
			break
		}
		if err != nil {
			return s, err
		}
		s.Add(e)
	}
	return s, nil
}

// Add adds one event, and gives the instance that it is about, nil for none.
func (s *State) Add(e Event) *Instance {
	s.Last = e.Time
	switch e.Type {
	case RunStarted:
		s.begin(e)
		return nil
	case RunFinished:
		s.Finished = true
		if e.Summary != nil {
			s.Summary = *e.Summary
		}
		return nil
	}
	if e.Step == "" {
		return nil
	}
	i := s.instance(e.Step, e.Key)
	i.add(e)
	return i
}

func (s *State) begin(e Event) {
	s.Started = e.Time
	if e.Run == nil {
		return
	}
	s.Run = *e.Run
	s.byID = make(map[string]*Step, len(s.Run.Steps))
	for _, ref := range s.Run.Steps {
		s.step(ref.ID).Phase = ref.Phase
	}
}

func (s *State) step(id string) *Step {
	if st, ok := s.byID[id]; ok {
		return st
	}
	if s.byID == nil {
		s.byID = map[string]*Step{}
	}
	st := &Step{ID: id}
	s.byID[id] = st
	s.Steps = append(s.Steps, st)
	return st
}

func (s *State) instance(id, key string) *Instance {
	st := s.step(id)
	if i, ok := st.byKey[key]; ok {
		return i
	}
	if st.byKey == nil {
		st.byKey = map[string]*Instance{}
	}
	i := &Instance{Step: id, Phase: st.Phase, Key: key}
	st.byKey[key] = i
	st.Instances = append(st.Instances, i)
	return i
}

// Undone is what a run took apart of a lab: what the steps of a phase made and of all
// later ones, of all steps where From is ""; with Keys just what instances of these
// keys did.
type Undone struct {
	From string
	Keys []string
}

// Undid tells what the run took apart, if only in part: a destroy, or a rebuild, whose
// destroy is its first phase. ok is false where that is nothing.
func (s *State) Undid() (u Undone, ok bool) {
	if s.Run.Command != Destroy && s.Run.Command != Rebuild {
		return u, false
	}
	var keys []string // with which something was begun
	for _, step := range s.Steps {
		if s.Run.Command == Rebuild && step.Phase != Destroy {
			continue
		}
		for _, i := range step.Instances {
			ok = ok || i.Begun > 0
			if i.Begun > 0 && i.Key != "" {
				keys = append(keys, i.Key)
			}
		}
	}
	switch {
	case !ok:
	case len(s.Run.Workers) > 0:
		u.Keys = s.Run.Workers
	case s.Run.Orphans:
		u.Keys, ok = keys, len(keys) > 0
	default:
		u.From = s.Run.From
	}
	return u, ok
}

// Forget drops what is known of what was undone. A From that is no phase of this run
// is its first one.
func (s *State) Forget(u Undone) {
	if len(u.Keys) > 0 {
		for _, step := range s.Steps {
			step.forget(u.Keys)
		}
		return
	}
	first := max(slices.Index(s.Run.Phases, u.From), 0)
	s.Steps = slices.DeleteFunc(s.Steps, func(step *Step) bool {
		drop := slices.Index(s.Run.Phases, step.Phase) >= first || first == 0
		if drop {
			delete(s.byID, step.ID)
		}
		return drop
	})
}

// forget drops the instances of some keys.
func (st *Step) forget(keys []string) {
	st.Instances = slices.DeleteFunc(st.Instances, func(i *Instance) bool {
		drop := slices.Contains(keys, i.Key)
		if drop {
			delete(st.byKey, i.Key)
		}
		return drop
	})
}

func (i *Instance) add(e Event) {
	switch e.Type {
	case StepPlanned:
		i.Plan = e.Plan
	case StepStarted:
		i.Start, i.Started = e.Start, e.Time
		if i.Start == nil {
			i.Start = &Start{}
		}
	case StepProgress:
		i.Seen, i.SeenAt, i.Waited = e.Report, e.Time, true
	case StepWarned:
		if e.Report != nil {
			i.Warnings = append(i.Warnings, *e.Report)
		}
	case Intent:
		if e.Effect != nil {
			i.Open = append(i.Open, *e.Effect)
			i.Begun++
			if !e.Effect.Observable {
				i.Unseen++
			}
		}
	case Done:
		i.close(e.Effect)
	case StepEvidence:
		i.Evidence = e.Evidence
	case StepFinished:
		i.Ended, i.Result = e.Time, e.Result
		if i.Result == nil {
			i.Result = &Result{}
		}
	}
}

// close pairs a done with its intent.
func (i *Instance) close(done *Effect) {
	if done == nil {
		return
	}
	for n := range i.Open {
		if i.Open[n].ID == done.ID {
			i.Open = append(i.Open[:n], i.Open[n+1:]...)
			return
		}
	}
}

// Status is the step's: the worst of its instances', "" while one of them has
// not ended or nothing was told of it.
func (st *Step) Status() Status {
	var worst Status
	for _, i := range st.Instances {
		if i.Result == nil {
			return ""
		}
		worst = Worse(worst, i.Result.Status)
	}
	return worst
}

// Worse gives the status of a step that has both among its instances.
func Worse(a, b Status) Status {
	if severity(b) > severity(a) {
		return b
	}
	return a
}

func severity(s Status) int {
	switch s {
	case Skipped:
		return 1
	case OK:
		return 2
	case Changed:
		return 3
	case Blocked:
		return 4
	case Cancelled:
		return 5
	case Failed:
		return 6
	}
	return 0
}
