package gate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/types"

	"github.com/labrun/labrun/pipeline/source"
)

// Scope is what an expression may name: lab, vars, env, steps, item, index.
type Scope struct {
	Roots map[string]Type
}

// resolve gives the type at the end of a read, and how many names of its path led
// there: fewer than all where the type of what is further is not known.
func (s Scope) resolve(text string, r Read, functions []string) (Type, int, *Error) {
	t, ok := s.Roots[r.Path[0]]
	if !ok {
		return Type{}, 0, s.unknownRoot(text, r, functions)
	}
	for i, name := range r.Path[1:] {
		if t.kind == anyKind {
			return t, i + 1, nil
		}
		if t.kind != mapKind {
			above, hint := strings.Join(r.Path[:i+1], "."), ""
			if elem, ok := t.Elem(); ok && elem.more != nil && elem.more.fields != nil {
				hint = fmt.Sprintf("of one item: %s[0].%s; of all: map(%s, .%s)", above, name, above, name)
			}
			return Type{}, 0, at(text, r.Spans[i+1].From, r.Spans[i+1].Width, fmt.Sprintf("%s is %s: it has no %q", above, t, name), hint)
		}
		next, ok := t.Field(name)
		if !ok {
			return Type{}, 0, unknownMember(text, r, i+1, t)
		}
		t = next
	}
	return t, len(r.Path), nil
}

func (s Scope) unknownRoot(text string, r Read, functions []string) *Error {
	name := r.Path[0]
	hint := ""
	switch {
	case name == "null" || name == "None":
		hint = "nothing is nil"
	case name == "True" || name == "TRUE":
		hint = "write true"
	case name == "False" || name == "FALSE":
		hint = "write false"
	case name == "item" || name == "index":
		hint = name + " is there in a step with forEach"
	case slices.Contains(functions, name):
		hint = name + " is a function: " + name + "(…)"
	default:
		hint = s.whereElse(name)
	}
	return at(text, r.Spans[0].From, r.Spans[0].Width, fmt.Sprintf("nothing is called %q here", name), hint)
}

// whereElse finds a name that stands one level deeper, or a near one.
func (s Scope) whereElse(name string) string {
	for _, root := range []string{"lab", "vars", "env"} {
		if t, ok := s.Roots[root]; ok && t.kind == mapKind {
			if _, ok := t.more.fields[name]; ok {
				return fmt.Sprintf("did you mean %q?", root+"."+name)
			}
		}
	}
	if t, ok := s.Roots["steps"]; ok && t.kind == mapKind {
		if _, ok := t.more.fields[name]; ok {
			return fmt.Sprintf("did you mean %q?", "steps."+name+".outputs")
		}
	}
	roots := make([]string, 0, len(s.Roots))
	for n := range s.Roots {
		roots = append(roots, n)
	}
	slices.Sort(roots)
	return source.DidYouMean(name, roots)
}

// unknownMember says that the i-th name of a read is none of its parent's.
func unknownMember(text string, r Read, i int, parent Type) *Error {
	above, name := strings.Join(r.Path[:i], "."), r.Path[i]
	message := ""
	switch {
	case above == "steps":
		message = fmt.Sprintf("no step has the id %q", name)
	case above == "env":
		message = fmt.Sprintf("the file lists no environment variable %q under env", name)
	case above == "vars":
		message = fmt.Sprintf("vars has no %q", name)
	case r.Path[0] == "lab":
		message = fmt.Sprintf("%s has no fact %q", above, name)
	case r.Path[0] == "steps" && i > 2 && r.Path[2] == "outputs":
		message = fmt.Sprintf("%s has no output %q", strings.TrimSuffix(above, ".outputs"), name)
	default:
		message = fmt.Sprintf("%s has no %q", above, name)
	}
	hint := source.DidYouMean(name, parent.Names())
	if hint == "" {
		hint = foundBelow(above, name, parent)
	}
	return at(text, r.Spans[i].From, r.Spans[i].Width, message, hint)
}

// foundBelow finds a name that was looked for one level too high, or says what
// there is where that is little.
func foundBelow(above, name string, parent Type) string {
	if outputs, ok := parent.more.fields["outputs"]; ok {
		if _, ok := outputs.Field(name); ok && outputs.kind == mapKind {
			return fmt.Sprintf("did you mean %q?", above+".outputs."+name)
		}
	}
	names := parent.Names()
	if len(names) == 0 || len(names) > 6 || above == "steps" {
		return ""
	}
	return "there is " + strings.Join(names, ", ")
}

// environment is the small part of a scope that an expression names: with all of
// a large file's steps in it, one compilation would take a thousand times longer.
type environment struct {
	reads []Read
	ends  []Type // of each read
	used  []int  // names of each read that lead to it
	id    string // equal for environments that check alike
}

func (s Scope) environment(text string, reads []Read, functions []string) (environment, *Error) {
	env := environment{reads: reads, ends: make([]Type, len(reads)), used: make([]int, len(reads))}
	var id strings.Builder
	for i, r := range reads {
		t, used, err := s.resolve(text, r, functions)
		if err != nil {
			return environment{}, err
		}
		env.ends[i], env.used[i] = t, used
		id.WriteString(t.id())
		id.WriteByte(';')
	}
	env.id = id.String()
	return env, nil
}

// types gives the environment as the checker of expr knows it, made anew.
func (e environment) types() types.Map {
	root := &branch{}
	for i, r := range e.reads {
		root.add(r.Path[:e.used[i]], e.ends[i])
	}
	m, _ := root.expr().(types.Map)
	return m
}

// branch is a part of the environment: the whole type, or the members named.
type branch struct {
	leaf    *Type
	members map[string]*branch
}

func (b *branch) add(path []string, t Type) {
	if len(path) == 0 {
		b.leaf = &t
		return
	}
	if b.members == nil {
		b.members = map[string]*branch{}
	}
	m, ok := b.members[path[0]]
	if !ok {
		m = &branch{}
		b.members[path[0]] = m
	}
	m.add(path[1:], t)
}

func (b *branch) expr() types.Type {
	if b.leaf != nil {
		return b.leaf.expr()
	}
	m := types.Map{}
	for n, c := range b.members {
		m[n] = c.expr()
	}
	return m
}
