package pipeline

import (
	"fmt"
	"time"

	"github.com/labrun/labrun/pipeline/decode"
	"github.com/labrun/labrun/pipeline/gate"
	"github.com/labrun/labrun/pipeline/source"
)

// step is a step while it is loaded.
type step[E any] struct {
	*Declared[E]
	doc   stepDocument
	types *kindTypes[E] // nil where uses names none
	scope gate.Scope    // what its expressions may name
	reads []stepRead
	index int // in the order
	phase int
}

// stepRead is a read of another step by one of a step's expressions.
type stepRead struct {
	gate.Read
	from *Expression
}

// declare reads the steps' keys.
func (l *loader[E]) declare() {
	overrides := l.overrides()
	for _, n := range l.stepNodes {
		if n.Kind != source.Mapping {
			l.fail(n.Find("a step must be a mapping with id, phase and uses, found "+n.Describe(), ""))
			continue
		}
		name, prefix := "a step", ""
		if id := n.Get("id"); id != nil {
			name, prefix = id.Text, id.Text+": "
			if o := overrides[id.Text]; o != nil {
				delete(overrides, id.Text)
				merged, found := source.Merge(n, o)
				l.fail(found...)
				n = merged
			}
		}
		l.step(n, decode.Target{Name: name, Prefix: prefix, Noun: "key"})
	}
	for _, e := range overridesLeft(l.main.Override, overrides) {
		l.fail(e.Key.Find(fmt.Sprintf("no step has the id %q", e.Key.Text), source.DidYouMean(e.Key.Text, l.ids)))
	}
}

func (l *loader[E]) overrides() map[string]*source.Node {
	found := map[string]*source.Node{}
	n := l.main.Override
	if n == nil {
		return found
	}
	if n.Kind != source.Mapping {
		l.fail(n.Find("override must be a mapping of ids, found "+n.Describe(), ""))
		return found
	}
	for _, e := range n.Entries {
		if e.Value.Kind != source.Mapping {
			l.fail(e.Value.Find("an override must be a mapping of a step's keys, found "+e.Value.Describe(), ""))
			found[e.Key.Text] = &source.Node{Kind: source.Mapping}
			continue
		}
		free := *e.Value
		free.Entries = nil
		for _, inner := range e.Value.Entries {
			switch inner.Key.Text {
			case "id", "uses", "after":
				l.fail(inner.Key.Find(inner.Key.Text+" cannot be overridden", "disable the step, and add another one after it"))
			default:
				free.Entries = append(free.Entries, inner)
			}
		}
		found[e.Key.Text] = &free
	}
	return found
}

func overridesLeft(n *source.Node, left map[string]*source.Node) []source.Entry {
	var entries []source.Entry
	if n != nil {
		for _, e := range n.Entries {
			if left[e.Key.Text] != nil {
				entries = append(entries, e)
			}
		}
	}
	return entries
}

// step reads one step's keys.
func (l *loader[E]) step(n *source.Node, what decode.Target) {
	before := len(l.found)
	s := &step[E]{Declared: &Declared[E]{Pos: n.Pos}}
	s.doc.node = n
	l.fail(l.decoder.Into(n, &s.doc, what, nil)...)
	if s.doc.ID == nil {
		return
	}
	s.ID, s.Pos = s.doc.ID.Text, s.doc.ID.Pos
	if s.doc.ID.Kind != source.Scalar || !isName(idPattern, s.ID) {
		l.fail(s.doc.ID.Find("an id is made of small letters, digits and _, begins with a letter and ends with no _; found "+s.doc.ID.Describe(), idHint(s.ID)))
		return
	}
	if first := l.steps[s.ID]; first != nil {
		d := s.doc.ID.Find(fmt.Sprintf("two steps have the id %q", s.ID), "")
		d.Related = []source.Related{{Pos: first.Pos, Message: "first here"}}
		l.fail(d)
		return
	}
	l.steps[s.ID] = s
	l.ids = append(l.ids, s.ID)
	l.order = append(l.order, s)
	l.uses(s)
	s.With = s.doc.With
	l.stage(s)
	s.Timeout = l.duration("timeout", s.doc.Timeout)
	s.Limit = l.limit(s)
	s.Disabled = l.disabled(s.doc.Disabled)
	l.nameStep(s, before)
}

func (l *loader[E]) uses(s *step[E]) {
	n := s.doc.Uses
	if n == nil {
		return
	}
	if n.Kind != source.Scalar {
		l.fail(n.Find("uses must be the name of a step, found "+n.Describe(), ""))
		return
	}
	s.types = l.kinds[n.Text]
	if s.types == nil {
		l.fail(n.Find(fmt.Sprintf("no step is called %q", n.Text), source.DidYouMean(n.Text, l.kindNames)))
		return
	}
	s.Kind = *s.types.kind
}

// timeoutOf gives the time that a step may take which names none.
func (s *step[E]) timeoutOf() time.Duration {
	if s.Stage == Finally || s.Stage == OnFailure && s.Kind.Timeout == 0 {
		return lateTimeout
	}
	return s.Kind.Timeout
}

// duration gives the duration of a key; 0 where it is absent or wrong.
func (l *loader[E]) duration(key string, n *source.Node) time.Duration {
	if n == nil {
		return 0
	}
	span, err := time.ParseDuration(n.Text)
	if n.Kind != source.Scalar || err != nil || span <= 0 {
		l.fail(n.Find(key+" must be a duration, found "+n.Describe(), "a number with a unit: 90s, 10m or 1h30m"))
		return 0
	}
	return span
}

