package labschema

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/labrun/labrun/pipeline/decode"
	"github.com/labrun/labrun/pipeline/source"
)

// ErrNoForm is the error of a Go type whose text has no pattern here.
var ErrNoForm = errors.New("it is not said how its text is written")

// builder makes schemas of Go types by the tags that package decode reads.
type builder struct {
	expressions bool // a value may be an expression
	errs        []error
}

// of is the schema of a Go type; tag is that of its field.
func (b *builder) of(t reflect.Type, tag reflect.StructTag) *node {
	if f, ok := formOf(t); ok {
		n := b.text(f.pattern)
		if f.number {
			n.Type, n.Minimum = append(n.Type, "integer"), ptr(1)
		}
		return n
	}
	switch t {
	case reflect.TypeFor[decode.Expr]():
		return &node{Type: []string{"string", "boolean", "number"}}
	case reflect.TypeFor[*source.Node]():
		return &node{}
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		b.errs = append(b.errs, fmt.Errorf("%s: %w", t, ErrNoForm))
		return &node{}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return b.of(t.Elem(), tag)
	case reflect.Struct:
		return b.structure(t)
	case reflect.Slice:
		return b.orExpression(&node{Type: []string{"array"}, Items: b.of(t.Elem(), tag)})
	case reflect.Map:
		n := &node{Type: []string{"object"}}
		if t.Elem().Kind() != reflect.Interface {
			n.Additional = b.of(t.Elem(), "")
		}
		return b.orExpression(n)
	case reflect.Interface:
		return &node{}
	case reflect.Bool:
		return b.orExpression(&node{Type: []string{"boolean"}})
	case reflect.Float32, reflect.Float64:
		return b.orExpression(&node{Type: []string{"number"}})
	case reflect.String:
		return b.str(tag.Get("enum"))
	}
	return b.integer(t)
}

func (b *builder) integer(t reflect.Type) *node {
	n := &node{Type: []string{"integer"}}
	switch bits := t.Bits(); {
	case reflect.Zero(t).CanUint():
		n.Minimum = ptr(0)
		if bits < 64 {
			n.Maximum = ptr(1<<bits - 1)
		}
	case bits == 32:
		n.Minimum, n.Maximum = ptr(math.MinInt32), ptr(math.MaxInt32)
	}
	return b.orExpression(n)
}

// str is the schema of a string. It takes what is written: 4.20 stays "4.20".
func (b *builder) str(enum string) *node {
	if enum == "" {
		n := b.text("")
		n.Type = []string{"string", "number", "boolean"}
		return n
	}
	n := &node{Type: []string{"string"}, Enum: strings.Split(enum, "|")}
	if b.expressions {
		return &node{AnyOf: []*node{n, {Type: []string{"string"}, Pattern: expressionForm}}}
	}
	return n
}

// text is the schema of a text. A fact takes no expression; an option does, in
// the midst of a text too.
func (b *builder) text(pattern string) *node {
	n := &node{Type: []string{"string"}, Pattern: pattern}
	switch {
	case b.expressions && pattern != "":
		n.Pattern += "|" + holeForm
	case !b.expressions && pattern == "":
		n.Not = &node{Type: []string{"string"}, Pattern: holeForm}
	}
	return n
}

// orExpression lets an expression stand for the whole value.
func (b *builder) orExpression(n *node) *node {
	if b.expressions {
		n.Type = append(n.Type, "string")
		n.Pattern = expressionForm
	}
	return n
}

func (b *builder) structure(t reflect.Type) *node {
	n := &node{Type: []string{"object"}, Additional: false}
	scalar := b.fields(n, t)
	if t.Kind() == reflect.Struct && reflect.PointerTo(t).Implements(reflect.TypeFor[interface{ RefersToSecret() }]()) {
		n.MinProperties, n.MaxProperties = 1, 1 // it is found in just one place
	}
	if scalar {
		text := b.text("")
		n.Type, n.Not = append(n.Type, "string"), text.Not
		return n
	}
	return b.orExpression(n)
}

// fields adds the keys of a struct, and says whether a plain text may stand for it.
func (b *builder) fields(n *node, t reflect.Type) (scalar bool) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, more, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		more = "," + more + ","
		switch {
		case name == "-":
			continue
		case strings.Contains(more, ",inline,") || f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct:
			scalar = b.fields(n, f.Type) || scalar
			continue
		case !f.IsExported():
			continue
		case name == "":
			name = strings.ToLower(f.Name)
		}
		scalar = scalar || f.Tag.Get("scalar") == "true"
		value := b.of(f.Type, f.Tag)
		value.Description = f.Tag.Get("doc")
		fallback, has := f.Tag.Lookup("default")
		if has {
			value.Default = written(f.Type, fallback)
		}
		if !has && !strings.Contains(more, ",omitempty,") {
			n.Required = append(n.Required, name)
		}
		n.Properties = append(n.Properties, member{name, value})
	}
	return scalar
}

// written is a default as a file's author would write it.
func written(t reflect.Type, text string) any {
	switch t.Kind() {
	case reflect.Bool:
		return text == "true"
	case reflect.Int, reflect.Int32, reflect.Uint16, reflect.Uint32:
		if i, err := strconv.ParseInt(text, 0, 64); err == nil {
			return i
		}
	}
	return text
}
