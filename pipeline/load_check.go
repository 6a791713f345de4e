package pipeline

import (
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/labrun/labrun/pipeline/decode"
	"github.com/labrun/labrun/pipeline/gate"
	"github.com/labrun/labrun/pipeline/source"
)

// check checks a step's expressions and options. What is found in another file
// than the step's own names that file, too.
func (l *loader[E]) check(s *step[E]) {
	before := len(l.found)
	s.When = l.expression(s, s.doc.When, s.scope, gate.Bool())
	if s.When != nil && l.isKnown(s.When.Program) {
		if _, err := s.When.Eval(l.p.Values); err != nil {
			l.fail(s.When.Diagnose(err))
		}
	}
	s.Retry = l.retry(s)
	l.options(s)
	l.nameStep(s, before)
}

// nameStep adds to what was found since before, in another file than the step's
// own, where the step is declared.
func (l *loader[E]) nameStep(s *step[E], before int) {
	for i := before; i < len(l.found); i++ {
		if d := &l.found[i]; d.Pos.File != s.Pos.File {
			d.Related = append(d.Related, source.Related{Pos: s.Pos, Message: "the step " + s.ID + " is declared here"})
		}
	}
}

// expression compiles the expression that is a node's whole text; nil for none,
// and for one that is wrong.
func (l *loader[E]) expression(s *step[E], n *source.Node, scope gate.Scope, want gate.Type) *Expression {
	if n == nil {
		return nil
	}
	if n.Kind != source.Scalar {
		l.fail(n.Find("must be an expression, found "+n.Describe(), ""))
		return nil
	}
	h, found := decode.Bare(n)
	if found != nil {
		l.fail(found...)
		return nil
	}
	e, found := l.compile(s, h, scope, want)
	l.fail(found...)
	return e
}

// compile compiles an expression, and notes what it reads.
func (l *loader[E]) compile(s *step[E], h decode.Hole, scope gate.Scope, want gate.Type) (*Expression, source.Diagnostics) {
	lead := len(h.Text) - len(strings.TrimLeft(h.Text, " \t\n"))
	e := &Expression{Text: strings.TrimSpace(h.Text), Node: h.Node, offset: h.From + utf8.RuneCountInString(h.Text[:lead])}
	program, bad := l.compiler.Compile(e.Text, scope, want)
	if bad != nil {
		d := e.Diagnose(bad)
		if h.Node.CommentFollows() {
			d.Hint = `" #" begins a comment: put the value in quotes`
		}
		return nil, source.Diagnostics{d}
	}
	e.Program = program
	for _, r := range program.Reads() {
		if r.Path[0] == "steps" && len(r.Path) > 1 {
			s.reads = append(s.reads, stepRead{r, e})
		}
	}
	return e, nil
}

// isKnown says whether an expression reads just what is known at load.
func (l *loader[E]) isKnown(p *gate.Program) bool {
	if !l.factual {
		return false
	}
	for _, r := range p.Reads() {
		if r.Path[0] != "lab" && r.Path[0] != "vars" && r.Path[0] != "env" {
			return false
		}
	}
	return true
}

// options checks a step's options, as far as their values are known.
func (l *loader[E]) options(s *step[E]) {
	if s.types == nil {
		return
	}
	s.loaded = &loaded{decoder: l.decoder, expressions: map[place]*Expression{}}
	options := reflect.New(s.Kind.Options)
	at := s.With
	if at == nil {
		at = &source.Node{Kind: source.Mapping, Pos: s.doc.Uses.Pos, Width: s.doc.Uses.Width}
	}
	found := l.decoder.Into(at, options.Interface(), optionsTarget(s.Kind.Name), &checker[E]{l, s})
	l.fail(found...)
	if len(found) > 0 || l.req.Check == nil || l.p.Name == "" {
		return
	}
	keys := []string{""}
	if s.ForEach != nil {
		keys = keys[:0]
		for _, i := range s.Instances {
			keys = append(keys, i.Key)
		}
	}
	for _, key := range keys {
		for _, p := range l.req.Check(s.Kind, options.Elem().Interface(), l.p.Name, s.ID, key) {
			where, ok := at.Lookup(p.Path)
			if where == nil || !ok && s.With == nil {
				where = s.doc.ID
			}
			l.fail(where.Find(p.Message, p.Hint))
		}
	}
}

