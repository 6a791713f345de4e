package gate

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/checker/nature"

	"github.com/labrun/labrun/pipeline/source"
)

// fits checks the type of an expression's result against what is wanted.
func fits(text string, node ast.Node, want Type) *Error {
	switch n := node.(type) { // what is wrong with one branch is told at that branch
	case *ast.ConditionalNode:
		if err := fits(text, n.Exp1, want); err != nil {
			return err
		}
		return fits(text, n.Exp2, want)
	case *ast.VariableDeclaratorNode:
		return fits(text, n.Expr, want)
	case *ast.StringNode:
		if values := want.Enum(); values != nil && !slices.Contains(values, n.Value) {
			return atLocation(text, n.Location(), notAmong(n.Value, values), source.DidYouMean(n.Value, values))
		}
	}
	have := *node.Nature()
	if why, hint := mismatch(have, want); why != "" {
		span := extent(text, node)
		return at(text, span.From, span.Width, why, hint)
	}
	return nil
}

func notAmong(value string, values []string) string {
	return fmt.Sprintf("%q is none of %s", value, strings.Join(values, ", "))
}

// mismatch says why a result cannot be what is wanted, "" where it can or where
// only the run can tell.
func mismatch(have nature.Nature, want Type) (why, hint string) {
	if want.kind == anyKind || have.Type == nil && !have.Nil || have.Kind == reflect.Interface {
		return "", ""
	}
	got := typeName(have)
	ok := true
	switch want.kind {
	case boolKind:
		ok = have.Kind == reflect.Bool
		if have.Kind == reflect.Slice || have.Kind == reflect.Map {
			hint = "len(…) > 0 says whether there is something in it"
		}
	case intKind:
		ok = have.IsInteger
		if have.IsFloat {
			hint = "a division gives a fraction: int(…) cuts it off"
		}
	case floatKind:
		ok = have.IsInteger || have.IsFloat
	case stringKind:
		ok = have.Kind == reflect.String
		if have.IsInteger || have.IsFloat || have.Kind == reflect.Bool {
			hint = "string(…) makes a string of it"
		}
	case textKind:
		ok = have.Kind == reflect.String || have.IsInteger || have.IsFloat || have.Kind == reflect.Bool
		if have.Kind == reflect.Slice {
			hint = `join(…, ",") makes a string of a list`
		}
	case listKind:
		return listMismatch(have, want)
	case mapKind:
		return mapMismatch(have, want)
	}
	if ok {
		return "", ""
	}
	return fmt.Sprintf("must be %s, this is %s", want, got), hint
}

func listMismatch(have nature.Nature, want Type) (why, hint string) {
	if have.Kind != reflect.Slice && have.Kind != reflect.Array {
		return fmt.Sprintf("must be a list, this is %s", typeName(have)), "[x] is a list of one"
	}
	if have.Ref == nil {
		return "", ""
	}
	if why, hint = mismatch(*have.Ref, *want.more.elem); why != "" {
		return "an item of the list " + why, hint
	}
	return "", ""
}

func mapMismatch(have nature.Nature, want Type) (why, hint string) {
	if have.Kind == reflect.String && want.more.scalar {
		return "", ""
	}
	if have.Kind != reflect.Map {
		return fmt.Sprintf("must be a map, this is %s", typeName(have)), ""
	}
	if have.TypeData == nil || !have.Strict || want.more.fields == nil {
		return "", ""
	}
	var names []string
	for name := range have.Fields {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		inner, ok := want.more.fields[name]
		if !ok {
			return fmt.Sprintf("has a member %q that does not belong here", name), source.DidYouMean(name, want.Names())
		}
		if why, hint = mismatch(have.Fields[name], inner); why != "" {
			return fmt.Sprintf("%s: %s", name, why), hint
		}
	}
	for _, name := range want.Names() {
		if _, ok := have.Fields[name]; !ok && !want.more.optional[name] {
			return fmt.Sprintf("lacks the member %q", name), ""
		}
	}
	return "", ""
}

func typeName(n nature.Nature) string {
	if n.Nil {
		return "nothing"
	}
	if n.Type == nil {
		return "anything"
	}
	return plainTypes(n.Type.String())
}

// extent is the part of the text that node and all below it stand in.
func extent(text string, node ast.Node) Span {
	from, to := math.MaxInt, 0
	each(node, func(n ast.Node) {
		l := n.Location()
		if l.To > l.From {
			from, to = min(from, l.From), max(to, l.To)
		}
	})
	if from > to {
		from, to = 0, len([]rune(text))
	}
	return Span{From: from, Width: to - from}
}
