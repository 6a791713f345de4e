package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"github.com/labrun/labrun/pipeline/decode"
	"github.com/labrun/labrun/pipeline/gate"
	"github.com/labrun/labrun/pipeline/source"
)

// vars gives the values and types of the file's vars: literals of any shape.
func (l *loader[E]) vars() (map[string]any, gate.Type) {
	var holder struct {
		Vars map[string]any `yaml:"vars,omitempty"`
	}
	if n := l.main.Vars; n != nil {
		whole := &source.Node{Kind: source.Mapping, Pos: n.Pos, Entries: []source.Entry{{Key: &source.Node{Kind: source.Scalar, Text: "vars"}, Value: n}}}
		l.fail(l.decoder.Into(whole, &holder, decode.Target{Name: "vars", Noun: "literal"}, nil)...)
	}
	plain := map[string]any{}
	types := map[string]gate.Type{}
	for name, v := range holder.Vars {
		plain[name] = plainInts(v)
		types[name] = typeOfValue(plain[name])
	}
	return plain, gate.MapOf(types)
}

// plainInts makes whole numbers ints, as expressions have them.
func plainInts(v any) any {
	switch v := v.(type) {
	case int64:
		return int(v)
	case map[string]any:
		for k, item := range v {
			v[k] = plainInts(item)
		}
	case []any:
		for i, item := range v {
			v[i] = plainInts(item)
		}
	}
	return v
}

// typeOfValue gives the type of a literal. A list whose items differ is one of
// anything.
func typeOfValue(v any) gate.Type {
	switch v := v.(type) {
	case bool:
		return gate.Bool()
	case int:
		return gate.Int()
	case float64:
		return gate.Float()
	case string:
		return gate.String()
	case map[string]any:
		types := make(map[string]gate.Type, len(v))
		for k, item := range v {
			types[k] = typeOfValue(item)
		}
		return gate.MapOf(types)
	case []any:
		elem := gate.Any()
		for i, item := range v {
			switch item.(type) {
			case map[string]any, []any:
				return gate.ListOf(gate.Any())
			}
			t := typeOfValue(item)
			if i > 0 && t.String() != elem.String() {
				return gate.ListOf(gate.Any())
			}
			elem = t
		}
		return gate.ListOf(elem)
	}
	return gate.Any()
}

// env gives the environment variables that the file lists: a list of names, or a
// mapping of names to defaults, null for none.
func (l *loader[E]) env() (map[string]any, gate.Type) {
	values, types := map[string]any{}, map[string]gate.Type{}
	var secret []string
	if l.req.Schema.SecretVariables != nil {
		secret = l.req.Schema.SecretVariables(l.p.Facts)
	}
	take := func(name, fallback *source.Node) {
		if name.Kind != source.Scalar || !variableName.MatchString(name.Text) {
			l.fail(name.Find(name.Describe()+" is no name of an environment variable", ""))
			return
		}
		if slices.Contains(secret, name.Text) {
			l.fail(name.Find("the environment variable "+name.Text+" holds a secret of the lab: what an expression gives is shown in plans and journals",
				"take it out: a program that exec runs has the variable already"))
			return
		}
		types[name.Text] = gate.String()
		value, ok := l.lookupEnv(name.Text)
		switch {
		case ok:
			values[name.Text] = value
		case fallback != nil && fallback.Kind == source.Scalar:
			values[name.Text] = fallback.Text
		case fallback != nil && fallback.Kind != source.Null:
			l.fail(fallback.Find("a default must be a text, found "+fallback.Describe(), ""))
		default:
			l.fail(name.Find(fmt.Sprintf("the environment variable %s is not set", name.Text),
				fmt.Sprintf("set it, or give it a default: env: {%s: …}", name.Text)))
		}
	}
	switch n := l.main.Env; {
	case n == nil:
	case n.Kind == source.Sequence:
		for _, item := range n.Items {
			take(item, nil)
		}
	case n.Kind == source.Mapping:
		for _, e := range n.Entries {
			take(e.Key, e.Value)
		}
	default:
		l.fail(n.Find("env must be a list of names, or names with their defaults, found "+n.Describe(), ""))
	}
	return values, gate.MapOf(types)
}

func (l *loader[E]) lookupEnv(name string) (string, bool) {
	for i := len(l.req.Environ) - 1; i >= 0; i-- {
		if value, ok := strings.CutPrefix(l.req.Environ[i], name+"="); ok {
			return value, true
		}
	}
	return "", false
}
