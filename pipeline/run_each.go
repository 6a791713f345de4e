package pipeline

import (
	"slices"
	"strings"

	"github.com/labrun/labrun/pipeline/event"
)

// expand makes an instance of each item of a forEach.
func (s *scheduler[E]) expand(n int, d *Declared[E]) {
	insts, err := s.instances(d)
	if err != nil {
		s.tellStarted(d, "", event.Start{})
		s.tell(d, "", event.Result{Status: event.Failed, Report: tellError(err)})
		s.finish(n, event.Failed)
		return
	}
	if len(insts) == 0 {
		s.leaveOut(n, event.Skipped, "forEach has nothing to repeat over: "+strings.TrimSpace(d.ForEach.Text)+" is empty")
		return
	}
	s.tellPlanned(d, insts)
	picked := s.pick(d, insts)
	if len(picked) == 0 {
		s.leaveOut(n, event.Skipped, leftOutByOnly+": it has no instance "+strings.Join(d.OnlyKeys, ", "))
		s.values.keep(d.ID, true, event.Skipped, nil, insts)
		return
	}
	s.nodes[n].insts, s.nodes[n].left = insts, len(picked)
	for _, i := range picked {
		s.nodes[n].held = append(s.nodes[n].held, task{node: n, inst: i})
	}
	now := len(picked)
	if d.Limit > 0 {
		now = min(now, d.Limit)
	}
	s.ready = append(s.ready, s.nodes[n].held[:now]...)
	s.nodes[n].held = s.nodes[n].held[now:]
}

// tellPlanned tells all instances of a step, before the end of any: who waits for
// the step knows by them when it has ended.
func (s *scheduler[E]) tellPlanned(d *Declared[E], insts []*inst) {
	for _, i := range insts {
		plan := &event.Plan{Decision: "later"}
		if !d.picks(i.Key) {
			plan = &event.Plan{Decision: "skip", Reason: leftOutByOnly}
		}
		_ = s.emit(event.Event{Type: event.StepPlanned, Step: d.ID, Key: i.Key, Plan: plan})
	}
}

// leftOutByOnly is why an instance does not run that a selection does not name.
const leftOutByOnly = event.LeftOutBy + "--only"

// picks says whether a selection leaves an instance in.
func (d *Declared[E]) picks(key string) bool {
	return d.OnlyKeys == nil || slices.Contains(d.OnlyKeys, key)
}

// pick gives the instances that a selection names; the others are told, and have the
// outputs of earlier runs.
func (s *scheduler[E]) pick(d *Declared[E], insts []*inst) []*inst {
	var picked []*inst
	left := d.unpicked()
	for _, i := range insts {
		if d.picks(i.Key) {
			picked = append(picked, i)
			continue
		}
		s.tell(d, i.Key, event.Result{Status: event.Skipped, Reason: leftOutByOnly})
		i.outputs = left[i.Key]
	}
	return picked
}
