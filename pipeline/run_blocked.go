package pipeline

import (
	"slices"
	"strings"

	"github.com/labrun/labrun/pipeline/event"
)

// blocks says whether a failure of one step keeps the other from running: a finally
// or onFailure step runs all the same, unless it needs the other.
func (s *scheduler[E]) blocks(from, to int) bool {
	if s.stageOf(to) == InPhase {
		return true
	}
	for _, e := range s.pipeline.Steps[to].Edges {
		if e.From == s.pipeline.Steps[from].ID {
			return e.Reason == ByNeeds
		}
	}
	return false
}

// hasFailed says whether one of the steps failed, any step where none is named.
func (s *scheduler[E]) hasFailed(ids []string) bool {
	for n, d := range s.pipeline.Steps {
		if s.nodes[n].status == event.Failed && d.Stage == InPhase && (ids == nil || slices.Contains(ids, d.ID)) {
			return true
		}
	}
	return false
}

func nothingFailed(ids []string) string {
	switch len(ids) {
	case 0:
		return "nothing failed"
	case 1:
		return "nothing failed in " + ids[0]
	}
	return "nothing failed in " + strings.Join(ids[:len(ids)-1], ", ") + " or " + ids[len(ids)-1]
}

// whyBlocked names the failed step at the root of what is below n.
func (s *scheduler[E]) whyBlocked(n int, already string) string {
	switch {
	case already != "":
		return already
	case s.nodes[n].status == event.Failed:
		return s.pipeline.Steps[n].ID
	}
	return s.nodes[n].bad
}
