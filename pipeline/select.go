package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"github.com/labrun/labrun/pipeline/source"
)

// Selection names the steps that take part in a run, by their ids and phases.
// From and Until cut the list of steps as the plan shows it, Only picks from it.
// The zero Selection is all of them; finally and onFailure steps always take part.
type Selection struct {
	Only, From, Until []string
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
			first, last, err := p.find(cut.flag, name)
			if err != nil {
				return err
			}
			p.leave(left, cut.flag+" "+name, func(n int) bool { return cut.keeps(n, first, last) })
		}
	}
	if len(s.Only) > 0 {
		picked := map[int]bool{}
		for _, name := range s.Only {
			first, last, err := p.find("--only", name)
			if err != nil {
				return err
			}
			for n := first; n <= last; n++ {
				picked[n] = true
			}
		}
		p.leave(left, "--only "+strings.Join(s.Only, ","), func(n int) bool { return picked[n] })
	}
	if err := p.unread(left); err != nil {
		return err
	}
	for _, d := range p.Steps {
		d.LeftOut = left[d.ID]
	}
	return nil
}

func (p *Pipeline[E]) leave(left map[string]string, by string, keeps func(n int) bool) {
	for n, d := range p.Steps {
		if d.Stage == InPhase && !keeps(n) && left[d.ID] == "" {
			left[d.ID] = "left out by " + by
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

// unread refuses a selection with a step that reads outputs which nobody gives.
// A step that is certainly skipped gives and reads none.
func (p *Pipeline[E]) unread(left map[string]string) error {
	skipped := map[string]bool{}
	for _, s := range p.Plan().Steps {
		was, seen := skipped[s.ID]
		skipped[s.ID] = s.Verdict == WillSkip && (was || !seen)
	}
	for _, d := range p.Steps {
		if left[d.ID] != "" || d.Stage != InPhase || skipped[d.ID] {
			continue
		}
		for _, e := range d.Edges {
			if e.Reason == ByOutputs && left[e.From] != "" && !skipped[e.From] {
				return &SelectionError{fmt.Sprintf("%s reads outputs of %s (%s), which is %s", d.ID, e.From, e.Pos, left[e.From]),
					"let " + e.From + " take part: a step that is done already changes nothing"}
			}
		}
	}
	return nil
}
