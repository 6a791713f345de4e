package gate

import (
	"slices"

	"github.com/expr-lang/expr/ast"

	"github.com/labrun/labrun/pipeline/source"
)

// checkEnums compares the literals of == and in with the values that the fact on
// the other side may have.
func checkEnums(text string, root ast.Node, scope Scope) *Error {
	w := &enumWalk{text: text, scope: scope}
	w.walk(root)
	return w.err
}

type enumWalk struct {
	text  string
	scope Scope
	items []Type   // of the predicates around, innermost last
	vars  []letVar // of the lets around
	err   *Error
}

type letVar struct {
	name string
	of   Type
}

func (w *enumWalk) walk(node ast.Node) {
	if w.err != nil || isNil(node) {
		return
	}
	switch n := node.(type) {
	case *ast.BinaryNode:
		w.binary(n)
	case *ast.BuiltinNode:
		w.builtin(n)
		return
	case *ast.VariableDeclaratorNode:
		w.walk(n.Value)
		w.vars = append(w.vars, letVar{n.Name, w.typeOf(n.Value)})
		w.walk(n.Expr)
		w.vars = w.vars[:len(w.vars)-1]
		return
	}
	for _, c := range children(node) {
		w.walk(c)
	}
}

func (w *enumWalk) builtin(n *ast.BuiltinNode) {
	for i, a := range n.Arguments {
		p, ok := a.(*ast.PredicateNode)
		if !ok || i == 0 {
			w.walk(a)
			continue
		}
		item, _ := w.typeOf(n.Arguments[0]).Elem()
		w.items = append(w.items, item)
		w.walk(p.Node)
		w.items = w.items[:len(w.items)-1]
	}
}

func (w *enumWalk) binary(n *ast.BinaryNode) {
	switch n.Operator {
	case "==", "!=":
		w.compare(n.Left, n.Right)
		w.compare(n.Right, n.Left)
	case "in":
		if list, ok := n.Right.(*ast.ArrayNode); ok {
			for _, item := range list.Nodes {
				w.compare(n.Left, item)
			}
		}
		if elem, ok := w.typeOf(n.Right).Elem(); ok && elem.Enum() != nil {
			w.literal(elem.Enum(), n.Left)
		}
	}
}

func (w *enumWalk) compare(fact, literal ast.Node) {
	if values := w.typeOf(fact).Enum(); values != nil {
		w.literal(values, literal)
	}
}

func (w *enumWalk) literal(values []string, node ast.Node) {
	s, ok := node.(*ast.StringNode)
	if !ok || slices.Contains(values, s.Value) || w.err != nil {
		return
	}
	w.err = atLocation(w.text, s.Location(), notAmong(s.Value, values), source.DidYouMean(s.Value, values))
}

// typeOf follows members and items from what is known; anything else is Any.
func (w *enumWalk) typeOf(node ast.Node) Type {
	switch n := node.(type) {
	case *ast.IdentifierNode:
		for _, v := range slices.Backward(w.vars) {
			if v.name == n.Value {
				return v.of
			}
		}
		return w.scope.Roots[n.Value]
	case *ast.ChainNode:
		return w.typeOf(n.Node)
	case *ast.PointerNode:
		if n.Name == "" && len(w.items) > 0 {
			return w.items[len(w.items)-1]
		}
	case *ast.MemberNode:
		above := w.typeOf(n.Node)
		if name, ok := n.Property.(*ast.StringNode); ok {
			t, _ := above.Field(name.Value)
			return t
		}
		t, _ := above.Elem()
		return t
	case *ast.SliceNode:
		return w.typeOf(n.Node)
	case *ast.BinaryNode:
		if n.Operator == "??" {
			return w.typeOf(n.Left)
		}
	case *ast.BuiltinNode:
		return w.typeOfBuiltin(n)
	}
	return Type{}
}

func (w *enumWalk) typeOfBuiltin(n *ast.BuiltinNode) Type {
	if len(n.Arguments) == 0 {
		return Type{}
	}
	switch n.Name {
	case "filter", "sortBy", "reverse", "take", "uniq", "sort":
		return w.typeOf(n.Arguments[0])
	case "find", "findLast", "first", "last":
		t, _ := w.typeOf(n.Arguments[0]).Elem()
		return t
	}
	return Type{}
}
