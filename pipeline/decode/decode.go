// Package decode makes Go values of the nodes of a file, strictly, and tells all
// that is wrong at once, in the words of the file's author.
//
// Struct tags are the schema. `yaml` names the key; with ",omitempty" it may be
// absent. `default` gives the value of an absent key, as it would stand in the
// file. `enum` holds the allowed values, separated by |, and `doc` the
// description. A field of a struct tagged `scalar:"true"` takes the value where
// a plain text stands for the whole struct. An embedded struct adds its fields.
// An absent optional struct has the defaults of its fields.
//
// A type whose pointer has UnmarshalText is written as text; one whose pointer
// has ResolveIn(dir string) is told the folder of the file that it stands in. One
// that has RefersToSecret() names the place of a secret: a text in its stead is
// not shown in findings. A string takes what is written: 4.20 stays "4.20". map[string]any takes any
// mapping, and *source.Node takes the node itself.
//
// A text may hold expressions, ${{ … }}, where the decoder is handed somebody who
// knows them. A field of type Expr holds an expression that its owner evaluates.
package decode

import (
	"reflect"
	"strings"
	"sync"

	"github.com/labrun/labrun/pipeline/gate"
	"github.com/labrun/labrun/pipeline/source"
)

// Decoder decodes; it keeps what it learnt of Go types. It may be used side by
// side.
type Decoder struct {
	mu    sync.Mutex
	types map[reflect.Type]*layout
	wants map[reflect.Type]gate.Type
}

// New makes a decoder.
func New() *Decoder {
	return &Decoder{types: map[reflect.Type]*layout{}, wants: map[reflect.Type]gate.Type{}}
}

// Target says what is decoded, for messages.
type Target struct {
	Name   string // of the whole: lab, or openshift/registry-ca
	Prefix string // before the path of a part: "lab." or ""
	Noun   string // what a key is: fact, option
}

// Hole is an expression in a value.
type Hole struct {
	Node *source.Node // the scalar that holds it
	Text string       // the expression
	From int          // where Text begins in the scalar's text, in characters
}

// Evaluator knows the expressions of a file. At load it checks them, and says
// their value where it is known already; at run it always does.
type Evaluator interface {
	// Value gives the value of a hole whose value has to be a want.
	Value(h Hole, want gate.Type) (value any, known bool, found source.Diagnostics)
	// Expr gives the expression of a field of type Expr, that may also name vars,
	// and whose value has to be a want.
	Expr(h Hole, vars []string, want gate.Type) (Expr, source.Diagnostics)
}

// Into decodes a node into the struct that target points to. A nil node is an
// empty mapping. With a nil Evaluator every expression is an error.
func (d *Decoder) Into(n *source.Node, target any, what Target, ev Evaluator) source.Diagnostics {
	r := &run{Decoder: d, what: what, eval: ev}
	v := reflect.ValueOf(target).Elem()
	if n == nil || n.Kind == source.Null {
		empty := source.Node{Kind: source.Mapping, Width: 1}
		if n != nil {
			empty.Pos = n.Pos
		}
		n = &empty
	}
	r.value(n, v, spot{})
	return r.found.Sort()
}

// run is one decoding.
type run struct {
	*Decoder
	what  Target
	eval  Evaluator
	given bool // the nodes are the value of an expression, not what a file says
	found source.Diagnostics
}

// spot is where a value belongs: its path, and what its field's tags say.
type spot struct {
	path  string
	field *field // nil for the whole
}

func (s spot) enum() []string {
	if s.field == nil {
		return nil
	}
	return s.field.enum
}

// name is how a spot is called.
func (r *run) name(s spot) string {
	if s.path == "" {
		return r.what.Name
	}
	return r.what.Prefix + s.path
}

func (r *run) fail(n *source.Node, message, hint string) {
	r.found = append(r.found, n.Find(message, hint))
}

// mustBe says that a value is of the wrong kind.
func (r *run) mustBe(n *source.Node, s spot, what, hint string) {
	r.fail(n, r.name(s)+" must be "+what+", found "+n.Describe(), hint)
}

// value decodes a node into v.
func (r *run) value(n *source.Node, v reflect.Value, s spot) {
	if v.Type() == reflect.TypeFor[*source.Node]() {
		v.Set(reflect.ValueOf(n))
		return
	}
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		r.value(n, v.Elem(), s)
		return
	}
	if v.Type() == reflect.TypeFor[Expr]() {
		r.expr(n, v, s)
		return
	}
	if n.Kind == source.Scalar && !r.given && strings.Contains(n.Text, "${{") {
		r.holes(n, v, s)
		return
	}
	r.literal(n, v, s)
}

// literal decodes a node that is no expression.
func (r *run) literal(n *source.Node, v reflect.Value, s spot) {
	switch {
	case isText(v.Type()):
		r.text(n, v, s)
	case v.Kind() == reflect.Struct:
		r.structure(n, v, s)
	case v.Kind() == reflect.Slice:
		r.list(n, v, s)
	case v.Kind() == reflect.Map:
		r.mapping(n, v, s)
	case v.Kind() == reflect.Interface:
		if free := r.free(n, s); free != nil {
			v.Set(reflect.ValueOf(free))
		}
	default:
		r.scalar(n, v, s)
	}
	if v.CanAddr() && !r.given {
		if resolver, ok := v.Addr().Interface().(interface{ ResolveIn(dir string) }); ok {
			resolver.ResolveIn(n.Pos.Dir())
		}
	}
}
