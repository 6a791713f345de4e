package gate

import (
	"encoding"
	"reflect"
	"strings"
	"time"
)

// TypeOf gives the type that a Go type has in expressions, by its yaml tags: a
// struct is a closed map (fields with omitempty included), an embedded or inlined
// one adds its fields, what is written as text and every named string is a
// string with the values of the field's enum tag, a slice is a list, a map has
// unknown keys, and an interface is anything. A struct with a field whose tag is
// scalar:"true" is wanted as that text or as a map, what is written as text and
// has a method TakesNumber() as a text or a number.
func TypeOf(t reflect.Type) Type { return typeOf(t, "", nil) }

func typeOf(t reflect.Type, enum string, above []reflect.Type) Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if takesNumber(t) {
		return Text()
	}
	if writtenAsText(t) {
		return stringType(enum)
	}
	switch t.Kind() {
	case reflect.Bool:
		return Bool()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return Int()
	case reflect.Float32, reflect.Float64:
		return Float()
	case reflect.String:
		return stringType(enum)
	case reflect.Slice, reflect.Array:
		return ListOf(typeOf(t.Elem(), enum, above))
	case reflect.Map:
		return MapOfUnknownKeys(typeOf(t.Elem(), enum, above))
	case reflect.Struct:
		for _, a := range above {
			if a == t {
				return Any() // a type that holds itself has no end
			}
		}
		return structType(t, append(above, t))
	}
	return Any()
}

func structType(t reflect.Type, above []reflect.Type) Type {
	s := &shape{fields: map[string]Type{}, optional: map[string]bool{}}
	for _, f := range membersOf(t) {
		s.fields[f.name] = typeOf(f.field.Type, f.field.Tag.Get("enum"), above)
		if f.optional {
			s.optional[f.name] = true
		}
		s.scalar = s.scalar || f.field.Tag.Get("scalar") == "true"
	}
	return Type{kind: mapKind, more: s}
}

func stringType(enum string) Type {
	if enum == "" {
		return String()
	}
	return EnumOf(strings.Split(enum, "|")...)
}

// writtenAsText says whether values of t stand in YAML as one scalar of text.
func writtenAsText(t reflect.Type) bool {
	return t == reflect.TypeFor[time.Duration]() ||
		t.Implements(reflect.TypeFor[encoding.TextMarshaler]()) ||
		reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// takesNumber says whether values of t, written as text, may be a number: "all"
// or 3.
func takesNumber(t reflect.Type) bool {
	return t.Implements(reflect.TypeFor[interface{ TakesNumber() }]())
}

// member is one field of a struct under its yaml name.
type member struct {
	name     string
	field    reflect.StructField
	index    []int // through embedded structs
	optional bool  // may be left out of a file
}

func membersOf(t reflect.Type) []member {
	var found []member
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		options = "," + options + ","
		inline := strings.Contains(options, ",inline,") || f.Anonymous && name == "" && !writtenAsText(f.Type)
		switch {
		case name == "-":
		case inline && f.Type.Kind() == reflect.Struct:
			for _, m := range membersOf(f.Type) {
				m.index = append([]int{i}, m.index...)
				found = append(found, m)
			}
		case f.IsExported():
			if name == "" {
				name = strings.ToLower(f.Name)
			}
			_, defaulted := f.Tag.Lookup("default")
			optional := defaulted || strings.Contains(options, ",omitempty,")
			found = append(found, member{name: name, field: f, index: []int{i}, optional: optional})
		}
	}
	return found
}

// ValueOf gives a Go value as expressions see it: maps, lists and scalars, by the
// rules of TypeOf. What is absent is its zero value, so that an expression can
// read through it.
func ValueOf(v reflect.Value) any { return valueOf(v, 0) }

// maxLevels bounds values of types that hold themselves.
const maxLevels = 64

func valueOf(v reflect.Value, depth int) any {
	if !v.IsValid() || depth > maxLevels {
		return nil
	}
	if v.Kind() == reflect.Interface {
		return valueOf(v.Elem(), depth)
	}
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			if v.Type().Elem().Kind() != reflect.Struct {
				return nil
			}
			return valueOf(reflect.Zero(v.Type().Elem()), depth+maxLevels/8)
		}
		return valueOf(v.Elem(), depth+1)
	}
	if writtenAsText(v.Type()) {
		return textOf(v)
	}
	switch v.Kind() {
	case reflect.Bool:
		return v.Bool()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return int(v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return int(v.Uint())
	case reflect.Float32, reflect.Float64:
		return v.Float()
	case reflect.String:
		return v.String()
	case reflect.Slice, reflect.Array:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = valueOf(v.Index(i), depth+1)
		}
		return list
	case reflect.Map:
		m := make(map[string]any, v.Len())
		for it := v.MapRange(); it.Next(); {
			m[textOfKey(it.Key())] = valueOf(it.Value(), depth+1)
		}
		return m
	case reflect.Struct:
		m := map[string]any{}
		for _, f := range membersOf(v.Type()) {
			m[f.name] = valueOf(v.FieldByIndex(f.index), depth+1)
		}
		return m
	}
	return nil
}

func textOf(v reflect.Value) string {
	if d, ok := v.Interface().(time.Duration); ok {
		return d.String()
	}
	m, ok := v.Interface().(encoding.TextMarshaler)
	if !ok {
		p := reflect.New(v.Type())
		p.Elem().Set(v)
		m, ok = p.Interface().(encoding.TextMarshaler)
	}
	if ok {
		text, err := m.MarshalText()
		if err != nil {
			return ""
		}
		return string(text)
	}
	if v.Kind() == reflect.String {
		return v.String()
	}
	return ""
}

func textOfKey(v reflect.Value) string {
	if v.Kind() == reflect.String {
		return v.String()
	}
	if s, ok := valueOf(v, 0).(string); ok {
		return s
	}
	return ""
}
