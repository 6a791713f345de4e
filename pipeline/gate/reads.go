package gate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
)

// ReadsOf gives what an expression reads, in the order of the text, without
// knowing any type. It refuses what would hide a read: bare steps, a step or fact
// named by something that is not constant, get(lab, …) and $env; and what does
// not parse.
func ReadsOf(text string) ([]Read, *Error) {
	tree, err := parse(text, nil)
	if err != nil {
		return nil, err
	}
	return readsOfTree(text, tree.Node)
}

func readsOfTree(text string, root ast.Node) ([]Read, *Error) {
	w := &readWalk{text: text}
	w.walk(root, nil, false)
	if w.err != nil {
		return nil, w.err
	}
	slices.SortStableFunc(w.reads, func(a, b Read) int { return cmp.Compare(a.From, b.From) })
	return w.reads, nil
}

// readWalk collects the chains of an expression.
type readWalk struct {
	text  string
	reads []Read
	err   *Error
}

// walk visits node; locals are the names that let has bound, guarded says that
// node stands left of ??.
func (w *readWalk) walk(node ast.Node, locals []string, guarded bool) {
	if w.err != nil || isNil(node) {
		return
	}
	if root, links, ok := chainOf(node); ok {
		w.chain(root, links, locals, guarded)
		return
	}
	switch n := node.(type) {
	case *ast.BinaryNode:
		if n.Operator == "-" {
			w.refuseHyphen(n, locals)
		}
		w.walk(n.Left, locals, n.Operator == "??")
		w.walk(n.Right, locals, guarded && n.Operator == "??")
	case *ast.BuiltinNode:
		if n.Name == "get" && len(n.Arguments) > 0 {
			w.refuseGet(n, locals)
		}
		w.all(n.Arguments, locals)
	case *ast.CallNode:
		if _, named := n.Callee.(*ast.IdentifierNode); !named {
			w.walk(n.Callee, locals, false)
		}
		w.all(n.Arguments, locals)
	case *ast.VariableDeclaratorNode:
		w.walk(n.Value, locals, false)
		w.walk(n.Expr, append(slices.Clip(locals), n.Name), false)
	default:
		w.all(children(node), locals)
	}
}

func (w *readWalk) all(nodes []ast.Node, locals []string) {
	for _, n := range nodes {
		w.walk(n, locals, false)
	}
}

func (w *readWalk) chain(root *ast.IdentifierNode, links []*ast.MemberNode, locals []string, guarded bool) {
	for _, l := range links { // what stands in [ ] may read something itself
		if _, constant := l.Property.(*ast.StringNode); !constant {
			w.walk(l.Property, locals, false)
		}
	}
	if w.err != nil || slices.Contains(locals, root.Value) {
		return
	}
	if root.Value == "$env" {
		w.fail(root.Location(), "$env is not available", "name what is read: lab.x, steps.id.outputs.x")
		return
	}
	w.refuseHidden(root, links)
	r := Read{Path: []string{root.Value}, Spans: []Span{spanOf(root.Location())}, Optional: guarded}
	constant := true
	for _, l := range links {
		name, ok := l.Property.(*ast.StringNode)
		constant = constant && ok
		if constant {
			r.Path = append(r.Path, name.Value)
			r.Spans = append(r.Spans, spanOf(name.Location()))
		}
		r.Optional = r.Optional || l.Optional
	}
	last := r.Spans[len(r.Spans)-1]
	r.From = root.Location().From
	r.Width = last.From + last.Width - r.From
	w.reads = append(w.reads, r)
}

// refuseHidden refuses chains that do not say which step or fact they read.
func (w *readWalk) refuseHidden(root *ast.IdentifierNode, links []*ast.MemberNode) {
	if root.Value == "steps" && len(links) == 0 {
		w.fail(root.Location(), "steps cannot be read as a whole: what a step waits for must be clear before the run",
			"name the step: steps.id.outputs")
		return
	}
	if !isClosedRoot(root.Value) || len(links) == 0 {
		return
	}
	if _, ok := links[0].Property.(*ast.StringNode); !ok {
		what := "fact"
		if root.Value == "steps" {
			what = "step"
		}
		w.fail(links[0].Property.Location(),
			fmt.Sprintf("which %s is read must be clear before the run: %s[…] takes a name in quotes only", what, root.Value), "")
	}
}

func (w *readWalk) refuseGet(n *ast.BuiltinNode, locals []string) {
	root, links, ok := chainOf(n.Arguments[0])
	if !ok || slices.Contains(locals, root.Value) || !isClosedRoot(root.Value) {
		return
	}
	path := root.Value
	for _, l := range links {
		if s, ok := l.Property.(*ast.StringNode); ok {
			path += "." + s.Value
		}
	}
	w.fail(n.Location(), fmt.Sprintf("get(%s, …) would read past the check of the names", path), "name what is read: "+path+".x")
}

// refuseHyphen tells a name with a hyphen, steps.probe-bmcs, from a subtraction.
func (w *readWalk) refuseHyphen(n *ast.BinaryNode, locals []string) {
	root, links, ok := chainOf(n.Left)
	if !ok || len(links) == 0 || slices.Contains(locals, root.Value) {
		return
	}
	right, _, ok := chainOf(n.Right)
	if !ok || slices.Contains(locals, right.Value) || isClosedRoot(right.Value) || isItem(right.Value) {
		return
	}
	left := links[len(links)-1].Property.Location()
	if left.To != n.Location().From || right.Location().From != n.Location().To {
		return
	}
	runes := []rune(w.text)
	end := right.Location().To
	for end < len(runes) && (runes[end] == '-' || runes[end] == '_' || isAlnum(runes[end])) {
		end++
	}
	written := string(runes[left.From:end])
	w.err = at(w.text, left.From, end-left.From, fmt.Sprintf("a hyphen is a minus here: %q cannot be a name", written),
		fmt.Sprintf("did you mean %q?", strings.ReplaceAll(written, "-", "_")))
}

func (w *readWalk) fail(l file.Location, message, hint string) {
	if w.err == nil {
		w.err = atLocation(w.text, l, message, hint)
	}
}

// chainOf takes a chain of members apart: its root and its links in order.
func chainOf(node ast.Node) (*ast.IdentifierNode, []*ast.MemberNode, bool) {
	var links []*ast.MemberNode
	for {
		switch n := node.(type) {
		case *ast.ChainNode:
			node = n.Node
		case *ast.MemberNode:
			links = append(links, n)
			node = n.Node
		case *ast.IdentifierNode:
			slices.Reverse(links)
			return n, links, true
		default:
			return nil, nil, false
		}
	}
}

// isClosedRoot says whether a name holds what is known by name at load.
func isClosedRoot(name string) bool {
	return name == "lab" || name == "steps" || name == "vars" || name == "env"
}

func isItem(name string) bool { return name == "item" || name == "index" }

func isAlnum(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

func spanOf(l file.Location) Span { return Span{From: l.From, Width: max(1, l.To-l.From)} }
