package pipeline

import (
	"context"
	"errors"
	"reflect"
	"strings"

	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/pipeline/gate"
)

// PlanOptions say what a plan asks beside the file.
type PlanOptions[E any] struct {
	// Env makes the environment of one instance; nil: nothing is asked.
	Env func(*Scope) E
	// Server says that the management cluster answers: every kind that can say what
	// it would change is asked. Otherwise it is just those that remember.
	Server bool
	// Memory and Salt are those of a run.
	Memory Memory
	Salt   []byte
}

// Outlook is what a step was found to be about to do.
type Outlook string

// The outlooks.
const (
	OutlookDone    Outlook = "done"    // nothing to change, nothing to wait for
	OutlookChange  Outlook = "change"  // it would change something
	OutlookWait    Outlook = "wait"    // all is as it should be, and not finished
	OutlookUnknown Outlook = "unknown" // known during the run
	OutlookRefused Outlook = "refused" // it would fail at once
)

// Orphan is an instance that the lab has and the file has no more.
type Orphan struct {
	Step    string   `json:"step"`
	Key     string   `json:"key,omitempty"`
	Objects []string `json:"objects"`
}

// PlanNow is Plan, and asks what each step would change. Steps are asked one after
// the other; what a step finds out decides the gates of those behind it.
func (p *Pipeline[E]) PlanNow(ctx context.Context, o PlanOptions[E]) *Plan {
	l := p.planner()
	if o.Env != nil {
		l.ask = func(d *Declared[E], planned []PlannedStep) { l.askStep(ctx, o, d, planned) }
	}
	return l.all()
}

// askStep asks each instance of a step. Where what all of them find out is known,
// expressions see it.
func (l *planner[E]) askStep(ctx context.Context, o PlanOptions[E], d *Declared[E], planned []PlannedStep) {
	for _, e := range d.Edges { // what comes before is asked before
		if from, ok := l.byID[e.From]; ok {
			l.plan(from)
		}
	}
	items, by, known := make([]any, len(planned)), map[string]any{}, d.Stage == InPhase
	left := d.unpicked()
	for n := range planned {
		s := &planned[n]
		outputs := left[s.Key]
		switch s.Verdict {
		case WillRun:
			outputs = l.askInstance(ctx, o, d, s)
			known = known && s.Outlook == OutlookDone && outputs != nil
		case Later:
			known = false
		}
		items[n] = readable(outputs)
		by[s.Key] = items[n]
	}
	switch {
	case !known || len(planned) == 0:
	case d.ForEach == nil:
		l.known[d.ID] = map[string]any{"status": "ok", "outputs": items[0]}
	default:
		l.known[d.ID] = map[string]any{"status": "ok", "items": items, "by": by}
	}
}

// askInstance asks one instance, and gives its outputs where they are known.
func (l *planner[E]) askInstance(ctx context.Context, o PlanOptions[E], d *Declared[E], s *PlannedStep) any {
	if !o.Server && d.Kind.Remember == nil {
		return nil
	}
	for _, e := range d.Edges {
		if _, ok := l.known[e.From]; !ok && e.Reason == ByOutputs {
			s.look(OutlookUnknown, "depends on what "+e.From+" finds out")
			return nil
		}
	}
	options, err := d.Options(l.values(l.instanceOf(d, s.Key)))
	if err != nil {
		s.look(OutlookUnknown, "its options are known during the run")
		return nil
	}
	scope := NewScope(l.pipeline.Name, d.Phase, d.ID, s.Key, func(event.Event) error { return nil })
	env := o.Env(scope)
	var before Remembered
	if o.Memory != nil {
		before = o.Memory(d.ID, s.Key)
	}
	if before.Lone != nil {
		s.addReason(OutcomeUnknown(*before.Lone, before.LoneRun).Title)
	}
	start, same, err := remember(ctx, d, env, options, o.Salt, before)
	switch {
	case err != nil:
		s.look(OutlookRefused, tellError(err).Title)
		return nil
	case same:
		s.look(OutlookDone, asBefore(d, attempt{}, before).result.Summary)
		return restore(before.Outputs, d.Kind.Outputs)
	case d.Kind.Plan == nil:
		s.look(OutlookUnknown, "what it would change cannot be asked")
		return nil
	}
	change, err := d.Kind.Plan(ctx, env, options)
	s.weigh(change, err, start.Because)
	if s.Outlook == OutlookDone && change.Outputs == nil && before.Run > 0 && before.Digest == start.Digest && !holdsMask(before.Outputs) {
		return restore(before.Outputs, d.Kind.Outputs)
	}
	if s.Outlook == OutlookDone && change.Outputs != nil {
		return gate.ValueOf(reflect.ValueOf(change.Outputs))
	}
	return nil
}

// weigh takes what a step said that it would change.
func (s *PlannedStep) weigh(change Change, err error, because []string) {
	s.Changes = nil
	for _, c := range change.Objects {
		if c.Verb != "none" {
			s.Changes = append(s.Changes, c)
		}
	}
	switch {
	case errors.Is(err, ErrLater):
		s.look(OutlookUnknown, strings.ReplaceAll(err.Error(), "\n", " "))
	case err != nil:
		told := tellError(err)
		s.look(OutlookRefused, told.Title)
		if told.Next != "" {
			s.addReason(told.Next)
		}
	case len(s.Changes) > 0:
		s.look(OutlookChange, strings.Join(because, ", "))
	case change.Waits != "":
		s.look(OutlookWait, change.Waits)
	default:
		s.look(OutlookDone, change.Note)
	}
}

func (s *PlannedStep) look(outlook Outlook, note string) {
	s.Outlook = outlook
	if note != "" {
		s.addReason(note)
	}
}

// instanceOf is the instance of a key, nil for a step that has no forEach.
func (l *planner[E]) instanceOf(d *Declared[E], key string) *Instance {
	if d.ForEach == nil {
		return nil
	}
	for n := range l.expanded[d.ID] {
		if l.expanded[d.ID][n].Key == key {
			return &l.expanded[d.ID][n]
		}
	}
	return nil
}

// FindOrphans notes what the lab has and its file has no more: instances of steps
// that the file lacks, or whose forEach has no such key any more.
func (p *Plan) FindOrphans(made []Orphan) {
	steps, keys, open := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, s := range p.Steps {
		steps[s.ID] = true
		keys[s.ID+"["+s.Key+"]"] = true
		unlisted := s.Verdict == Later || strings.HasPrefix(s.Reason, event.LeftOutBy)
		open[s.ID] = open[s.ID] || s.Repeated && s.Key == "" && unlisted
	}
	for _, m := range made {
		if !steps[m.Step] || m.Key != "" && !keys[m.Step+"["+m.Key+"]"] && !open[m.Step] {
			p.Orphans = append(p.Orphans, m)
		}
	}
}

// Pending says how many steps and instances a run would do something in, or may.
func (p *Plan) Pending() int {
	n := 0
	for _, s := range p.Steps {
		switch {
		case s.Verdict == WillSkip, s.Outlook == OutlookDone:
		case p.Server != "" && s.onFailureOnly:
		default:
			n++
		}
	}
	return n
}
