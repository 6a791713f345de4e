package pipeline

import (
	"maps"
	"slices"
	"strings"

	"github.com/labrun/labrun/pipeline/gate"
)

func (l *planner[E]) decide(d *Declared[E]) []PlannedStep {
	s := PlannedStep{ID: d.ID, Phase: d.Phase, Uses: d.Kind.Name, Verdict: WillRun, Position: d.Pos.String(), Repeated: d.ForEach != nil}
	for _, e := range d.Edges {
		s.After = append(s.After, PlannedEdge{Step: e.From, Phase: e.Phase, Reason: e.Reason})
	}
	if d.When != nil {
		s.When = strings.TrimSpace(d.When.Text)
	}
	switch {
	case d.LeftOut != "":
		s.Verdict, s.Reason = WillSkip, d.LeftOut
		return []PlannedStep{s}
	case d.Disabled != "":
		s.Verdict, s.Reason = WillSkip, "disabled: "+d.Disabled
		return []PlannedStep{s}
	case d.ForEach == nil:
		l.judge(&s, d, nil)
		return []PlannedStep{s}
	}
	instances, told := l.expand(d)
	switch {
	case !told:
		l.judgeUnknown(&s, d)
		return []PlannedStep{s}
	case len(instances) == 0:
		s.Verdict, s.Reason = WillSkip, "forEach has nothing to repeat over: "+strings.TrimSpace(d.ForEach.Text)+" is empty"
		s.Because = l.pipeline.known(d, nil, d.ForEach.Program.Reads(), l.values(nil))
		s.Reason += places(s.Because)
		return []PlannedStep{s}
	}
	planned := make([]PlannedStep, len(instances))
	for i := range instances {
		planned[i] = s
		planned[i].Key = instances[i].Key
		if !d.picks(planned[i].Key) {
			planned[i].Verdict, planned[i].Reason = WillSkip, leftOutByOnly
			continue
		}
		l.judge(&planned[i], d, &instances[i])
	}
	return planned
}

// expand gives the instances of a forEach, where what it repeats over is known.
func (l *planner[E]) expand(d *Declared[E]) ([]Instance, bool) {
	instances, told := d.Instances, d.Instances != nil
	if !told && l.ask != nil && !slices.ContainsFunc(d.ForEach.Program.Reads(), func(r gate.Read) bool { return !l.isKnown(r, nil) }) {
		var err error
		instances, err = d.Expand(l.values(nil))
		told = err == nil
	}
	l.expanded[d.ID] = instances
	return instances, told
}

// judgeUnknown plans a forEach whose items other steps find out.
func (l *planner[E]) judgeUnknown(s *PlannedStep, d *Declared[E]) {
	l.judge(s, d, nil)
	if s.Verdict == WillSkip {
		return
	}
	s.Verdict = Later
	var open []gate.Read
	for _, r := range d.ForEach.Program.Reads() {
		if !l.isKnown(r, nil) {
			open = append(open, r)
		}
	}
	s.Awaits = append(names(open), s.Awaits...)
	s.Reason = "its items are known during the run"
	if len(open) > 0 {
		s.Reason = "repeated over what " + strings.Join(names(open), ", ") + " will be"
	}
}

// judge decides the gate of a step or of one instance.
func (l *planner[E]) judge(s *PlannedStep, d *Declared[E], in *Instance) {
	if d.When == nil {
		return
	}
	values := l.values(in)
	decision, err := gate.Decide(d.When.Program, values, func(r gate.Read) bool { return l.isKnown(r, in) })
	if err != nil {
		s.Verdict, s.Reason = Later, "the gate cannot be decided: "+err.Message
		return
	}
	s.Because = l.pipeline.knownOf(d, in, decision.Because)
	s.Reason = tellKnown(s.Because)
	switch decision.Value {
	case gate.False:
		s.Verdict = WillSkip
		if s.Reason == "" {
			s.Reason = "when is " + s.When
		}
	case gate.Unknown:
		s.Verdict = Later
		s.Awaits = names(decision.Open)
		so := s.Reason
		s.Reason = "depends on " + strings.Join(s.Awaits, ", ")
		if so != "" {
			s.Reason += "; " + so
		}
	}
}

// isKnown says whether a value is known before the run.
func (l *planner[E]) isKnown(r gate.Read, in *Instance) bool {
	switch r.Path[0] {
	case "item", "index":
		return in != nil
	case "steps":
		if len(r.Path) < 2 {
			return false
		}
		if d, ok := l.byID[r.Path[1]]; ok {
			l.plan(d)
		}
		_, known := l.known[r.Path[1]]
		return known
	}
	return true
}

func (l *planner[E]) values(in *Instance) map[string]any {
	values := maps.Clone(l.pipeline.Values)
	if values == nil {
		values = map[string]any{}
	}
	values["steps"] = l.known
	if in != nil {
		values["item"], values["index"] = in.Item, in.Index
	}
	return values
}

func names(reads []gate.Read) []string {
	var found []string
	seen := map[string]bool{}
	for _, r := range reads {
		if n := strings.Join(r.Path, "."); !seen[n] {
			seen[n] = true
			found = append(found, n)
		}
	}
	return found
}
