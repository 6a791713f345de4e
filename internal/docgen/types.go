package main

import (
	"reflect"
	"strings"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline/decode"
	"github.com/labrun/labrun/pipeline/source"
)

// key is one key of options or outputs.
type key struct {
	name     string
	optional bool
	of       reflect.Type
	tag      reflect.StructTag
}

// keys reads the tags of a struct, as package decode does; those of an embedded
// struct come last, as they are the same for many steps.
func keys(t reflect.Type) []key {
	var own, embedded []key
	for i := range t.NumField() {
		f := t.Field(i)
		name, more, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case f.Anonymous && f.Type.Kind() == reflect.Struct && name == "":
			embedded = append(embedded, keys(f.Type)...)
		case !f.IsExported() || name == "-":
		default:
			own = append(own, key{name, strings.Contains(","+more+",", ",omitempty,"), f.Type, f.Tag})
		}
	}
	return append(own, embedded...)
}

// typeName says what an author writes for a value of a type.
func typeName(t reflect.Type, tag reflect.StructTag) string {
	if enum := tag.Get("enum"); enum != "" && t.Kind() == reflect.String {
		return "`" + strings.ReplaceAll(enum, "|", "`, `") + "`"
	}
	if v, ok := valueOf(t); ok {
		return v.name
	}
	switch t {
	case reflect.TypeFor[decode.Expr]():
		return "expression"
	case reflect.TypeFor[labs.Worker]():
		return "worker, `lab.workers[i]`"
	case reflect.TypeFor[*source.Node]():
		return "anything"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return typeName(t.Elem(), "")
	case reflect.Slice:
		return "list: " + typeName(t.Elem(), tag)
	case reflect.Map:
		if t.Elem().Kind() == reflect.Interface {
			return "mapping"
		}
		return "mapping: " + typeName(t.Elem(), "")
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int32, reflect.Int64, reflect.Float64:
		return "number"
	case reflect.String:
		return "text"
	case reflect.Interface:
		return "anything"
	}
	return "mapping"
}