func optionsTarget(kind string) decode.Target {
	return decode.Target{Name: kind, Prefix: "with.", Noun: "option"}
}

// checker checks the expressions in a step's options.
type checker[E any] struct {
	loader *loader[E]
	step   *step[E]
}

// Value checks a hole, and evaluates it where it reads facts only.
func (c *checker[E]) Value(h decode.Hole, want gate.Type) (any, bool, source.Diagnostics) {
	e, found := c.loader.compile(c.step, h, c.step.scope, want)
	if found != nil {
		return nil, false, found
	}
	c.step.loaded.expressions[place{h.Node, h.From}] = e
	if !c.loader.isKnown(e.Program) {
		return nil, false, nil
	}
	v, err := e.Program.Eval(c.loader.p.Values)
	if err != nil {
		return nil, false, source.Diagnostics{e.Diagnose(err)}
	}
	return v, true, nil
}

// Expr checks an expression that the step evaluates; what is in its further
// variables is not known.
func (c *checker[E]) Expr(h decode.Hole, vars []string, want gate.Type) (decode.Expr, source.Diagnostics) {
	scope := c.step.scope
	if len(vars) > 0 {
		scope = gate.Scope{Roots: map[string]gate.Type{}}
		for name, t := range c.step.scope.Roots {
			scope.Roots[name] = t
		}
		for _, name := range vars {
			scope.Roots[name] = gate.Any()
		}
	}
	e, found := c.loader.compile(c.step, h, scope, want)
	if found != nil {
		return decode.Expr{}, found
	}
	c.step.loaded.expressions[place{h.Node, h.From}] = e
	return decode.Expr{Text: e.Text, Program: e.Program}, nil
}

// skippable says whether a step's outputs may be absent, and why.
func (s *step[E]) skippable() (bool, string) {
	switch {
	case s.Disabled != "":
		return true, s.ID + " is disabled"
	case s.Stage == OnFailure:
		return true, s.ID + " runs only where a step failed"
	case s.When != nil:
		return true, fmt.Sprintf("%s is skipped unless %s", s.ID, s.When.Text)
	}
	return false, ""
}

// gateOf shows the gate of a step, "" where it has none.
func gateOf[E any](d *Declared[E]) string {
	if d.When == nil {
		return ""
	}
	return ", when: " + strings.TrimSpace(d.When.Text)
}

// optional refuses a read of outputs that may be absent, where the reader does
// not say what happens then.
func (l *loader[E]) optional(s *step[E], r stepRead) {
	from := l.steps[r.Path[1]]
	if from == nil || r.Optional || len(r.Path) < 3 || r.Path[2] == "status" || r.Path[2] == "items" {
		return
	}
	may, why := from.skippable()
	if s.Stage != InPhase { // it runs whatever came of the others
		l.mayHaveFailed(s, from, r)
		return
	}
	if !may || from.Disabled == "" && s.When != nil && gate.Implies(s.When.Program, from.When.Program) {
		return
	}
	d := r.from.Diagnose(&gate.Error{From: r.From, Width: r.Width, Message: "the outputs of " + r.Path[1] + " may be absent: " + why})
	d.Hint = "say what it is then: " + strings.Join(r.Path, ".") + " ?? …, or give " + s.ID + " the same gate" + gateOf(from.Declared)
	d.Related = []source.Related{{Pos: from.Pos, Message: "the step " + from.ID}}
	l.fail(d)
}
