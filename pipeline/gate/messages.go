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
	innards    = regexp.MustCompile(`interface|map\[|\bfloat64|\bint64|reflect|runtime error|goroutine|func\(|ast\.|\[\]`)
	noField    = regexp.MustCompile(`^(?:unknown field (\w+)|type .+ has no (?:field|method) (\w+)|type nil has no field (\w+))$`)
	mismatched = regexp.MustCompile(`^invalid operation: (\S+) \(mismatched types (.+) and (.+)\)$`)
	onlyOne    = regexp.MustCompile(`^invalid operation: (\S+) \(mismatched type (.+)\)$`)
	atRun      = regexp.MustCompile(`^invalid operation: (.+) ([-+*/%^<>=]+) (.+)$`)
	noNumber   = regexp.MustCompile(`^invalid operation: (int|float)\((.*)\)$`)
	argument   = regexp.MustCompile(`^cannot use (.+) as argument \(type (.+)\) to call (\w+) ?$`)
	arguments  = regexp.MustCompile(`^(too many|not enough) arguments to call (\w+)$`)
	badFor     = regexp.MustCompile(`^invalid argument for (\w+) \(type (.+)\)$`)
	indexRange = regexp.MustCompile(`index out of range: (-?\d+) \(array length is (\d+)\)`)
	fetchNil   = regexp.MustCompile(`cannot fetch (.+) from (?:<nil>|nil)`)
	converted  = regexp.MustCompile(`interface conversion: interface \{\} is (.+), not (.+)`)
	collection = regexp.MustCompile(`^builtin (\w+) takes only array \(got (.+)\)$`)
	condition  = regexp.MustCompile(`^non-bool expression \(type (.+)\) used as condition$`)
	predicate  = regexp.MustCompile(`^predicate should return boolean \(got (.+)\)$`)
	inList     = regexp.MustCompile(`^cannot use (.+) as type (.+) in (?:array|map key)$`)
	noFunction = regexp.MustCompile(`^(.+) is not callable$`)
	badPattern = regexp.MustCompile(`^error parsing regexp: (.+)$`)
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
	if operator == "contains" && strings.HasPrefix(left, "[") {
		return "'x' in list says whether a list holds it"
	}
	if left == "string" && right == "bool" || left == "bool" && right == "string" {
		return "true and false stand without quotes"
	}
	if left == "string" && strings.HasPrefix(right, "int") {
		return "a string stands in quotes; versions are compared with semver_matches(VERSION, '>= 4.20')"
	}
	return ""
}

// rewording is one kind of message of expr: its pattern, what is said instead with
// its groups in place, and which groups name types.
type rewording struct {
	pattern *regexp.Regexp
	instead string
	types   []int
}

func rewordings() []rewording {
	return []rewording{
		{mismatched, "%[1]s does not work between %[2]s and %[3]s", []int{2, 3}},
		{onlyOne, "%[1]s does not work on %[2]s", []int{2}},
		{atRun, "%[2]s does not work between %[1]s and %[3]s", []int{1, 3}},
		{noNumber, "%[1]s() cannot make a number of %[2]s", nil},
		{argument, "%[3]s() takes %[2]s here, this is %[1]s", []int{1, 2}},
		{arguments, "%[1]s arguments for %[2]s()", nil},
		{badFor, "%[1]s() does not take %[2]s", []int{2}},
		{indexRange, "there is no item %[1]s: the list has %[2]s, counted from 0", nil},
		{fetchNil, "%[1]s is read of nothing: what holds it is not there", nil},
		{converted, "this needs %[2]s and got %[1]s", []int{1, 2}},
		{collection, "%[1]s() takes a list, this is %[2]s", []int{2}},
		{condition, "a condition must be true or false, this is %[1]s", []int{1}},
		{predicate, "the condition must be true or false, this is %[1]s", []int{1}},
		{inList, "%[1]s is never in a list of which each item is %[2]s", []int{1, 2}},
		{noFunction, "%[1]s is no function", []int{1}},
		{badPattern, "not a regular expression: %[1]s", nil},
	}
}

// plainWords writes a message of expr without the names of Go's types.
func plainWords(message string) string {
	for _, r := range rewordings() {
		m := r.pattern.FindStringSubmatch(message)
		if m == nil {
			continue
		}
		for _, i := range r.types {
			m[i] = plainTypes(m[i])
		}
		groups := make([]any, len(m)-1)
		for i, g := range m[1:] {
			groups[i] = g
		}
		return fmt.Sprintf(r.instead, groups...)
	}
	if strings.Contains(message, "divide by zero") {
		return "a division by 0"
	}
	message = goTypes.ReplaceAllStringFunc(message, plainTypes)
	message = strings.ReplaceAll(message, "a a ", "a ")
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
	case t == "nil", t == "<nil>", t == "unknown": // expr refuses no other unknown type
		return "nothing"
	case t == "time.Duration":
		return "a duration"
	case strings.HasPrefix(t, "time."):
		return "a time"
	}
	return "anything"
}
