package pipeline

import (
	"cmp"
	"fmt"

	"github.com/labrun/labrun/pipeline/source"
)

// connect finds what each step waits for: what it needs, what it reads, the step
// before it where it has no needs of its own, and the phase before its own. An
// edge to a phase stands for all of its steps, and only on steps that wait for
// none of their own phase: the edges stay few however wide the phases are.
func (l *loader[E]) connect() {
	var before *step[E] // the step before, in the same phase
	last, current := -1, -1
	for _, s := range l.order {
		if s.phase != current {
			last, current, before = current, s.phase, nil
		}
		found := len(l.found)
		edges := l.needs(s)
		for _, r := range s.reads {
			edges = l.readEdge(s, r, edges)
		}
		if s.doc.Needs == nil && before != nil {
			edges = addEdge(edges, Edge{From: before.ID, Reason: ByOrder, Pos: s.Pos})
		}
		if last >= 0 && s.Stage == InPhase && !l.within(s, edges) {
			edges = append(edges, Edge{Phase: l.p.Phases[last], Reason: ByPhase, Pos: s.Pos})
		}
		s.Edges = edges
		before = s
		l.watches(s)
		l.nameStep(s, found)
	}
	l.rings()
}

// needs gives the edges that a step asks for.
func (l *loader[E]) needs(s *step[E]) []Edge {
	n := s.doc.Needs
	if n == nil {
		return nil
	}
	if n.Kind != source.Sequence {
		l.fail(n.Find("needs must be a list of ids, found "+n.Describe(), "needs: ["+n.Text+"]"))
		return nil
	}
	var edges []Edge
	for _, item := range n.Items {
		from := l.steps[item.Text]
		switch {
		case item.Kind != source.Scalar:
			l.fail(item.Find("needs must be a list of ids, found "+item.Describe(), ""))
		case from == nil:
			l.fail(item.Find(fmt.Sprintf("no step has the id %q", item.Text), source.DidYouMean(item.Text, l.ids)))
		case from == s:
			l.fail(item.Find(s.ID+" needs itself", ""))
		case from.phase > s.phase:
			l.fail(item.Find(runsLater(from.Declared, s.ID), ""))
		default:
			edges = addEdge(edges, Edge{From: from.ID, Reason: ByNeeds, Pos: item.Pos})
		}
	}
	return edges
}

// readEdge adds the edge that a read makes.
func (l *loader[E]) readEdge(s *step[E], r stepRead, edges []Edge) []Edge {
	from := l.steps[r.Path[1]]
	if from == nil {
		return edges
	}
	at := r.Spans[1]
	pos, width := r.from.At(at.From, at.Width)
	refuse := func(message string) {
		l.fail(source.Diagnostic{Pos: pos, Width: width, Message: message, Related: []source.Related{{Pos: from.Pos, Message: "the step " + from.ID}}})
	}
	switch {
	case from == s:
		refuse(s.ID + " reads what it gives itself")
		return edges
	case from.phase > s.phase:
		refuse(runsLater(from.Declared, s.ID))
		return edges
	}
	l.optional(s, r)
	return addEdge(edges, Edge{From: from.ID, Reason: ByOutputs, Pos: pos, Read: &pos})
}

// runsLater says that a step runs too late for the one of an id.
func runsLater[E any](from *Declared[E], id string) string {
	switch from.Stage {
	case OnFailure:
		return fmt.Sprintf("%s is an onFailure step: it runs after %s", from.ID, id)
	case Finally:
		return fmt.Sprintf("%s is a finally step: it runs after %s", from.ID, id)
	}
	return fmt.Sprintf("%s runs in the phase %s, after %s", from.ID, from.Phase, id)
}

// addEdge adds an edge, unless there is one from the same step; that one notes a read.
func addEdge(edges []Edge, e Edge) []Edge {
	for n := range edges {
		if edges[n].From == e.From {
			edges[n].Read = cmp.Or(edges[n].Read, e.Read)
			return edges
		}
	}
	return append(edges, e)
}

// within says whether one of the edges comes from the step's own phase.
func (l *loader[E]) within(s *step[E], edges []Edge) bool {
	for _, e := range edges {
		if from := l.steps[e.From]; from != nil && from.phase == s.phase {
			return true
		}
	}
	return false
}

// rings refuses steps that wait for each other. Edges between phases only go
// back, so that a ring lies within one.
func (l *loader[E]) rings() {
	const (
		fresh = iota
		open
		closed
	)
	state := make([]int, len(l.order))
	var path []*step[E]
	var visit func(s *step[E])
	visit = func(s *step[E]) {
		state[s.index] = open
		path = append(path, s)
		for _, e := range s.Edges {
			from := l.steps[e.From]
			if from == nil || from.phase != s.phase {
				continue
			}
			switch state[from.index] {
			case fresh:
				visit(from)
			case open:
				l.ring(path, from)
			}
		}
		path = path[:len(path)-1]
		state[s.index] = closed
	}
	for _, s := range l.order {
		if state[s.index] == fresh {
			visit(s)
		}
	}
}

// ring tells a ring: the end of path from its step to on, which the last one
// waits for.
func (l *loader[E]) ring(path []*step[E], to *step[E]) {
	start := 0
	for i, s := range path {
		if s == to {
			start = i
		}
	}
	path = path[start:]
	text := ""
	var related []source.Related
	for i, s := range path {
		next := path[(i+1)%len(path)]
		text += s.ID + " → "
		for _, e := range s.Edges {
			if e.From == next.ID {
				related = append(related, source.Related{Pos: e.Pos, Message: fmt.Sprintf("%s waits for %s: %s", s.ID, next.ID, e.Reason)})
			}
		}
	}
	d := path[0].doc.ID.Find("steps wait for each other: "+text+to.ID, "")
	d.Related = related
	l.fail(d)
}
