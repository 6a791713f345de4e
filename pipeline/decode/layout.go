package decode

import (
	"encoding"
	"reflect"
	"strings"
	"time"

	"github.com/labrun/labrun/pipeline/gate"
)

// layout is what the tags of a struct say.
type layout struct {
	fields []field
	byName map[string]int
	names  []string
	scalar int // the field that a plain text sets, -1 for none
}

// field is one key of a struct.
type field struct {
	name     string
	index    []int // through embedded structs
	optional bool
	fallback string // the default tag
	defaults bool   // there is one
	enum     []string
	doc      string
	vars     []string // of an Expr: further names it may read
	result   string   // of an Expr: bool, or "" for anything
}

func (d *Decoder) layout(t reflect.Type) *layout {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.layoutLocked(t)
}

func (d *Decoder) layoutLocked(t reflect.Type) *layout {
	if l := d.types[t]; l != nil {
		return l
	}
	l := &layout{byName: map[string]int{}, scalar: -1}
	l.add(t, nil)
	d.types[t] = l
	return l
}

// want gives the type that an expression must have to fit a Go type.
func (d *Decoder) want(t reflect.Type) gate.Type {
	d.mu.Lock()
	defer d.mu.Unlock()
	w, ok := d.wants[t]
	if !ok {
		w = gate.TypeOf(t)
		d.wants[t] = w
	}
	return w
}

func (l *layout) add(t reflect.Type, above []int) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		options = "," + options + ","
		index := append(append([]int(nil), above...), i)
		inline := strings.Contains(options, ",inline,") || f.Anonymous && name == "" && !isText(f.Type)
		switch {
		case name == "-":
			continue
		case inline && f.Type.Kind() == reflect.Struct:
			l.add(f.Type, index)
			continue
		case !f.IsExported():
			continue
		case name == "":
			name = strings.ToLower(f.Name)
		}
		made := field{name: name, index: index, doc: f.Tag.Get("doc"), result: f.Tag.Get("result")}
		made.fallback, made.defaults = f.Tag.Lookup("default")
		made.optional = made.defaults || strings.Contains(options, ",omitempty,")
		if enum := f.Tag.Get("enum"); enum != "" {
			made.enum = strings.Split(enum, "|")
		}
		if vars := f.Tag.Get("vars"); vars != "" {
			made.vars = strings.Split(vars, ",")
		}
		if f.Tag.Get("scalar") == "true" {
			l.scalar = len(l.fields)
		}
		l.byName[name] = len(l.fields)
		l.names = append(l.names, name)
		l.fields = append(l.fields, made)
	}
}

// isText says whether values of t are written as one text that they read
// themselves.
func isText(t reflect.Type) bool {
	return t == reflect.TypeFor[time.Duration]() || reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// refersToSecret says whether values of t name the place of a secret: a text in
// its stead may be the secret, and is not shown.
func refersToSecret(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[interface{ RefersToSecret() }]())
}
