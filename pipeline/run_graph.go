package pipeline

import (
	"context"

	"github.com/labrun/labrun/pipeline/event"
)

// scheduler runs the steps of one run. Its own goroutine decides and keeps the
// books; only instances that run have goroutines of their own.
type scheduler[E any] struct {
	pipeline *Pipeline[E]
	options  RunOptions[E]
	stream   *stream
	values   *values

	nodes     []node
	ready     []task // first in, first out
	over      []int  // nodes that ended and have not been released
	running   int
	left      int // nodes of the stage that have not ended
	ended     chan ended
	under     string // a phase in which all steps are told, "" for their own
	counts    *counts
	witnesses *witnesses
	code      int // the highest exit code of a failed step's error, 0 for none
}

// node is what the scheduler knows of one step.
type node struct {
	waits  int     // needs that have not ended
	below  []int32 // nodes that need this one
	status event.Status
	bad    string // of a blocked node: the step that failed above it

	left  int     // instances that have not ended
	insts []*inst // of a forEach
	held  []task  // instances that its limit holds back
}

// inst is one instance of a forEach step.
type inst struct {
	Instance
	outputs any
}

// task is one instance to run; inst is nil where the step has no forEach.
type task struct {
	node int
	inst *inst
}

// ended is what an instance's goroutine hands back.
type ended struct {
	task
	status  event.Status
	outputs any
	code    int // of its error, where it failed
}

// run runs the stages one after the other. last is the context of the finally
// steps, which an interruption of ctx does not end.
func (s *scheduler[E]) run(ctx, last context.Context) {
	s.link()
	s.ended = make(chan ended, min(s.options.Parallel, len(s.nodes)+1))
	for stage := InPhase; stage <= Finally; stage++ {
		if stage == Finally {
			ctx = last
		}
		s.runStage(ctx, stage)
	}
}

func (s *scheduler[E]) runStage(ctx context.Context, stage Stage) {
	var first []int
	s.left = 0
	for n := range s.nodes {
		if s.stageOf(n) != stage {
			continue
		}
		s.left++
		if s.nodes[n].waits == 0 {
			first = append(first, n)
		}
	}
	for _, n := range first {
		s.admit(ctx, n)
	}
	for s.left > 0 {
		s.release(ctx)
		s.launch(ctx)
		switch {
		case len(s.over) > 0:
		case s.running > 0:
			s.take(<-s.ended)
		case s.left > 0:
			return // a cycle; the loader refuses those
		}
	}
}

func (s *scheduler[E]) stageOf(n int) Stage {
	if n >= len(s.pipeline.Steps) { // the end of a phase
		return InPhase
	}
	return s.pipeline.Steps[n].Stage
}

// link counts for each step what it waits for, and notes what waits for it. A
// phase that steps wait for is a node of its own, behind the steps: with an edge
// from each of its steps to each that waits, the edges would be as many as the
// square of the steps.
func (s *scheduler[E]) link() {
	steps := s.pipeline.Steps
	index := make(map[string]int, len(steps))
	phases := map[string]int{}
	for n, d := range steps {
		index[d.ID] = n
		for _, e := range d.Edges {
			if _, ok := phases[e.Phase]; !ok && e.Phase != "" {
				phases[e.Phase] = len(steps) + len(phases)
			}
		}
	}
	s.nodes = make([]node, len(steps)+len(phases))
	for n, d := range steps {
		if end, ok := phases[d.Phase]; ok {
			s.edge(n, end)
		}
		for _, e := range d.Edges {
			if from, ok := index[e.From]; ok && steps[from].Stage == d.Stage {
				s.edge(from, n)
			}
			if from, ok := phases[e.Phase]; ok {
				s.edge(from, n)
			}
		}
	}
}

func (s *scheduler[E]) edge(from, to int) {
	s.nodes[to].waits++
	s.nodes[from].below = append(s.nodes[from].below, int32(to))
}

