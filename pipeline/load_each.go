package pipeline

import (
	"fmt"
	"strings"

	"github.com/labrun/labrun/pipeline/decode"
	"github.com/labrun/labrun/pipeline/gate"
	"github.com/labrun/labrun/pipeline/source"
)

// types makes the types of the steps' outputs, and of the items of each forEach.
// Those that read facts only come first: their keys are part of the types.
func (l *loader[E]) types() {
	single := map[*kindTypes[E]]gate.Type{}
	all := make(map[string]gate.Type, len(l.order))
	var later []*step[E]
	for _, s := range l.order {
		outputs := gate.Any()
		if s.types != nil {
			outputs = s.types.outputs
		}
		switch {
		case s.doc.ForEach == nil:
			t, ok := single[s.types]
			if !ok {
				t = gate.MapOf(map[string]gate.Type{"outputs": outputs, "status": statusType()})
				single[s.types] = t
			}
			all[s.ID], s.scope = t, l.scope
		case l.readsSteps(s.doc.ForEach):
			all[s.ID] = eachType(outputs, nil)
			later = append(later, s)
		default:
			l.forEach(s)
			all[s.ID] = eachType(outputs, s.Instances)
		}
	}
	l.scope.Roots["steps"] = gate.MapOf(all) // the map is shared with the steps' scopes
	for _, s := range later {
		l.forEach(s)
	}
	for _, s := range l.order {
		if s.doc.ForEach != nil {
			s.scope.Roots["steps"] = l.scope.Roots["steps"]
		}
		if s.doc.Key != nil {
			l.key(s)
		}
	}
}

func statusType() gate.Type {
	return gate.EnumOf("ok", "changed", "skipped", "failed", "blocked", "cancelled")
}

// eachType is the type of a forEach step: its instances in order, and by key.
func eachType(outputs gate.Type, instances []Instance) gate.Type {
	by := gate.MapOfUnknownKeys(outputs)
	if instances != nil {
		keys := make(map[string]gate.Type, len(instances))
		for _, i := range instances {
			keys[i.Key] = outputs
		}
		by = gate.MapOf(keys)
	}
	return gate.MapOf(map[string]gate.Type{"items": gate.ListOf(outputs), "by": by, "status": statusType()})
}

// readsSteps says whether an expression waits for steps. One that is wrong is
// told when it is compiled.
func (l *loader[E]) readsSteps(n *source.Node) bool {
	h, found := decode.Bare(n)
	if found != nil {
		return false
	}
	reads, _ := l.compiler.ReadsOf(strings.TrimSpace(h.Text))
	for _, r := range reads {
		if r.Path[0] == "steps" {
			return true
		}
	}
	return false
}

// forEach compiles a step's forEach, makes the scope of its other expressions,
// and its instances where they are known.
func (l *loader[E]) forEach(s *step[E]) {
	s.ForEach = l.expression(s, s.doc.ForEach, l.scope, gate.ListOf(gate.Any()))
	item := gate.Any()
	if s.ForEach != nil {
		item = l.itemType(s.ForEach)
	}
	s.scope = gate.Scope{Roots: map[string]gate.Type{"item": item, "index": gate.Int()}}
	for name, t := range l.scope.Roots {
		s.scope.Roots[name] = t
	}
	if s.ForEach == nil || !l.isKnown(s.ForEach.Program) {
		return
	}
	if s.doc.Key != nil {
		// Compiled again with the steps in scope; here it is for the keys.
		mark := len(l.found)
		reads := len(s.reads)
		s.Key = l.expression(s, s.doc.Key, s.scope, gate.Text())
		l.found, s.reads = l.found[:mark], s.reads[:reads]
		if s.Key == nil {
			return
		}
	}
	instances, err := s.Expand(l.p.Values)
	if err != nil {
		l.fail(s.ForEach.Diagnose(err))
		if d, ok := err.(source.Diagnostic); ok {
			l.found[len(l.found)-1] = d
		}
		return
	}
	s.Instances = instances
}

// key compiles a step's key.
func (l *loader[E]) key(s *step[E]) {
	if s.doc.ForEach == nil {
		l.fail(s.doc.Key.Find("key tells the repetitions of a forEach apart, and "+s.ID+" has none", ""))
		return
	}
	s.Key = l.expression(s, s.doc.Key, s.scope, gate.Text())
	if s.Key == nil {
		return
	}
	for _, r := range s.Key.Program.Reads() {
		if r.Path[0] == "steps" {
			l.fail(s.Key.Diagnose(&gate.Error{From: r.From, Width: r.Width, Message: "a key reads item, index and facts only"}))
		}
	}
}

// itemType gives the type of a forEach's items: of a plain path the type of what
// it names.
func (l *loader[E]) itemType(e *Expression) gate.Type {
	reads := e.Program.Reads()
	if len(reads) != 1 || reads[0].Width != len([]rune(e.Text)) {
		return gate.Any()
	}
	t, ok := l.scope.Roots[reads[0].Path[0]]
	for _, name := range reads[0].Path[1:] {
		if ok {
			t, ok = t.Field(name)
		}
	}
	if !ok {
		return gate.Any()
	}
	item, _ := t.Elem()
	return item
}

// Expand gives the instances of a forEach step. values are the roots that its
// expressions see. An error is a source.Diagnostic.
func (d *Declared[E]) Expand(values map[string]any) ([]Instance, error) {
	if d.Instances != nil {
		return d.Instances, nil
	}
	v, err := d.ForEach.Eval(values)
	if err != nil {
		return nil, err
	}
	items, ok := v.([]any)
	if !ok && v != nil {
		return nil, d.ForEach.Node.Find("forEach gives no list", "")
	}
	instances := make([]Instance, len(items))
	seen := make(map[string]int, len(items))
	for i, item := range items {
		key, err := d.keyOf(values, item, i)
		if err != nil {
			return nil, err
		}
		if first, twice := seen[key]; twice {
			return nil, d.keyNode().Find(fmt.Sprintf("items %d and %d have the same key %q", first, i, key), "give the step a key: that tells them apart")
		}
		seen[key] = i
		instances[i] = Instance{Key: key, Item: item, Index: i}
	}
	return instances, nil
}

func (d *Declared[E]) keyNode() *source.Node {
	if d.Key != nil {
		return d.Key.Node
	}
	return d.ForEach.Node
}

// keyOf gives the key of an item: what the step's key says, its name, or its
// value.
func (d *Declared[E]) keyOf(values map[string]any, item any, index int) (string, error) {
	key := item
	switch {
	case d.Key != nil:
		inner := make(map[string]any, len(values)+2)
		for k, v := range values {
			inner[k] = v
		}
		inner["item"], inner["index"] = item, index
		v, err := d.Key.Eval(inner)
		if err != nil {
			return "", err
		}
		key = v
	default:
		if m, ok := item.(map[string]any); ok {
			key = m["name"]
		}
	}
	switch key.(type) {
	case nil, map[string]any, []any:
		return "", d.keyNode().Find(fmt.Sprintf("item %d has no name to be its key", index), "give the step a key: an expression over item, such as item.mac")
	}
	text := fmt.Sprint(key)
	if !isName(labelValue, text) {
		return "", d.keyNode().Find(fmt.Sprintf("the key %q of item %d is no label value (letters, digits, -, _ and ., at most 63)", text, index),
			"give the step a key: an expression over item and index")
	}
	return text, nil
}
