package gate

import (
	"fmt"
	"regexp"
	"sort"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"

	"github.com/labrun/labrun/pipeline/source"
)

var (
	goTypes    = regexp.MustCompile(`map\[(?:string|interface \{\})\]interface \{\}|\[\]interface \{\}|interface \{\}|<nil>|\b(?:u?int(?:8|16|32|64)?|float(?:32|64)|bool|string|unknown|any|nil|time\.\w+)\b`)
	mismatched = regexp.MustCompile(`^invalid operation: (\S+) \(mismatched types (.+) and (.+)\)$`)
	onlyOne    = regexp.MustCompile(`^invalid operation: (\S+) \(mismatched type (.+)\)$`)
	noField    = regexp.MustCompile(`^(?:unknown field (\w+)|type .+ has no (?:field|method) (\w+)|type nil has no field (\w+))$`)
	argument   = regexp.MustCompile(`^cannot use (.+) as argument \(type (.+)\) to call (\w+) ?$`)
	arguments  = regexp.MustCompile(`^(too many|not enough) arguments to call (\w+)$`)
	indexRange = regexp.MustCompile(`index out of range: (-?\d+) \(array length is (\d+)\)`)
	fetchNil   = regexp.MustCompile(`cannot fetch (.+) from (<nil>|nil)`)
	converted  = regexp.MustCompile(`interface conversion: interface \{\} is (.+), not (.+)`)
	innards    = regexp.MustCompile(`interface|map\[|\bfloat64|\bint64|reflect|runtime error|goroutine|func\(|ast\.|\[\]`)
	collection = regexp.MustCompile(`^builtin (\w+) takes only array \(got (.+)\)$`)
)

// checkError says in the user's words what the checker refused.
func (c *Compiler) checkError(text string, tree *parser.Tree, err error) *Error {
	l, message := locationOf(err)
	message, _, _ = strings.Cut(message, "\n")
	if m := noField.FindStringSubmatch(message); m != nil {
		return noMember(text, tree.Node, l.From, l.To, m[1]+m[2]+m[3])
	}
	hint := ""
	if m := mismatched.FindStringSubmatch(message); m != nil {
		hint = hintOfTypes(m[1], m[2], m[3])
	}
	return atLocation(text, l, plainWords(message), hint)
}

// noMember says that a value deep in the expression, an item of a list for
// example, has no such member.
func noMember(text string, root ast.Node, from, to int, name string) *Error {
	hint := ""
	each(root, func(n ast.Node) {
		m, ok := n.(*ast.MemberNode)
		if !ok || m.Property.Location().From != from || isNil(m.Node) {
			return
		}
		if data := m.Node.Nature().TypeData; data != nil {
			names := make([]string, 0, len(data.Fields))
			for f := range data.Fields {
				names = append(names, f)
			}
			sort.Strings(names)
			hint = source.DidYouMean(name, names)
			if hint == "" && len(names) > 0 && len(names) <= 8 {
				hint = "there is " + strings.Join(names, ", ")
			}
		}
	})
	return at(text, from, to-from, fmt.Sprintf("there is no %q", name), hint)
}

func hintOfTypes(operator, left, right string) string {
	if operator == "+" && (left == "string" || right == "string") {
		return "string(…) makes a text of a value"
	}
	if operator == "in" {
		return ""
	}
	if left == "string" && right == "bool" || left == "bool" && right == "string" {
		return "true and false stand without quotes"
	}
	if left == "string" && strings.HasPrefix(right, "int") {
		return "a string stands in quotes"
	}
	return ""
}

// plainWords writes a message of expr without the names of Go's types.
func plainWords(message string) string {
	if m := mismatched.FindStringSubmatch(message); m != nil {
		return fmt.Sprintf("%s does not work between %s and %s", m[1], plainTypes(m[2]), plainTypes(m[3]))
	}
	if m := onlyOne.FindStringSubmatch(message); m != nil {
		return fmt.Sprintf("%s does not work on %s", m[1], plainTypes(m[2]))
	}
	if m := argument.FindStringSubmatch(message); m != nil {
		return fmt.Sprintf("%s() takes %s here, this is %s", m[3], plainTypes(m[2]), plainTypes(m[1]))
	}
	if m := arguments.FindStringSubmatch(message); m != nil {
		return fmt.Sprintf("%s arguments for %s()", m[1], m[2])
	}
	if m := indexRange.FindStringSubmatch(message); m != nil {
		return fmt.Sprintf("there is no item %s: the list has %s, counted from 0", m[1], m[2])
	}
	if m := fetchNil.FindStringSubmatch(message); m != nil {
		return fmt.Sprintf("%s is read of nothing: what holds it is not there", m[1])
	}
	if m := converted.FindStringSubmatch(message); m != nil {
		return fmt.Sprintf("this needs %s and got %s", plainTypes(m[2]), plainTypes(m[1]))
	}
	if m := collection.FindStringSubmatch(message); m != nil {
		return fmt.Sprintf("%s() takes a list, this is %s", m[1], plainTypes(m[2]))
	}
	if strings.Contains(message, "divide by zero") {
		return "a division by 0"
	}
	message = strings.TrimPrefix(message, "unknown name ")
	message = strings.NewReplacer("non-bool expression (type ", "a condition is true or false, this is (",
		"predicate should return boolean (got ", "the condition must be true or false (it is ").Replace(message)
	message = goTypes.ReplaceAllStringFunc(message, plainTypes)
	if innards.MatchString(message) {
		return "a value is of another type than is needed here"
	}
	return message
}

// plainTypes names a type of Go for people.
func plainTypes(t string) string {
	switch {
	case strings.HasPrefix(t, "map["):
		return "a map"
	case strings.HasPrefix(t, "["):
		return "a list"
	case t == "bool":
		return "true or false"
	case strings.HasPrefix(t, "int"), strings.HasPrefix(t, "uint"):
		if strings.HasPrefix(t, "interface") {
			return "anything"
		}
		return "a whole number"
	case strings.HasPrefix(t, "float"):
		return "a number"
	case t == "string":
		return "a string"
	case t == "nil", t == "<nil>":
		return "nothing"
	case t == "time.Duration":
		return "a duration"
	case strings.HasPrefix(t, "time."):
		return "a time"
	}
	return "anything"
}
