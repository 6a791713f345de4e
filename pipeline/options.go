package pipeline

import (
	"reflect"

	"github.com/labrun/labrun/pipeline/decode"
	"github.com/labrun/labrun/pipeline/gate"
	"github.com/labrun/labrun/pipeline/source"
)

// loaded is what a step keeps of its load: the expressions of its options.
type loaded struct {
	decoder     *decode.Decoder
	expressions map[place]*Expression
}

// place is where an expression begins: a scalar and a character of its text.
type place struct {
	node *source.Node
	from int
}

// Options gives the step's options, of the kind's type, with values in place of
// expressions. values are the roots that they see: lab, vars, env, steps, and
// item and index in a forEach. It only reads values; the options keep of them
// just what they name. An error is source.Diagnostics.
func (d *Declared[E]) Options(values map[string]any) (any, error) {
	options := reflect.New(d.Kind.Options)
	found := d.loaded.decoder.Into(d.With, options.Interface(), optionsTarget(d.Kind.Name), evaluator{d.loaded, values})
	if len(found) > 0 {
		return nil, found
	}
	return options.Elem().Interface(), nil
}

// evaluator gives the values of the expressions in a step's options.
type evaluator struct {
	loaded *loaded
	values map[string]any
}

// Value evaluates a hole.
func (v evaluator) Value(h decode.Hole, _ gate.Type) (any, bool, source.Diagnostics) {
	e := v.loaded.expressions[place{h.Node, h.From}]
	if e == nil {
		return nil, false, source.Diagnostics{h.Node.Find("the expression was not checked when the file was loaded", "")}
	}
	value, err := e.Program.Eval(v.values)
	if err != nil {
		return nil, false, source.Diagnostics{e.Diagnose(err)}
	}
	return value, true, nil
}

// Expr hands an expression to its step, with the values that it reads: more of
// them may be written while the step runs.
func (v evaluator) Expr(h decode.Hole, _ []string, _ gate.Type) (decode.Expr, source.Diagnostics) {
	e := v.loaded.expressions[place{h.Node, h.From}]
	if e == nil {
		return decode.Expr{}, source.Diagnostics{h.Node.Find("the expression was not checked when the file was loaded", "")}
	}
	kept := make(map[string]any, len(v.values))
	for root, value := range v.values {
		kept[root] = value
	}
	all, _ := v.values["steps"].(map[string]any)
	steps := map[string]any{}
	for _, r := range e.Program.Reads() {
		if r.Path[0] == "steps" && len(r.Path) > 1 {
			steps[r.Path[1]] = all[r.Path[1]]
		}
	}
	kept["steps"] = steps
	return decode.Expr{Text: e.Text, Program: e.Program, Values: kept, Where: func(err error) error { return e.Diagnose(err) }}, nil
}
