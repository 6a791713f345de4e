package pipeline

import (
	"fmt"
	"io"
	"strings"
)

// WriteMermaid writes the steps as a Mermaid flowchart: a box a phase, an arrow
// an edge with its reason. Names get a capital in front, so that no id is one of
// Mermaid's own words.
func (p *Plan) WriteMermaid(w io.Writer) error {
	var b strings.Builder
	b.WriteString("flowchart TD\n")
	for _, phase := range p.Phases {
		steps := p.graphSteps(phase)
		if len(steps) == 0 {
			continue
		}
		fmt.Fprintf(&b, "  subgraph P_%s[\"%s\"]\n", graphName(phase), phase)
		for _, s := range steps {
			fmt.Fprintf(&b, "    S_%s[\"%s\"]\n", s.ID, s.graphLabel())
		}
		b.WriteString("  end\n")
	}
	p.graphEdges(func(from, to string, reason Reason, phases bool) {
		mark := "S_"
		if phases {
			mark = "P_"
		}
		fmt.Fprintf(&b, "  %s%s -->|%s| %s%s\n", mark, from, reason, mark, to)
	})
	b.WriteString("  classDef skipped stroke-dasharray:4 4,opacity:0.6\n")
	for _, s := range p.graphSteps("") {
		if s.Verdict == WillSkip {
			fmt.Fprintf(&b, "  class S_%s skipped\n", s.ID)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteDOT writes the steps as a graph for Graphviz: a cluster a phase, an arrow
// an edge with its reason.
func (p *Plan) WriteDOT(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "digraph %q {\n  compound=true\n  node [shape=box]\n", p.Lab)
	first := map[string]string{} // a step of each phase: arrows between clusters need one
	for _, phase := range p.Phases {
		steps := p.graphSteps(phase)
		if len(steps) == 0 {
			continue
		}
		first[phase] = steps[0].ID
		fmt.Fprintf(&b, "  subgraph cluster_%s {\n    label=%q\n", graphName(phase), phase)
		for _, s := range steps {
			style := ""
			if s.Verdict == WillSkip {
				style = ", style=dashed"
			}
			fmt.Fprintf(&b, "    %q [label=%q%s]\n", s.ID, s.graphLabel(), style)
		}
		b.WriteString("  }\n")
	}
	p.graphEdges(func(from, to string, reason Reason, phases bool) {
		if phases {
			fmt.Fprintf(&b, "  %q -> %q [label=%q, ltail=cluster_%s, lhead=cluster_%s]\n", first[from], first[to], reason, from, to)
			return
		}
		fmt.Fprintf(&b, "  %q -> %q [label=%q]\n", from, to, reason)
	})
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// graphSteps gives the steps of a phase, each once though it has instances; all
// steps for "". A step is skipped there where all of its instances are.
func (p *Plan) graphSteps(phase string) []PlannedStep {
	var steps []PlannedStep
	at := map[string]int{}
	for _, s := range p.Steps {
		if phase != "" && s.Phase != phase {
			continue
		}
		i, seen := at[s.ID]
		if !seen {
			at[s.ID] = len(steps)
			steps = append(steps, s)
			continue
		}
		if s.Verdict != WillSkip {
			steps[i].Verdict = s.Verdict
		}
	}
	return steps
}

// graphEdges tells every edge once; edges between phases once a pair of phases.
func (p *Plan) graphEdges(tell func(from, to string, reason Reason, phases bool)) {
	told := map[string]bool{}
	for _, s := range p.graphSteps("") {
		for _, e := range s.After {
			from, to, phases := e.Step, s.ID, e.Step == ""
			if phases {
				from, to = e.Phase, s.Phase
			}
			key := fmt.Sprintf("%t %s %s", phases, from, to)
			if !told[key] {
				told[key] = true
				tell(from, to, e.Reason, phases)
			}
		}
	}
}

func (s PlannedStep) graphLabel() string {
	label := s.ID
	if s.Repeated {
		label += "[…]"
	}
	return label + " · " + s.Uses
}

// graphName makes a name of a graph of a phase: that of the onFailure steps has a
// blank.
func graphName(phase string) string { return strings.ReplaceAll(phase, " ", "__") }
