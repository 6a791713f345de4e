package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/pipeline/source"
)

// Selection names the steps that take part in a run, by their ids and phases; Only
// also single instances of a forEach, as host.worker0 or host[worker0].
// From and Until cut the list of steps as the plan shows it, Only picks from it.
// The zero Selection is all of them; finally and onFailure steps always take part.
type Selection struct {
	Only, From, Until []string
	// Recall gives what an earlier run left of a step that is left out and whose
	// outputs are read; nil where nothing is recalled.
	Recall func(step string) (Recalled, bool)
	// RecallInstances gives it of each instance of a step that just some instances of
	// take part; nil where nothing is recalled.
	RecallInstances func(step string) []RecalledInstance
}

// SelectionError is a selection that cannot be run.
type SelectionError struct{ Message, Hint string }

// Error is the message, with what to type.
func (e *SelectionError) Error() string {
	if e.Hint == "" {
		return e.Message
	}
	return e.Message + "\n  " + e.Hint
}

// ExitCode is the class of wrong usage.
func (e *SelectionError) ExitCode() int { return 2 }

// Select leaves out of plan and run what a selection does not name. It refuses
// names that are none, and a step whose outputs would be read and are left out.
// A name that is both is the phase's.
func (p *Pipeline[E]) Select(s Selection) error {
	left := make(map[string]string, len(p.Steps))
	for _, cut := range []struct {
		flag  string
		names []string
		keeps func(n, first, last int) bool
	}{
		{"--from", s.From, func(n, first, _ int) bool { return n >= first }},
		{"--until", s.Until, func(n, _, last int) bool { return n <= last }},
	} {
		for _, name := range cut.names {
			id, key := instanceOf(name)
			first, last, err := p.find(cut.flag, id)
			if err != nil {
				return err
			}
			if key != "" {
				return &SelectionError{fmt.Sprintf("%s names %q: it takes a step or a phase, not one of its instances", cut.flag, name), cut.flag + " " + id}
			}
			p.leave(left, cut.flag+" "+name, func(n int) bool { return cut.keeps(n, first, last) })
		}
	}
	if len(s.Only) > 0 {
		picked, err := p.pick(s.Only)
		if err != nil {
			return err
		}
		p.leave(left, "--only "+strings.Join(s.Only, ","), func(n int) bool { return picked[n] })
	}
	if err := p.unread(left, s); err != nil {
		return err
	}
	for _, d := range p.Steps {
		d.LeftOut = left[d.ID]
	}
	return nil
}

// pick gives the steps that --only names. One that is named whole has all of its
// instances, whichever of them are named beside it.
func (p *Pipeline[E]) pick(names []string) (map[int]bool, error) {
	picked, whole := map[int]bool{}, map[int]bool{}
	for _, name := range names {
		id, key := instanceOf(name)
		first, last, err := p.find("--only", id)
		if key != "" && err == nil {
			first, err = p.pickKey(id, key, name)
			last = first
		}
		if err != nil {
			return nil, err
		}
		for n := first; n <= last; n++ {
			picked[n] = true
			whole[n] = whole[n] || key == ""
		}
	}
	for n := range whole {
		if whole[n] {
			p.Steps[n].OnlyKeys = nil
		}
	}
	return picked, nil
}

// instanceOf takes the name of an instance apart: host.worker0, host[worker0].
func instanceOf(name string) (id, key string) {
	if id, key, found := strings.Cut(name, "["); found {
		return id, strings.TrimSuffix(key, "]")
	}
	id, key, _ = strings.Cut(name, ".")
	return id, key
}

// pickKey lets just this instance of a step take part, beside those that were picked
// before, and gives the step.
func (p *Pipeline[E]) pickKey(id, key, name string) (int, error) {
	n := slices.IndexFunc(p.Steps, func(d *Declared[E]) bool { return d.ID == id })
	if n < 0 {
		return 0, &SelectionError{fmt.Sprintf("--only names %q: %s is a phase, and just a step has instances", name, id), p.repeatedIn(id, key)}
	}
	d := p.Steps[n]
	if d.ForEach == nil {
		return 0, &SelectionError{fmt.Sprintf("--only names %q: %s is not repeated", name, d.ID), "--only " + d.ID}
	}
	var keys []string
	for _, i := range d.Instances {
		keys = append(keys, i.Key)
	}
	if d.Instances != nil && !slices.Contains(keys, key) {
		return 0, &SelectionError{fmt.Sprintf("--only names %q: %s has no instance %q", name, d.ID, key), source.DidYouMean(key, keys)}
	}
	d.OnlyKeys = append(d.OnlyKeys, key)
	return n, nil
}

// repeatedIn is what to type for one instance of each repeated step of a phase.
func (p *Pipeline[E]) repeatedIn(phase, key string) string {
	var names []string
	for _, d := range p.Steps {
		if d.Phase == phase && d.ForEach != nil {
			names = append(names, d.ID+"."+key)
		}
	}
	if len(names) == 0 {
		return "--only " + phase
	}
	return "--only " + strings.Join(names, ",")
}

func (p *Pipeline[E]) leave(left map[string]string, by string, keeps func(n int) bool) {
	for n, d := range p.Steps {
		if d.Stage == InPhase && !keeps(n) && left[d.ID] == "" {
			left[d.ID] = event.LeftOutBy + by
		}
	}
}

// find gives the first and last step that a name stands for.
func (p *Pipeline[E]) find(flag, name string) (first, last int, err error) {
	first = -1
	for n, d := range p.Steps {
		if d.Phase == name {
			if first < 0 {
				first = n
			}
			last = n
		}
	}
	if first >= 0 {
		return first, last, nil
	}
	names := slices.Clone(p.Phases)
	for n, d := range p.Steps {
		if d.ID == name {
			return n, n, nil
		}
		names = append(names, d.ID)
	}
	return 0, 0, &SelectionError{fmt.Sprintf("%s names %q: there is no such step or phase", flag, name), source.DidYouMean(name, names)}
}

// unread refuses a selection with a step that reads outputs which nobody gives,
// nor has given in an earlier run.
// A step that is certainly skipped gives and reads none.
func (p *Pipeline[E]) unread(left map[string]string, s Selection) error {
	l, skipped := p.planner(), map[string]bool{}
	for _, s := range l.all().Steps {
		was, seen := skipped[s.ID]
		skipped[s.ID] = s.Verdict == WillSkip && s.Reason != leftOutByOnly && (was || !seen)
	}
	for _, d := range p.Steps {
		if left[d.ID] != "" || d.Stage != InPhase || skipped[d.ID] {
			continue
		}
		for _, e := range d.Edges {
			if e.Read == nil || skipped[e.From] {
				continue
			}
			if err := l.byID[e.From].readBy(d.ID, *e.Read, left[e.From], s); err != nil {
				return err
			}
		}
	}
	return nil
}