func (l *loader[E]) disabled(n *source.Node) string {
	if n == nil {
		return ""
	}
	if n.Kind != source.Scalar || n.Text == "" || n.Style == source.Plain && (n.Text == "true" || n.Text == "false") {
		l.fail(n.Find("disabled must be the reason, a text, found "+n.Describe(), `disabled: "our hub has them"`))
		return ""
	}
	return n.Text
}

// idHint mends the usual mistakes in an id.
func idHint(id string) string {
	mended := []byte(id)
	for i, c := range mended {
		switch {
		case c == '-' || c == '.' || c == ' ':
			mended[i] = '_'
		case c >= 'A' && c <= 'Z':
			mended[i] = c + 'a' - 'A'
		}
	}
	if string(mended) != id && isName(idPattern, string(mended)) {
		return fmt.Sprintf("did you mean %q?", mended)
	}
	return ""
}

// place puts the steps in the order of their phases, each behind the one that it
// names with after.
func (l *loader[E]) place() {
	behind := map[string][]*step[E]{}
	l.declared = max(1, len(l.p.Phases))
	lists := make([][]*step[E], l.declared+2) // and those of the later stages
	for _, s := range l.order {
		if s.doc.After == nil {
			s.phase = l.phaseOf(s)
			lists[s.phase] = append(lists[s.phase], s)
			continue
		}
		if n := s.doc.After; n.Kind != source.Scalar {
			l.fail(n.Find("after must be the id of one step, found "+n.Describe(), "needs takes a list"))
			lists[0] = append(lists[0], s)
			continue
		}
		if l.steps[s.doc.After.Text] == nil {
			l.fail(s.doc.After.Find(fmt.Sprintf("no step has the id %q", s.doc.After.Text), source.DidYouMean(s.doc.After.Text, l.ids)))
			lists[0] = append(lists[0], s)
			continue
		}
		behind[s.doc.After.Text] = append(behind[s.doc.After.Text], s)
	}
	total := len(l.order)
	all := l.order
	l.order = make([]*step[E], 0, total)
	var emit func(s *step[E], phase int)
	emit = func(s *step[E], phase int) {
		s.phase, s.index = phase, len(l.order)
		s.Phase = l.phaseName(phase)
		l.settle(s, max(InPhase, Stage(phase-l.declared+1)))
		l.order = append(l.order, s)
		for _, next := range behind[s.ID] {
			emit(next, phase)
		}
	}
	for phase, list := range lists {
		for _, s := range list {
			emit(s, phase)
		}
	}
	if len(l.order) < total {
		l.afterRing(all)
	}
	l.addLatePhases()
	for _, s := range l.order {
		if n := s.doc.Phase; s.doc.After != nil && n != nil && n.Text != s.Phase {
			l.fail(n.Find(fmt.Sprintf("%s stands after %s, in the phase %s", s.ID, s.doc.After.Text, s.Phase), "leave phase out"))
		}
	}
}

// settle gives a step the stage in which it stands, and the time that it has there.
func (l *loader[E]) settle(s *step[E], stage Stage) {
	if s.Stage != InPhase && s.Stage != stage {
		key, n := "finally", s.doc.Finally
		if s.Stage == OnFailure {
			key, n = "onFailure", s.doc.OnFailure
		}
		l.fail(n.Find(fmt.Sprintf("%s stands after %s, in the phase %s, and is no %s step there", s.ID, s.doc.After.Text, s.Phase, key), "leave after out, or "+key))
	}
	if s.Stage = stage; s.Timeout == 0 {
		s.Timeout = s.timeoutOf()
	}
}

func (l *loader[E]) afterRing(all []*step[E]) {
	placed := map[string]bool{}
	for _, s := range l.order {
		placed[s.ID] = true
	}
	for _, s := range all {
		if !placed[s.ID] {
			l.fail(s.doc.After.Find(s.ID+" stands after a step that stands after it", ""))
		}
	}
}

// phaseOf gives the index of a step's phase. A file without phases has one.
func (l *loader[E]) phaseOf(s *step[E]) int {
	n := s.doc.Phase
	switch {
	case s.Stage != InPhase && n != nil:
		l.fail(n.Find(s.ID+" runs after all phases, and belongs to none", "leave phase out"))
		return l.declared + int(s.Stage) - 1
	case s.Stage != InPhase:
		return l.declared + int(s.Stage) - 1
	case n == nil && len(l.p.Phases) > 0:
		l.fail(s.doc.ID.Find(s.ID+" has no phase", "one of "+join(l.p.Phases)))
	case n == nil:
	case n.Kind != source.Scalar:
		l.fail(n.Find("phase must be a name, found "+n.Describe(), ""))
	default:
		if i, ok := l.phases[n.Text]; ok {
			return i
		}
		hint := source.DidYouMean(n.Text, l.p.Phases)
		if hint == "" {
			hint = "one of " + join(l.p.Phases)
			if len(l.p.Phases) == 0 {
				hint = "the file declares no phases"
			}
		}
		l.fail(n.Find(fmt.Sprintf("there is no phase %q", n.Text), hint))
	}
	return 0
}

func join(names []string) string {
	text := ""
	for i, n := range names {
		if i > 0 {
			text += ", "
		}
		text += n
	}
	return text
}
