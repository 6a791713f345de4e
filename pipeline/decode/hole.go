package decode

import (
	"encoding/json"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/labrun/labrun/pipeline/gate"
	"github.com/labrun/labrun/pipeline/source"
)

// holes decodes a scalar that may hold expressions. One that is the whole value
// keeps its type; others become part of the text.
func (r *run) holes(n *source.Node, v reflect.Value, s spot) {
	found, err := gate.FindHoles(n.Text)
	if err != nil {
		hint := err.Hint
		if n.CommentFollows() {
			hint = `" #" begins a comment: put the value in quotes`
		}
		r.found = append(r.found, n.FindIn(err.From, err.Width, err.Message, hint))
		return
	}
	if len(found) == 0 {
		literal := *n
		literal.Text = gate.Fill(n.Text, nil, nil)
		r.literal(&literal, v, s)
		return
	}
	if r.eval == nil {
		r.found = append(r.found, n.FindIn(found[0].From, found[0].Width,
			r.name(s)+" is a "+r.what.Noun+", and takes no expression", "facts are literals; what follows from them is a step's to work out"))
		return
	}
	if gate.IsWhole(n.Text, found) {
		h, want := found[0], r.want(v.Type())
		switch {
		case s.enum() != nil && v.Kind() == reflect.String:
			want = gate.EnumOf(s.enum()...)
		case v.Kind() == reflect.Struct && !isText(v.Type()) && r.layout(v.Type()).scalar >= 0:
			want = gate.Any() // a text, or the mapping
		}
		if value, known, bad := r.eval.Value(Hole{n, h.Text, h.TextFrom}, want); bad != nil {
			r.found = append(r.found, bad...)
		} else if known {
			r.assign(value, n, v, s)
		}
		return
	}
	r.mixed(n, found, v, s)
}

// mixed decodes a text with expressions in it.
func (r *run) mixed(n *source.Node, found []gate.Hole, v reflect.Value, s spot) {
	switch {
	case isText(v.Type()), v.Kind() == reflect.String, v.Kind() == reflect.Interface:
	case v.Kind() == reflect.Struct && r.layout(v.Type()).scalar >= 0:
	default:
		r.mustBe(n, s, "one value, not a text with expressions in it", "the expression has to be the whole value")
		return
	}
	results := make([]any, len(found))
	allKnown := true
	for i, h := range found {
		value, known, bad := r.eval.Value(Hole{n, h.Text, h.TextFrom}, gate.Text())
		r.found = append(r.found, bad...)
		results[i] = value
		allKnown = allKnown && known && bad == nil
	}
	if allKnown {
		r.assign(gate.Fill(n.Text, found, results), n, v, s)
	}
}

// assign decodes the value of an expression, with the place of the expression.
func (r *run) assign(value any, n *source.Node, v reflect.Value, s spot) {
	given := r.given
	r.given = true
	if node := nodeOf(value, n); node.Kind != source.Null {
		r.value(node, v, s)
	} else if s.field != nil && !s.field.optional && v.Kind() != reflect.Interface {
		r.fail(n, r.name(s)+": the expression gives nothing", "")
	}
	r.given = given
}

// Expr is an expression that an option holds: its owner evaluates it, with
// further variables where the field's tag `vars:"object"` names some. The tag
// `result:"bool"` says that it is a condition.
type Expr struct {
	Text    string
	Program *gate.Program
	Values  map[string]any // the roots that it sees at run time
	// Where tells an error of the expression with its place.
	Where func(error) error
}

// Eval gives the expression's value; extra holds the further variables. Its error
// has a place, and is a *gate.Error that says whether something was absent.
func (e Expr) Eval(extra map[string]any) (any, error) {
	values := make(map[string]any, len(e.Values)+len(extra))
	for k, v := range e.Values {
		values[k] = v
	}
	for k, v := range extra {
		values[k] = v
	}
	v, err := e.Program.Eval(values)
	if err != nil {
		return nil, &placed{e.Where(err), err}
	}
	return v, nil
}

// placed is an error told with its place, and what it was before.
type placed struct{ told, cause error }

// Error is the error with its place.
func (p *placed) Error() string { return p.told.Error() }

// Unwrap gives both.
func (p *placed) Unwrap() []error { return []error{p.told, p.cause} }

// MarshalJSON writes the expression with what it reads: two that are written
// alike give the same, as far as their further variables do not differ.
func (e Expr) MarshalJSON() ([]byte, error) {
	reads := map[string]any{}
	if e.Program != nil {
		for _, r := range e.Program.Reads() {
			var v any = e.Values
			for _, name := range r.Path {
				m, _ := v.(map[string]any)
				v = m[name]
			}
			reads[strings.Join(r.Path, ".")] = v
		}
	}
	return json.Marshal(map[string]any{"text": e.Text, "reads": reads})
}

// IsZero says whether there is no expression.
func (e Expr) IsZero() bool { return e.Program == nil }

func (r *run) expr(n *source.Node, v reflect.Value, s spot) {
	if n.Kind != source.Scalar {
		r.mustBe(n, s, "an expression", "")
		return
	}
	if r.eval == nil {
		r.fail(n, r.name(s)+" takes no expression here", "")
		return
	}
	h, found := Bare(n)
	if found != nil {
		r.found = append(r.found, found...)
		return
	}
	want := gate.Any()
	var vars []string
	if s.field != nil {
		vars = s.field.vars
		if s.field.result == "bool" {
			want = gate.Bool()
		}
	}
	e, bad := r.eval.Expr(h, vars, want)
	if bad != nil {
		r.found = append(r.found, bad...)
		return
	}
	v.Set(reflect.ValueOf(e))
}

// Bare gives the expression that is a scalar's whole text, with or without
// ${{ }} around it.
func Bare(n *source.Node) (Hole, source.Diagnostics) {
	trimmed := strings.TrimSpace(n.Text)
	if !strings.HasPrefix(trimmed, "${{") {
		return Hole{n, n.Text, 0}, nil
	}
	found, err := gate.FindHoles(n.Text)
	if err != nil {
		return Hole{}, source.Diagnostics{n.FindIn(err.From, err.Width, err.Message, err.Hint)}
	}
	lead := utf8.RuneCountInString(n.Text[:strings.Index(n.Text, "${{")])
	if len(found) == 1 && found[0].From == lead && found[0].Width == utf8.RuneCountInString(trimmed) {
		return Hole{n, found[0].Text, found[0].TextFrom}, nil
	}
	return Hole{}, source.Diagnostics{n.Find("an expression stands here as it is", "leave ${{ }} out, or put it around the whole")}
}
