package pipeline

import (
	"maps"
	"sync"

	"github.com/labrun/labrun/pipeline/event"
)

// resolver is the run's way to what the file's expressions say. values are what
// an expression sees: lab, vars, env, steps, and in a forEach item and index. in is
// nil outside of a forEach.
type resolver[E any] interface {
	// WhyNot says why a step does not run; "" where it does.
	WhyNot(p *Pipeline[E], d *Declared[E], in *Instance, values map[string]any) (string, error)
	// Instances gives what a forEach repeats the step over.
	Instances(p *Pipeline[E], d *Declared[E], values map[string]any) ([]Instance, error)
	// Options decodes the step's options with values in place of expressions.
	Options(p *Pipeline[E], d *Declared[E], values map[string]any) (any, error)
}

// values are what expressions see of the run so far. Steps that ended are put in
// while others are evaluated.
type values struct {
	mu    sync.RWMutex
	steps map[string]any
	roots map[string]any // what a step without forEach sees
}

func newValues(roots map[string]any) *values {
	v := &values{steps: map[string]any{}, roots: map[string]any{}}
	maps.Copy(v.roots, roots)
	v.roots["steps"] = v.steps
	return v
}

// seen gives what an instance sees; in is nil outside of a forEach.
func (v *values) seen(in *Instance) map[string]any {
	if in == nil {
		return v.roots
	}
	all := maps.Clone(v.roots)
	all["item"], all["index"] = in.Item, in.Index
	return all
}

// keep puts an ended step in.
func (v *values) keep(id string, repeated bool, status event.Status, outputs any, insts []*inst) {
	v.put(id, entry(repeated, status, outputs, insts))
}

func (v *values) put(id string, entry map[string]any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.steps[id] = entry
}

// entry is what expressions see of an ended step: its status and outputs, or those
// of its instances, in order and by key. One that did not run has no outputs.
func entry(repeated bool, status event.Status, outputs any, insts []*inst) map[string]any {
	entry := map[string]any{"status": string(status)}
	if repeated {
		items, by := make([]any, len(insts)), make(map[string]any, len(insts))
		for n, i := range insts {
			items[n] = readable(i.outputs)
			by[i.Key] = items[n]
		}
		entry["items"], entry["by"] = items, by
	} else {
		entry["outputs"] = readable(outputs)
	}
	return entry
}

// readable makes nothing an empty map, so that an expression that reads an output
// of a step that did not run finds nothing instead of failing.
func readable(outputs any) any {
	if outputs == nil {
		return map[string]any{}
	}
	return outputs
}

// instances evaluates a forEach.
func (s *scheduler[E]) instances(d *Declared[E]) ([]*inst, error) {
	s.values.mu.RLock()
	defer s.values.mu.RUnlock()
	found, err := s.options.resolve.Instances(s.pipeline, d, s.values.seen(nil))
	if err != nil {
		return nil, err
	}
	insts := make([]*inst, len(found))
	for n := range found {
		insts[n] = &inst{Instance: found[n]}
	}
	return insts, nil
}

// prepare evaluates the gate of an instance, and where it runs its options. skip
// is the reason of one that does not run.
func (s *scheduler[E]) prepare(d *Declared[E], t task) (skip string, options any, err error) {
	s.values.mu.RLock()
	defer s.values.mu.RUnlock()
	in := t.instance()
	values := s.values.seen(in)
	if skip, err = s.options.resolve.WhyNot(s.pipeline, d, in, values); skip != "" || err != nil {
		return skip, nil, err
	}
	options, err = s.options.resolve.Options(s.pipeline, d, values)
	return "", options, err
}
