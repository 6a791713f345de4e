// Package forecast says how long a run still takes, by how long its steps took
// in earlier runs of the lab.
package forecast

import (
	"slices"
	"time"

	"github.com/labrun/labrun/pipeline/event"
)

// Step is one step of the lab file, with what it waits for.
type Step struct {
	ID     string
	Phase  string
	After  []string // ids of steps
	Phases []string // all of whose steps come first
	Last   bool     // a finally step: after all others
	Aside  bool     // an onFailure step: no run waits for it that goes well
}

// Left is what remains of a run.
type Left struct {
	Time  time.Duration // along the longest chain of steps that are still open
	Runs  int           // earlier runs that it is taken from
	Never []string      // open steps that no earlier run had: their time is not in it
}

// Of estimates what is left of a run at a moment, from earlier runs that brought
// one of these steps to a good end. Runs that changed nothing found a lab that stood already and say nothing about building
// one: they count where there are no others. ok is false where no run counts.
func Of(steps []Step, run *event.State, past []*event.State, now time.Time) (left Left, ok bool) {
	past = worth(steps, past)
	if len(past) == 0 {
		return Left{}, false
	}
	f := &forecast{steps: map[string]Step{}, phases: map[string][]string{}, run: spans(run), usual: usual(past), now: now,
		ends: map[string]time.Duration{}, done: map[string]time.Duration{}}
	for _, s := range steps {
		f.steps[s.ID] = s
		if !s.Aside {
			f.phases[s.Phase] = append(f.phases[s.Phase], s.ID)
		}
	}
	left.Runs = len(past)
	var last time.Duration // of the finally steps
	for _, s := range steps {
		if s.Aside {
			continue
		}
		if s.Last {
			last = max(last, f.end(s.ID))
		} else {
			left.Time = max(left.Time, f.end(s.ID))
		}
		if _, known := f.usual[s.ID]; !known && !f.run[s.ID].over {
			left.Never = append(left.Never, s.ID)
		}
	}
	left.Time += last // they begin once all others have ended
	return left, true
}

// worth gives the runs that count.
func worth(steps []Step, past []*event.State) []*event.State {
	wanted := make(map[string]bool, len(steps))
	for _, s := range steps {
		wanted[s.ID] = true
	}
	var same, changed []*event.State
	for _, s := range past {
		went, changes := false, false
		for _, st := range s.Steps {
			status := st.Status()
			went = went || wanted[st.ID] && (status == event.OK || status == event.Changed)
			changes = changes || status == event.Changed
		}
		switch {
		case went && changes:
			changed = append(changed, s)
		case went:
			same = append(same, s)
		}
	}
	if len(changed) > 0 {
		return changed
	}
	return same
}

// span is how long a step took, from its first instance's start to the end of its
// last one.
type span struct {
	began, ended time.Time
	over         bool // all of it has ended
	well         bool // and none of it failed or was kept from running
}

func spans(s *event.State) map[string]span {
	all := map[string]span{}
	for _, st := range s.Steps {
		var p span
		for _, i := range st.Instances {
			if i.Start != nil && (p.began.IsZero() || i.Started.Before(p.began)) {
				p.began = i.Started
			}
			if i.Ended.After(p.ended) {
				p.ended = i.Ended
			}
		}
		status := st.Status()
		p.over = status != ""
		p.well = status == event.OK || status == event.Changed || status == event.Skipped
		all[st.ID] = p
	}
	return all
}

// usual is the median of how long each step took where it went well. One that was
// skipped took no time, which counts where no run began it: in the others it was
// left out by --only.
func usual(past []*event.State) map[string]time.Duration {
	medians := map[string]time.Duration{}
	took := map[string][]time.Duration{}
	for _, s := range past {
		for id, p := range spans(s) {
			switch {
			case !p.well:
			case p.began.IsZero():
				medians[id] = 0
			default:
				took[id] = append(took[id], p.ended.Sub(p.began))
			}
		}
	}
	for id, all := range took {
		slices.Sort(all)
		n := len(all)
		medians[id] = (all[(n-1)/2] + all[n/2]) / 2
	}
	return medians
}

type forecast struct {
	steps  map[string]Step
	phases map[string][]string // ids of their steps
	run    map[string]span
	usual  map[string]time.Duration
	now    time.Time
	ends   map[string]time.Duration // of steps
	done   map[string]time.Duration // of phases
}

// end says in how long a step will have ended.
func (f *forecast) end(id string) time.Duration {
	if d, known := f.ends[id]; known {
		return d
	}
	f.ends[id] = 0 // a cycle, which the loader refuses, would end here
	s, known := f.steps[id]
	p := f.run[id]
	switch {
	case !known || p.over:
	case !p.began.IsZero():
		f.ends[id] = max(0, f.usual[id]-f.now.Sub(p.began))
	default:
		f.ends[id] = f.begins(s) + f.usual[id]
	}
	return f.ends[id]
}

// begins says in how long what a step waits for will have ended. A finally step
// is reckoned from the end of all others: it waits for its like alone.
func (f *forecast) begins(s Step) time.Duration {
	var begins time.Duration
	for _, from := range s.After {
		if f.steps[from].Last == s.Last {
			begins = max(begins, f.end(from))
		}
	}
	for _, phase := range s.Phases {
		if !s.Last {
			begins = max(begins, f.phase(phase))
		}
	}
	return begins
}

// phase says in how long the last step of a phase will have ended.
func (f *forecast) phase(name string) time.Duration {
	if d, known := f.done[name]; known {
		return d
	}
	var end time.Duration
	for _, id := range f.phases[name] {
		end = max(end, f.end(id))
	}
	f.done[name] = end
	return end
}
