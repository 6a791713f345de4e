package pipeline

import (
	"fmt"
	"strings"
)

// Plan says what a run would do with each step, as far as the file tells.
type Plan struct {
	Lab    string        `json:"lab"`
	File   string        `json:"file"`
	Phases []string      `json:"phases"`
	Steps  []PlannedStep `json:"steps"` // in the order of the phases, then the file's
	// Server is the management cluster that was asked what would change, "" for none;
	// Unasked says why it was not.
	Server  string `json:"server,omitempty"`
	Unasked string `json:"unasked,omitempty"`
	// Orphans are instances that the lab has and the file has no more.
	Orphans []Orphan `json:"orphans,omitempty"`
}

// Verdict is what becomes of a step.
type Verdict string

// The verdicts.
const (
	WillRun  Verdict = "run"
	WillSkip Verdict = "skip"
	Later    Verdict = "later" // depends on what other steps find out
)

// PlannedStep is one step, or one instance of it, in a plan.
type PlannedStep struct {
	ID       string        `json:"id"`
	Key      string        `json:"key,omitempty"` // of an instance
	Repeated bool          `json:"repeated,omitempty"`
	Phase    string        `json:"phase"`
	Uses     string        `json:"uses"`
	Verdict  Verdict       `json:"verdict"`
	Reason   string        `json:"reason,omitempty"`   // one line; empty where nothing is to be said
	When     string        `json:"when,omitempty"`     // the gate
	Because  []Known       `json:"because,omitempty"`  // the values that the verdict rests on
	Awaits   []string      `json:"awaits,omitempty"`   // what a later one depends on: steps.a.outputs.x
	Position string        `json:"position,omitempty"` // of the step
	After    []PlannedEdge `json:"after,omitempty"`
	// Outlook is what was found when the step was asked; "" where it was not. Changes
	// are those that it would make.
	Outlook Outlook        `json:"outlook,omitempty"`
	Changes []ObjectChange `json:"changes,omitempty"`

	onFailureOnly bool
}

// Known is a value that a gate reads, and where it was set.
type Known struct {
	Name  string `json:"name"` // lab.disconnected
	Value any    `json:"value"`
	Place string `json:"place,omitempty"` // path:line:column, or "default"
}

// PlannedEdge says what a step comes after: a step, or all of a phase's.
type PlannedEdge struct {
	Step   string `json:"step,omitempty"`
	Phase  string `json:"phase,omitempty"`
	Reason Reason `json:"reason"`
}

// Name is the step as people read it, host[worker0]; host[…] where its instances
// are known during the run.
func (s PlannedStep) Name() string {
	switch {
	case s.Key != "":
		return s.ID + "[" + s.Key + "]"
	case s.Repeated && s.Verdict == Later:
		return s.ID + "[…]"
	}
	return s.ID
}

// Plan decides every gate as far as the facts do, and says why. It touches
// nothing.
func (p *Pipeline[E]) Plan() *Plan {
	return p.planner().all()
}

func (p *Pipeline[E]) planner() *planner[E] {
	l := &planner[E]{pipeline: p, byID: map[string]*Declared[E]{}, done: map[string][]PlannedStep{},
		known: map[string]any{}, expanded: map[string][]Instance{}}
	for _, d := range p.Steps {
		l.byID[d.ID] = d
	}
	return l
}

func (l *planner[E]) all() *Plan {
	plan := &Plan{Lab: l.pipeline.Name, File: l.pipeline.File, Phases: l.pipeline.Phases}
	for _, d := range l.pipeline.Steps {
		plan.Steps = append(plan.Steps, l.plan(d)...)
	}
	return plan
}

// planner decides each step once; a gate that reads a step which is certainly
// skipped is decided by that.
type planner[E any] struct {
	pipeline *Pipeline[E]
	byID     map[string]*Declared[E]
	done     map[string][]PlannedStep
	known    map[string]any // what expressions see of the steps that are skipped, or were asked
	expanded map[string][]Instance
	ask      func(d *Declared[E], planned []PlannedStep) // nil: nobody is asked
}

func (l *planner[E]) plan(d *Declared[E]) []PlannedStep {
	if planned, ok := l.done[d.ID]; ok {
		return planned
	}
	l.done[d.ID] = nil // a cycle, which no loaded file has, would end here
	planned := l.decide(d)
	if why := d.always(); why != "" {
		for i := range planned {
			planned[i].addReason(why)
		}
	}
	if d.Stage == OnFailure {
		for i := range planned {
			planned[i].onFailure(d.Watches)
		}
	}
	if l.ask != nil {
		l.ask(d, planned)
	}
	l.done[d.ID] = planned
	all := true
	for _, s := range planned {
		all = all && s.Verdict == WillSkip
	}
	if all {
		l.known[d.ID] = d.notRun(planned)
	}
	return planned
}

// always says why a step has its effect in every run, "" where it has not.
func (d *Declared[E]) always() string {
	for _, option := range d.Kind.Needless {
		if d.With == nil {
			break
		}
		if given := d.With.Get(option); given != nil && given.Text != "false" {
			return ""
		}
	}
	if len(d.Kind.Needless) == 0 {
		return ""
	}
	return "always runs: it has no " + alternatives(d.Kind.Needless)
}

// alternatives are words as a sentence lists them: a, b or c.
func alternatives(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// onFailure says that a step runs only where another one failed.
func (s *PlannedStep) onFailure(ids []string) {
	if s.Verdict == WillRun {
		s.Verdict = Later
	}
	s.onFailureOnly = true
	which := "a step"
	if len(ids) > 0 {
		which = strings.Join(ids, " or ")
	}
	s.addReason("only where " + which + " failed")
}

// addReason tells a further reason of a step that is not certainly skipped.
func (s *PlannedStep) addReason(why string) {
	switch {
	case s.Verdict == WillSkip:
	case s.Reason == "":
		s.Reason = why
	default:
		s.Reason += "; " + why
	}
}

// Count says how many steps and instances have a verdict.
func (p *Plan) Count(v Verdict) int {
	n := 0
	for _, s := range p.Steps {
		if s.Verdict == v {
			n++
		}
	}
	return n
}

// String is the plan in one line.
func (p *Plan) String() string {
	if p.Server != "" {
		return p.asked()
	}
	text := fmt.Sprintf("%d run · %d skipped", p.Count(WillRun), p.Count(WillSkip))
	if n := p.Count(Later); n > 0 {
		text += fmt.Sprintf(" · %d decided during the run", n)
	}
	return text
}

// asked counts what was found where the server was asked.
func (p *Plan) asked() string {
	count := map[string]int{}
	for _, s := range p.Steps {
		word := s.word()
		if s.Outlook == OutlookChange {
			word = "change"
		}
		count[word]++
	}
	var parts []string
	for _, w := range [][2]string{{"ok", "ok"}, {"change", "would change something"}, {"wait", "would wait"}, {"fails", "would fail"},
		{"run", "run"}, {"later", "decided during the run"}, {"skip", "skipped"}} {
		if n := count[w[0]]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, w[1]))
		}
	}
	return strings.Join(parts, " · ")
}
