package gate

import (
	"reflect"

	"github.com/expr-lang/expr/ast"
)

// children gives the nodes right below node, in the order of the text.
func children(node ast.Node) []ast.Node {
	switch n := node.(type) {
	case *ast.UnaryNode:
		return []ast.Node{n.Node}
	case *ast.BinaryNode:
		return []ast.Node{n.Left, n.Right}
	case *ast.ChainNode:
		return []ast.Node{n.Node}
	case *ast.MemberNode:
		return []ast.Node{n.Node, n.Property}
	case *ast.SliceNode:
		return present(n.Node, n.From, n.To)
	case *ast.CallNode:
		return append([]ast.Node{n.Callee}, n.Arguments...)
	case *ast.BuiltinNode:
		return n.Arguments
	case *ast.PredicateNode:
		return []ast.Node{n.Node}
	case *ast.ConditionalNode:
		return []ast.Node{n.Cond, n.Exp1, n.Exp2}
	case *ast.VariableDeclaratorNode:
		return []ast.Node{n.Value, n.Expr}
	case *ast.SequenceNode:
		return n.Nodes
	case *ast.ArrayNode:
		return n.Nodes
	case *ast.MapNode:
		return n.Pairs
	case *ast.PairNode:
		return []ast.Node{n.Key, n.Value}
	}
	return nil
}

func present(nodes ...ast.Node) []ast.Node {
	var there []ast.Node
	for _, n := range nodes {
		if !isNil(n) {
			there = append(there, n)
		}
	}
	return there
}

// isNil says whether there is no node: the parser leaves typed nils, too.
func isNil(n ast.Node) bool {
	if n == nil {
		return true
	}
	v := reflect.ValueOf(n)
	return v.Kind() == reflect.Pointer && v.IsNil()
}

// normalise writes operators one way, and lets every chain into a step's outputs
// that the author marked as optional, with ?. or ??, go on at each of its links:
// the outputs of a skipped step are an empty map, so that any link may be the
// first that finds nothing.
func normalise(root *ast.Node) { ast.Walk(root, normaliser{}) }

type normaliser struct{}

// Visit implements ast.Visitor.
func (normaliser) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.UnaryNode:
		if n.Operator == "not" {
			n.Operator = "!"
		}
	case *ast.BinaryNode:
		switch n.Operator {
		case "and":
			n.Operator = "&&"
		case "or":
			n.Operator = "||"
		case "??":
			makeOptional(&n.Left, true)
		}
	case *ast.MemberNode, *ast.ChainNode:
		makeOptional(node, false)
	}
}

func makeOptional(node *ast.Node, force bool) {
	root, links, ok := chainOf(*node)
	if !ok || len(links) == 0 || root.Value != "steps" && !force {
		return
	}
	for _, l := range links {
		force = force || l.Optional
	}
	if !force {
		return
	}
	var below ast.Node = root
	for _, l := range links {
		l.Node, l.Optional = below, true
		below = l
	}
	chain := &ast.ChainNode{Node: below}
	chain.SetLocation((*node).Location())
	*node = chain
}