// admit takes a step whose needs have all ended: it is made ready, or ends
// without having run.
func (s *scheduler[E]) admit(ctx context.Context, n int) {
	if n >= len(s.pipeline.Steps) { // the end of a phase
		s.over = append(s.over, n)
		return
	}
	d := s.pipeline.Steps[n]
	switch {
	case d.LeftOut != "":
		s.leaveOut(n, event.Skipped, d.LeftOut)
		if d.Recalled != nil {
			s.values.recall(d.ID, d.ForEach != nil, *d.Recalled)
		}
	case d.Stage == OnFailure && !s.hasFailed(d.Watches):
		s.leaveOut(n, event.Skipped, nothingFailed(d.Watches))
	case s.nodes[n].bad != "":
		s.leaveOut(n, event.Blocked, "needs "+s.nodes[n].bad+", which failed")
	case ctx.Err() != nil:
		s.leaveOut(n, event.Cancelled, cancelReason(ctx))
	case d.Disabled != "":
		s.leaveOut(n, event.Skipped, "disabled: "+d.Disabled)
	case d.ForEach == nil:
		s.nodes[n].left = 1
		s.ready = append(s.ready, task{node: n})
	default:
		s.expand(n, d)
	}
}

// launch starts what is ready, as far as the limit allows; once ctx is
// cancelled, what is ready ends as cancelled.
func (s *scheduler[E]) launch(ctx context.Context) {
	for len(s.ready) > 0 {
		if ctx.Err() != nil {
			t := s.next()
			d := s.pipeline.Steps[t.node]
			s.tell(d, t.key(), event.Result{Status: event.Cancelled, Reason: cancelReason(ctx)})
			s.close(ended{task: t, status: event.Cancelled})
			continue
		}
		if s.running >= s.options.Parallel {
			return
		}
		t := s.next()
		s.running++
		go s.runInstance(ctx, t)
	}
	s.ready = nil
}

func (s *scheduler[E]) next() task {
	t := s.ready[0]
	s.ready = s.ready[1:]
	return t
}

func (t task) key() string {
	if t.inst == nil {
		return ""
	}
	return t.inst.Key
}

func (t task) instance() *Instance {
	if t.inst == nil {
		return nil
	}
	return &t.inst.Instance
}

func (s *scheduler[E]) take(e ended) {
	s.running--
	s.code = max(s.code, e.code)
	s.close(e)
}

// close notes the end of an instance; the last one ends its step.
func (s *scheduler[E]) close(e ended) {
	n := &s.nodes[e.node]
	n.left--
	n.status = event.Worse(n.status, e.status)
	if e.inst != nil {
		e.inst.outputs = e.outputs
	}
	if len(n.held) > 0 { // one of its limit is free
		s.ready, n.held = append(s.ready, n.held[0]), n.held[1:]
	}
	if n.left > 0 {
		return
	}
	d := s.pipeline.Steps[e.node]
	s.values.keep(d.ID, d.ForEach != nil, n.status, e.outputs, n.insts)
	n.insts = nil
	s.over = append(s.over, e.node)
}

// leaveOut ends a step that does not run at all.
func (s *scheduler[E]) leaveOut(n int, status event.Status, reason string) {
	d := s.pipeline.Steps[n]
	s.tell(d, "", event.Result{Status: status, Reason: reason})
	s.finish(n, status)
}

// finish ends a step that has no instance to wait for.
func (s *scheduler[E]) finish(n int, status event.Status) {
	s.nodes[n].status = status
	d := s.pipeline.Steps[n]
	s.values.keep(d.ID, d.ForEach != nil, status, nil, nil)
	s.over = append(s.over, n)
}

// release admits what waited for the steps that ended. It is a loop over a list,
// so that a long chain of skipped steps is no deep recursion.
func (s *scheduler[E]) release(ctx context.Context) {
	for len(s.over) > 0 {
		n := s.over[len(s.over)-1]
		s.over = s.over[:len(s.over)-1]
		s.left--
		for _, m := range s.nodes[n].below {
			below := &s.nodes[m]
			below.waits--
			if s.blocks(n, int(m)) {
				below.bad = s.whyBlocked(n, below.bad)
			}
			if below.waits == 0 {
				s.admit(ctx, int(m))
			}
		}
		s.nodes[n].below = nil
	}
}
