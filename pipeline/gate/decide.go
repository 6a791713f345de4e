package gate

import (
	"slices"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm"
)

// Truth is what is known of a gate.
type Truth int

// The truths.
const (
	Unknown Truth = iota
	True
	False
)

// Decision says how far a gate can be decided, and why.
type Decision struct {
	Value   Truth
	Because []Cause // what decided it; of an Unknown one: what is known already
	Open    []Read  // what an Unknown one waits for
}

// Cause is a value that decided a gate.
type Cause struct {
	Path  []string // lab, disconnected; empty where the part reads nothing
	Value any
	Text  string // the part of the gate that read it
}

// Decide evaluates a gate as far as it can be with what is known: parts that read
// what is not known are unknown, and && || ! and ?: of such parts are decided
// where the rest decides them.
func Decide(p *Program, values map[string]any, known func(Read) bool) (Decision, *Error) {
	p.decideOnce.Do(func() { p.decider = p.operandOf(p.tree) })
	e := &evaluation{program: p, values: values, known: known}
	d := e.decide(p.decider)
	d.Because = uniqueCauses(d.Because)
	return d, e.err
}

// operand is a part of a gate: an operator over parts, or a leaf.
type operand struct {
	operator string // && || ! ?: or "" for a leaf
	parts    []*operand

	text  string
	reads []Read
	code  *vm.Program
	bad   *Error
}

func (p *Program) operandOf(node ast.Node) *operand {
	switch n := node.(type) {
	case *ast.BinaryNode:
		if n.Operator == "&&" || n.Operator == "||" {
			return &operand{operator: n.Operator, parts: []*operand{p.operandOf(n.Left), p.operandOf(n.Right)}}
		}
	case *ast.UnaryNode:
		if n.Operator == "!" {
			return &operand{operator: "!", parts: []*operand{p.operandOf(n.Node)}}
		}
	case *ast.ConditionalNode:
		return &operand{operator: "?:", parts: []*operand{p.operandOf(n.Cond), p.operandOf(n.Exp1), p.operandOf(n.Exp2)}}
	}
	leaf := &operand{text: node.String()}
	leaf.reads, leaf.bad = readsOfTree(p.text, node)
	code, err := generate(p.source, node, p.config.config())
	if err != nil && leaf.bad == nil {
		leaf.bad = whole(p.text, "cannot be evaluated in parts", "")
	}
	leaf.code = code
	return leaf
}

type evaluation struct {
	program *Program
	values  map[string]any
	known   func(Read) bool
	err     *Error
}

func (e *evaluation) decide(o *operand) Decision {
	switch o.operator {
	case "&&":
		return e.junction(o, False)
	case "||":
		return e.junction(o, True)
	case "!":
		d := e.decide(o.parts[0])
		switch d.Value {
		case True:
			d.Value = False
		case False:
			d.Value = True
		}
		return d
	case "?:":
		return e.choice(o)
	}
	return e.leaf(o)
}

// junction decides && (which one False part decides) and || (one True part).
func (e *evaluation) junction(o *operand, decisive Truth) Decision {
	left := e.decide(o.parts[0])
	if left.Value == decisive || e.err != nil {
		return left
	}
	right := e.decide(o.parts[1])
	if e.err != nil && left.Value == Unknown {
		// the run may never come to the right side
		e.err = nil
		right = Decision{}
	}
	if right.Value == decisive {
		return right
	}
	both := Decision{
		Value:   left.Value,
		Because: slices.Concat(left.Because, right.Because),
		Open:    slices.Concat(left.Open, right.Open),
	}
	if right.Value == Unknown {
		both.Value = Unknown
	}
	return both
}

func (e *evaluation) choice(o *operand) Decision {
	condition := e.decide(o.parts[0])
	if e.err != nil {
		return condition
	}
	var chosen Decision
	switch condition.Value {
	case True:
		chosen = e.decide(o.parts[1])
	case False:
		chosen = e.decide(o.parts[2])
	default:
		yes := e.decide(o.parts[1])
		no := e.decide(o.parts[2])
		if e.err != nil {
			e.err = nil
			return condition
		}
		if yes.Value == no.Value && yes.Value != Unknown {
			return Decision{Value: yes.Value, Because: slices.Concat(yes.Because, no.Because)}
		}
		condition.Open = slices.Concat(condition.Open, yes.Open, no.Open)
		return condition
	}
	chosen.Because = slices.Concat(condition.Because, chosen.Because)
	return chosen
}

func (e *evaluation) leaf(o *operand) Decision {
	if o.bad != nil {
		e.err = o.bad
		return Decision{}
	}
	var d Decision
	for _, r := range o.reads {
		if !e.known(r) {
			d.Open = append(d.Open, r)
		}
	}
	if len(d.Open) > 0 {
		d.Because = e.causes(o, e.known)
		return d
	}
	v, err := e.program.run(o.code, e.values)
	if err != nil {
		e.err = err
		return d
	}
	truth, ok := v.(bool)
	if !ok {
		_, why := convert(v, Bool())
		e.err = whole(e.program.text, why, "")
		return d
	}
	d.Value = False
	if truth {
		d.Value = True
	}
	d.Because = e.causes(o, e.known)
	return d
}

func (e *evaluation) causes(o *operand, known func(Read) bool) []Cause {
	if len(o.reads) == 0 {
		return []Cause{{Text: o.text}}
	}
	var found []Cause
	for _, r := range o.reads {
		if known(r) {
			found = append(found, Cause{Path: r.Path, Value: lookUp(e.values, r.Path), Text: o.text})
		}
	}
	return found
}

func lookUp(values map[string]any, path []string) any {
	var v any = values
	for _, name := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

func uniqueCauses(causes []Cause) []Cause {
	var unique []Cause
	for _, c := range causes {
		if !slices.ContainsFunc(unique, func(u Cause) bool { return slices.Equal(u.Path, c.Path) && u.Text == c.Text }) {
			unique = append(unique, c)
		}
	}
	return unique
}

// Implies says whether reader's gate holds only where other's does: its top-level
// && parts include every part of the other's. Nothing cleverer. A nil program is
// no gate.
func Implies(reader, other *Program) bool {
	if other == nil {
		return true
	}
	if reader == nil {
		return false
	}
	have := conjuncts(reader.tree, nil)
	for _, part := range conjuncts(other.tree, nil) {
		if !slices.Contains(have, part) {
			return false
		}
	}
	return true
}

func conjuncts(node ast.Node, parts []string) []string {
	if n, ok := node.(*ast.BinaryNode); ok && n.Operator == "&&" {
		return conjuncts(n.Right, conjuncts(n.Left, parts))
	}
	return append(parts, node.String())
}
