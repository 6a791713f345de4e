package gate

import (
	"regexp"

	"github.com/expr-lang/expr/ast"
)

// checkAbsent refuses an output that may be nothing where true or false must
// stand: the run would fail at it just when the step was skipped.
func checkAbsent(text string, root ast.Node, want Type) (failed *Error) {
	refuse := func(node ast.Node) {
		chain, ok := node.(*ast.ChainNode)
		if !ok || failed != nil {
			return
		}
		if name, _, ok := chainOf(chain); !ok || name.Value != "steps" {
			return
		}
		span := extent(text, node)
		read := string([]rune(text)[span.From : span.From+span.Width])
		failed = at(text, span.From, span.Width, "must be true or false, this is nothing where the step is skipped", read+" ?? false")
	}
	if want.kind == boolKind {
		refuse(root)
	}
	each(root, func(n ast.Node) {
		switch n := n.(type) {
		case *ast.BinaryNode:
			if n.Operator == "&&" || n.Operator == "||" {
				refuse(n.Left)
				refuse(n.Right)
			}
		case *ast.UnaryNode:
			if n.Operator == "!" {
				refuse(n.Node)
			}
		case *ast.ConditionalNode:
			refuse(n.Cond)
		}
	})
	return failed
}

// absence matches what expr says of a value that is not there.
var absence = regexp.MustCompile(`<nil>|is nil|\(type nil\)|of nil\b|from nil\b|index out of range|nil pointer|zero Value|got nil`)
