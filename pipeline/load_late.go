package pipeline

import (
	"fmt"
	"time"

	"github.com/labrun/labrun/pipeline/gate"
	"github.com/labrun/labrun/pipeline/source"
)

// lateTimeout bounds a finally step that names no timeout, and an onFailure step
// whose kind has none either: an interrupted run waits for them.
const lateTimeout = 5 * time.Minute

// stage reads finally and onFailure.
func (l *loader[E]) stage(s *step[E]) {
	if l.isTrue("finally", s.doc.Finally) {
		s.Stage = Finally
	}
	n := s.doc.OnFailure
	if n == nil || n.Kind == source.Scalar && !l.isTrue("onFailure", n) {
		return
	}
	if s.Stage == Finally {
		l.fail(n.Find(s.ID+" is a finally step already: that runs always, also where a step failed", "leave one of them out"))
		return
	}
	s.Stage = OnFailure
}

// isTrue reads a key that is true or false. Of onFailure, a list is read
// elsewhere.
func (l *loader[E]) isTrue(key string, n *source.Node) bool {
	if n == nil {
		return false
	}
	if n.Kind == source.Scalar && n.Style == source.Plain && (n.Text == "true" || n.Text == "false") {
		return n.Text == "true"
	}
	what := " must be true or false, found "
	if key == "onFailure" {
		what = " must be true, or a list of ids, found "
	}
	l.fail(n.Find(key+what+n.Describe(), ""))
	return true // what was meant; a missing phase would be a second finding
}

// phaseName is the name of a phase of the file, or of a later stage.
func (l *loader[E]) phaseName(phase int) string {
	switch {
	case phase == l.declared:
		return onFailurePhase
	case phase > l.declared:
		return finallyPhase
	case phase < len(l.p.Phases):
		return l.p.Phases[phase]
	}
	return ""
}

// addLatePhases tells the stages after the phases like phases, where they have
// steps: progress, plan and graph show them so.
func (l *loader[E]) addLatePhases() {
	told := map[Stage]bool{}
	for _, s := range l.order {
		if s.Stage != InPhase && !told[s.Stage] {
			told[s.Stage] = true
			l.p.Phases = append(l.p.Phases[:len(l.p.Phases):len(l.p.Phases)], s.Phase)
		}
	}
}

// watches reads the ids of an onFailure list.
func (l *loader[E]) watches(s *step[E]) {
	n := s.doc.OnFailure
	if s.Stage != OnFailure || n == nil || n.Kind == source.Scalar {
		return
	}
	if n.Kind != source.Sequence || len(n.Items) == 0 {
		l.fail(n.Find("onFailure must be true, or a list of ids, found "+n.Describe(), ""))
		return
	}
	for _, item := range n.Items {
		from := l.steps[item.Text]
		switch {
		case item.Kind != source.Scalar:
			l.fail(item.Find("onFailure must be true, or a list of ids, found "+item.Describe(), ""))
		case from == nil:
			l.fail(item.Find(fmt.Sprintf("no step has the id %q", item.Text), source.DidYouMean(item.Text, l.ids)))
		case from.Stage != InPhase:
			l.fail(item.Find(runsLater(from.Declared, "all phases")+", and nothing waits for its failure", ""))
		default:
			s.Watches = append(s.Watches, item.Text)
		}
	}
}

// mayHaveFailed refuses a read of outputs by a step that runs also where the
// step that gives them failed.
func (l *loader[E]) mayHaveFailed(s, from *step[E], r stepRead) {
	d := r.from.Diagnose(&gate.Error{From: r.From, Width: r.Width,
		Message: "the outputs of " + from.ID + " may be absent: " + s.ID + " runs also where " + from.ID + " failed"})
	d.Hint = fmt.Sprintf("say what then: %s ?? …, or read steps.%s.status first", readText(r), from.ID)
	d.Related = []source.Related{{Pos: from.Pos, Message: "the step " + from.ID}}
	l.fail(d)
}

// limit reads how many instances run side by side.
func (l *loader[E]) limit(s *step[E]) int {
	n := s.doc.Limit
	if n == nil {
		return 0
	}
	if s.doc.ForEach == nil {
		l.fail(n.Find("limit bounds the repetitions of a forEach, and "+s.ID+" has none", ""))
		return 0
	}
	return l.count("limit", n)
}
