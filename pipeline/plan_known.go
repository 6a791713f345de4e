package pipeline

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/pipeline/gate"
)

// defaultPlace stands for the place of a fact that the file leaves out.
const defaultPlace = "default"

// environmentValue stands for what a variable of the environment holds: that may
// be a secret, and a plan is shown to everybody.
const environmentValue = "set, its value is not shown"

// notRun is what expressions see of a step no instance of which runs: what earlier
// runs left of what a selection leaves out.
func (d *Declared[E]) notRun(planned []PlannedStep) map[string]any {
	switch {
	case d.Recalled == nil:
		nothing := map[string]any{}
		return map[string]any{"status": "skipped", "outputs": nothing, "items": []any{}, "by": nothing}
	case d.LeftOut != "":
		return d.Recalled.entry(d.ForEach != nil)
	}
	var insts []*inst
	left := d.unpicked()
	for _, s := range planned {
		if s.Key != "" {
			insts = append(insts, &inst{Instance: Instance{Key: s.Key}, outputs: left[s.Key]})
		}
	}
	return entry(true, event.Skipped, nil, insts)
}

// WhyNot says in one line, with values and places, why the gate of a step, or of
// one of its instances, does not hold on values, where everything that it reads is
// known: lab.disconnected is false (labs/ipv4-connected.yaml:6:17). It is empty
// where the gate holds.
func (p *Pipeline[E]) WhyNot(d *Declared[E], in *Instance, values map[string]any) (string, error) {
	if d.When == nil {
		return "", nil
	}
	decision, bad := gate.Decide(d.When.Program, values, func(gate.Read) bool { return true })
	if bad != nil {
		return "", d.When.Diagnose(bad)
	}
	if decision.Value == gate.True {
		return "", nil
	}
	if reason := tellKnown(p.knownOf(d, in, decision.Because)); reason != "" {
		return reason, nil
	}
	return "when is " + strings.TrimSpace(d.When.Text), nil
}

// knownOf gives each value that decided a gate with its place.
func (p *Pipeline[E]) knownOf(d *Declared[E], in *Instance, causes []gate.Cause) []Known {
	var all []Known
	for _, c := range causes {
		if len(c.Path) == 0 {
			continue
		}
		k := Known{Name: strings.Join(c.Path, "."), Value: c.Value, Place: p.placeOf(d, in, c.Path)}
		if text, ok := c.Value.(string); ok && c.Path[0] == "env" && text != "" {
			k.Value = environmentValue
		}
		if !slices.ContainsFunc(all, func(a Known) bool { return a.Name == k.Name }) {
			all = append(all, k)
		}
	}
	return all
}

// known gives the values of reads with their places.
func (p *Pipeline[E]) known(d *Declared[E], in *Instance, reads []gate.Read, values map[string]any) []Known {
	causes := make([]gate.Cause, len(reads))
	for i, r := range reads {
		var v any = values
		for _, name := range r.Path {
			m, _ := v.(map[string]any)
			v = m[name]
		}
		causes[i] = gate.Cause{Path: r.Path, Value: v}
	}
	return p.knownOf(d, in, causes)
}

// placeOf gives where a value is set: a fact, or an item of a list of facts.
// Anything else has no place.
func (p *Pipeline[E]) placeOf(d *Declared[E], in *Instance, path []string) string {
	switch {
	case path[0] == "lab":
		path = path[1:]
	case path[0] == "item" && in != nil:
		list := factsList(d)
		if list == nil {
			return ""
		}
		path = slices.Concat(list, []string{strconv.Itoa(in.Index)}, path[1:])
	default:
		return ""
	}
	if p.Tree == nil || len(path) == 0 {
		return ""
	}
	node, found := p.Tree.Lookup(strings.Join(path, "."))
	if !found {
		return defaultPlace
	}
	return node.Pos.String()
}

// factsList gives the path of the list of facts that a step is repeated over, nil
// where forEach is more than its name.
func factsList[E any](d *Declared[E]) []string {
	if d.ForEach == nil || d.ForEach.Program == nil {
		return nil
	}
	reads := d.ForEach.Program.Reads()
	if len(reads) != 1 || reads[0].Path[0] != "lab" || strings.Join(reads[0].Path, ".") != strings.TrimSpace(d.ForEach.Text) {
		return nil
	}
	return reads[0].Path[1:]
}

// tellKnown writes values with their places in one line.
func tellKnown(all []Known) string {
	parts := make([]string, len(all))
	for i, k := range all {
		if step, ok := strings.CutPrefix(k.Name, "steps."); ok && k.Value == nil {
			id, _, _ := strings.Cut(step, ".")
			parts[i] = "step " + id + " is skipped" // nothing else leaves an optional output out
			continue
		}
		parts[i] = k.Name + " " + tellValue(k.Value) + placed(k.Place)
	}
	return strings.Join(parts, ", ")
}

func places(all []Known) string {
	if len(all) != 1 {
		return ""
	}
	return placed(all[0].Place)
}

func placed(place string) string {
	if place == "" {
		return ""
	}
	return " (" + place + ")"
}

// tellValue writes a value as the end of a sentence that its name begins.
func tellValue(v any) string {
	switch v := v.(type) {
	case nil:
		return "is not there"
	case string:
		if v == environmentValue {
			return "is " + v
		}
		if v == "" {
			return "is empty"
		}
		if r := []rune(v); len(r) > 60 {
			v = string(r[:60]) + "…"
		}
		if strings.ContainsAny(v, " \t\n,;()") {
			v = strconv.Quote(v)
		}
		return "is " + v
	case []any:
		return tellList(v)
	case map[string]any:
		if len(v) == 0 {
			return "is empty"
		}
		if len(v) == 1 {
			return "has 1 member"
		}
		return fmt.Sprintf("has %d members", len(v))
	}
	return fmt.Sprint("is ", v)
}

func tellList(list []any) string {
	if len(list) == 0 {
		return "is empty"
	}
	var texts []string
	for _, item := range list {
		switch item.(type) {
		case []any, map[string]any, nil:
			texts = nil
		default:
			texts = append(texts, fmt.Sprint(item))
		}
	}
	if text := strings.Join(texts, ", "); len(texts) == len(list) && len(text) <= 60 {
		return "is [" + text + "]"
	}
	if len(list) == 1 {
		return "has 1 item"
	}
	return fmt.Sprintf("has %d items", len(list))
}
