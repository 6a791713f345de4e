package pipeline

import (
	"reflect"
	"slices"
	"strings"

	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/pipeline/gate"
)

// Recalled is what an earlier run left of a step that takes no part in this one:
// outputs as the journal has them.
type Recalled struct {
	Outputs   any                // of a step without a forEach
	Instances []RecalledInstance // of one with, in order
}

// RecalledInstance is one instance of a forEach.
type RecalledInstance struct {
	Key     string
	Outputs any
	Skipped bool // it did not run: it has no outputs
}

// holdsMask says whether a secret was masked in what is recalled.
func (r Recalled) holdsMask() bool {
	return holdsMask(r.Outputs) || slices.ContainsFunc(r.Instances, func(i RecalledInstance) bool { return holdsMask(i.Outputs) })
}

// restored gives what is recalled the types that the step's kind says: JSON knows
// no whole numbers.
func restored[E any](d *Declared[E], r Recalled) Recalled {
	r.Outputs = restore(r.Outputs, d.Kind.Outputs)
	instances := make([]RecalledInstance, len(r.Instances))
	for n, i := range r.Instances {
		instances[n] = i
		if !i.Skipped {
			instances[n].Outputs = restore(i.Outputs, d.Kind.Outputs)
		}
	}
	r.Instances = instances
	return r
}

// restore completes v with what the journal left out of a value of type t, and
// gives its numbers their types.
func restore(v any, t reflect.Type) any {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Struct:
		zero, isMap := gate.ValueOf(reflect.Zero(t)).(map[string]any)
		have, ok := v.(map[string]any)
		if !isMap || !ok && v != nil {
			return v
		}
		for i := range t.NumField() {
			name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
			if value, there := have[name]; there && name != "" {
				zero[name] = restore(value, t.Field(i).Type)
			}
		}
		return zero
	case reflect.Slice, reflect.Array:
		list, ok := v.([]any)
		if !ok {
			return v
		}
		out := make([]any, len(list))
		for i := range list {
			out[i] = restore(list[i], t.Elem())
		}
		return out
	case reflect.Map:
		have, ok := v.(map[string]any)
		if !ok {
			return v
		}
		out := make(map[string]any, len(have))
		for key, value := range have {
			out[key] = restore(value, t.Elem())
		}
		return out
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if number, ok := v.(float64); ok {
			return int(number)
		}
	}
	return v
}

// recall puts what an earlier run left of a step where expressions find it.
func (v *values) recall(id string, repeated bool, r Recalled) {
	v.put(id, r.entry(repeated))
}

// entry is what expressions see of a step that is left out.
func (r Recalled) entry(repeated bool) map[string]any {
	insts := make([]*inst, len(r.Instances))
	for n, i := range r.Instances {
		insts[n] = &inst{Instance: Instance{Key: i.Key}, outputs: i.Outputs}
	}
	return entry(repeated, event.Skipped, r.Outputs, insts)
}
