package cli

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/labrun/labrun/internal/statedir"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
)

// memory is what the journals of a lab tell, the newest first, read once. A nil
// memory remembers nothing.
type memory struct {
	states []*event.State
	notes  []string // about journals that cannot be read
}

// remember reads the journals of a lab's runs. One that a later labrun wrote, or
// that is of another lab, is refused: what it tells would be lost in silence. One
// that cannot be read otherwise is noted; nothing is remembered of it and of what
// came before, which it may have removed. What a destroy removed is forgotten: what
// stood on it has to be done again. A fresh run of all steps is the oldest one.
func remember(lab *statedir.Lab) (*memory, error) {
	m := &memory{}
	runs, err := lab.Runs()
	if err != nil {
		return nil, err
	}
	var undone []event.Undone // by later destroys
	for _, n := range slices.Backward(runs) {
		path := lab.Run(n).Journal()
		state, err := readJournal(path, lab.Name)
		var other *otherLab
		switch {
		case errors.Is(err, os.ErrNotExist): // killed before it began
		case errors.Is(err, event.ErrVersion), errors.As(err, &other):
			return nil, fmt.Errorf("read what run %d did, %s: %w; or forget it with --fresh, in a labrun run of all steps", n, path, err)
		case err != nil:
			m.notes = append(m.notes, fmt.Sprintf("what run %d did is not known: %v (%s); what earlier runs did is not relied on either, since it may have undone it", n, err, path))
			return m, nil
		default:
			for _, u := range undone {
				state.Forget(u)
			}
			if u, ok := state.Undid(); ok {
				undone = append(undone, u)
			}
			if state.Run.Command != event.Destroy {
				m.states = append(m.states, state)
			}
			if state.Run.Fresh {
				return m, nil
			}
		}
	}
	return m, nil
}

// without is what is remembered once this was taken apart.
func (m *memory) without(u event.Undone) *memory {
	for _, state := range m.states {
		state.Forget(u)
	}
	return m
}

// oldest is the number of the oldest run that one of the steps, as the lab has it
// now, still looks back to: the newest one in which an instance ended well. What came
// after it counts as well, since it may have undone that. 0: there is none.
func (m *memory) oldest(steps []string) int {
	newest := m.newest(steps)
	found := map[*event.Instance]bool{} // by what the newest run has of it
	number := 0
	for _, state := range m.states {
		for _, step := range state.Steps {
			if newest[step.ID] == nil {
				continue
			}
			for _, i := range step.Instances {
				if same := newest[step.ID].Instance(step.ID, i.Key); same != nil && !found[same] && wentWell(i) {
					found[same], number = true, state.Run.Number
				}
			}
		}
	}
	return number
}

// newest is for each step the newest run that told which instances it has: older ones
// may have had others.
func (m *memory) newest(steps []string) map[string]*event.State {
	newest := make(map[string]*event.State, len(steps))
	for _, id := range steps {
		newest[id] = nil
	}
	for _, state := range m.states {
		for _, step := range state.Steps {
			if known, wanted := newest[step.ID]; !wanted || known != nil {
				continue
			}
			if slices.ContainsFunc(step.Instances, func(i *event.Instance) bool { return i.Key != "" || wentWell(i) }) {
				newest[step.ID] = state
			}
		}
	}
	return newest
}

// wentWell says whether an instance ended, and well.
func wentWell(i *event.Instance) bool {
	return i.Result != nil && (i.Result.Status == event.OK || i.Result.Status == event.Changed)
}

// otherLab is the error of a journal in the folder of a lab that is not its own.
type otherLab struct{ lab, name string }

func (e *otherLab) Error() string {
	return fmt.Sprintf("the journal is lab %s's, and this is the folder of lab %s: move it away, or name another folder with --state-dir", e.lab, e.name)
}

// readJournal folds the journal of a run of this lab.
func readJournal(path, lab string) (*event.State, error) {
	journal, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	state, err := event.Fold(event.Read(journal))
	err = errors.Join(err, journal.Close())
	if err == nil && state.Run.Lab != lab && state.Run.Version > 0 {
		err = &otherLab{state.Run.Lab, lab}
	}
	return state, err
}

// last tells what earlier runs left of an instance.
func (m *memory) last(step, key string) pipeline.Remembered {
	if m == nil {
		return pipeline.Remembered{}
	}
	return pipeline.Recollect(m.states, step, key)
}

// recall gives the outputs of a step: of the instances that it had in the newest run
// in which it ended well, each what the newest run left that had it.
func (m *memory) recall(step string) (pipeline.Recalled, bool) {
	if m == nil {
		return pipeline.Recalled{}, false
	}
	for _, state := range m.states {
		for _, s := range state.Steps {
			if s.ID == step && (s.Status() == event.OK || s.Status() == event.Changed) {
				return m.outputsOf(s), true
			}
		}
	}
	return pipeline.Recalled{}, false
}

// recallInstances gives the outputs of each instance of a step that the newest run
// had which told them, however it ended.
func (m *memory) recallInstances(step string) []pipeline.RecalledInstance {
	if m == nil {
		return nil
	}
	state := m.newest([]string{step})[step]
	if state == nil {
		return nil
	}
	for _, s := range state.Steps {
		if s.ID == step {
			return m.outputsOf(s).Instances
		}
	}
	return nil
}

func (m *memory) outputsOf(s *event.Step) pipeline.Recalled {
	var found pipeline.Recalled
	for _, i := range s.Instances {
		outputs, ok := m.outputs(s.ID, i.Key)
		if i.Key == "" {
			found.Outputs = outputs
			continue
		}
		found.Instances = append(found.Instances, pipeline.RecalledInstance{Key: i.Key, Outputs: outputs, Skipped: !ok})
	}
	return found
}

// outputs are what the newest run left of an instance in which it ended well; ok is
// false where it was skipped since, or never ended well. Runs that were told to
// leave it out say nothing of it.
func (m *memory) outputs(step, key string) (outputs any, ok bool) {
	for _, state := range m.states {
		i := state.Instance(step, key)
		switch {
		case i == nil || i.Result == nil:
		case wentWell(i):
			return i.Result.Outputs, true
		case i.Result.Status == event.Skipped && !i.Result.LeftOut():
			return nil, false
		}
	}
	return nil, false
}
