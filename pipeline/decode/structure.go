package decode

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/labrun/labrun/pipeline/source"
)

// structure decodes a mapping into a struct: unknown, missing and wrong keys are
// all told.
func (r *run) structure(n *source.Node, v reflect.Value, s spot) {
	l := r.layout(v.Type())
	if n.Kind == source.Scalar && l.scalar >= 0 {
		f := &l.fields[l.scalar]
		r.value(n, v.FieldByIndex(f.index), spot{s.path, f})
		r.fallbacks(v, l, n, s, func(other *field) bool { return other != f })
		return
	}
	if n.Kind == source.Scalar && refersToSecret(v.Type()) {
		r.found = append(r.found, source.Diagnostic{
			Pos: n.Pos, Width: n.Width, Private: true,
			Message: r.name(s) + " must say where the secret is found, never the secret itself",
			Hint:    "a mapping" + withKeys(l.names),
		})
		return
	}
	if n.Kind != source.Mapping {
		r.mustBe(n, s, "a mapping"+withKeys(l.names), "")
		return
	}
	present := make(map[string]bool, len(n.Entries))
	for _, e := range n.Entries {
		i, ok := l.byName[e.Key.Text]
		if !ok {
			r.unknown(e.Key, l.names, s)
			continue
		}
		f := &l.fields[i]
		inner := spot{join(s.path, f.name), f}
		if e.Value.Kind == source.Null {
			if !f.optional && v.FieldByIndex(f.index).Kind() != reflect.Interface {
				present[f.name] = true
				r.fail(e.Key, r.name(inner)+" is empty", f.doc)
			}
			continue
		}
		present[f.name] = true
		r.value(e.Value, v.FieldByIndex(f.index), inner)
	}
	r.fallbacks(v, l, n, s, func(f *field) bool { return !present[f.name] })
	for i := range l.fields {
		if f := &l.fields[i]; !f.optional && !present[f.name] {
			r.fail(n, r.name(spot{path: join(s.path, f.name)})+" is missing", f.doc)
		}
	}
}

// fallbacks sets the defaults of the fields that are absent.
func (r *run) fallbacks(v reflect.Value, l *layout, at *source.Node, s spot, absent func(*field) bool) {
	for i := range l.fields {
		f := &l.fields[i]
		if !absent(f) {
			continue
		}
		fv := v.FieldByIndex(f.index)
		if f.defaults {
			text := &source.Node{Kind: source.Scalar, Text: f.fallback, Pos: at.Pos, Width: at.Width}
			given := r.given
			r.given = true // a default is no path of the file, and no expression
			r.value(text, fv, spot{join(s.path, f.name), f})
			r.given = given
			continue
		}
		if f.optional && fv.Kind() == reflect.Struct && !isText(fv.Type()) && fv.Type() != reflect.TypeFor[Expr]() {
			r.fallbacks(fv, r.layout(fv.Type()), at, spot{join(s.path, f.name), f}, func(*field) bool { return true })
		}
	}
}

func (r *run) unknown(key *source.Node, names []string, s spot) {
	hint := source.DidYouMean(key.Text, names)
	if hint == "" && len(names) > 0 && len(names) <= 8 {
		hint = "there is " + strings.Join(names, ", ")
	}
	r.fail(key, fmt.Sprintf("%s has no %s %q", r.name(s), r.what.Noun, key.Text), hint)
}

func (r *run) list(n *source.Node, v reflect.Value, s spot) {
	if n.Kind != source.Sequence {
		hint := ""
		if n.Kind == source.Scalar {
			hint = fmt.Sprintf("write [%s] for a list of one", n.Text)
			if len(n.Text) > 40 {
				hint = "write it in [ ] for a list of one"
			}
		}
		r.mustBe(n, s, "a list"+ofWhat(v.Type().Elem()), hint)
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Items), len(n.Items)))
	for i, item := range n.Items {
		inner := spot{fmt.Sprintf("%s[%d]", s.path, i), s.field}
		if item.Kind == source.Null && v.Type().Elem().Kind() != reflect.Interface {
			r.fail(item, r.name(inner)+" is empty", "")
			continue
		}
		r.value(item, v.Index(i), inner)
	}
	if v.Type().Elem().Kind() == reflect.Pointer {
		v.Set(filled(v))
	}
}

// filled leaves out the items that point to nothing: that they are empty has been told.
func filled(list reflect.Value) reflect.Value {
	kept := reflect.MakeSlice(list.Type(), 0, list.Len())
	for i := range list.Len() {
		if item := list.Index(i); !item.IsNil() {
			kept = reflect.Append(kept, item)
		}
	}
	return kept
}

func (r *run) mapping(n *source.Node, v reflect.Value, s spot) {
	if n.Kind != source.Mapping {
		r.mustBe(n, s, "a mapping", "")
		return
	}
	v.Set(reflect.MakeMapWithSize(v.Type(), len(n.Entries)))
	for _, e := range n.Entries {
		inner := spot{join(s.path, e.Key.Text), s.field}
		if strings.Contains(e.Key.Text, "${{") && !r.given {
			r.fail(e.Key, "a key cannot hold an expression", "")
			continue
		}
		item := reflect.New(v.Type().Elem()).Elem()
		if e.Value.Kind != source.Null {
			r.value(e.Value, item, inner)
		}
		key := reflect.New(v.Type().Key()).Elem()
		r.scalar(e.Key, key, spot{path: inner.path})
		v.SetMapIndex(key, item)
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// withKeys names the keys of a mapping, where they are few.
func withKeys(names []string) string {
	if len(names) == 0 || len(names) > 6 {
		return ""
	}
	return " with " + strings.Join(names, ", ")
}

// ofWhat names what a list holds.
func ofWhat(t reflect.Type) string {
	switch {
	case isText(t), t.Kind() == reflect.String:
		return " of texts"
	case t.Kind() == reflect.Struct, t.Kind() == reflect.Map:
		return " of mappings"
	case t.Kind() >= reflect.Int && t.Kind() <= reflect.Float64:
		return " of numbers"
	}
	return ""
}
