package cli

import (
	"reflect"
	"strings"

	"github.com/labrun/labrun/pipeline/gate"
)

// field is one option or output of a step.
type field struct {
	Name     string   `json:"name"`
	Type     string   `json:"type"`
	Required bool     `json:"required,omitempty"`
	Default  string   `json:"default,omitempty"`
	Values   []string `json:"values,omitempty"`
	Doc      string   `json:"doc,omitempty"`
}

// remark is what stands beside a field: whether it must be given, its default,
// and what it is.
func (f field) remark() string {
	var parts []string
	if f.Doc != "" {
		parts = append(parts, f.Doc)
	}
	switch {
	case f.Default != "":
		parts = append(parts, "default "+f.Default)
	case f.Required:
		parts = append(parts, "required")
	}
	return strings.Join(parts, "; ")
}

// fieldsOf reads the fields of options or outputs by their tags.
func fieldsOf(t reflect.Type) []field {
	if t == nil || t.Kind() != reflect.Struct {
		return nil
	}
	var fields []field
	for n := range t.NumField() {
		sf := t.Field(n)
		name, options, _ := strings.Cut(sf.Tag.Get("yaml"), ",")
		if name == "-" {
			continue
		}
		if sf.Anonymous && name == "" || strings.Contains(options, "inline") {
			fields = append(fields, fieldsOf(sf.Type)...)
			continue
		}
		if !sf.IsExported() {
			continue
		}
		if name == "" {
			name = strings.ToLower(sf.Name)
		}
		f := field{Name: name, Type: typeName(sf.Type), Doc: sf.Tag.Get("doc")}
		if enum := sf.Tag.Get("enum"); enum != "" {
			f.Values = strings.Split(enum, "|")
			f.Type = strings.Join(f.Values, ", ")
		}
		value, has := sf.Tag.Lookup("default")
		f.Default = value
		f.Required = !has && !strings.Contains(options, "omitempty")
		fields = append(fields, f)
	}
	return fields
}

// typeName is a type in the words of the lab file.
func typeName(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Name() == "Expr" {
		return "expression"
	}
	if t.Name() == "Duration" {
		return "duration"
	}
	switch kind := gate.TypeOf(t); {
	case kind.IsList() && t.Kind() == reflect.Slice:
		return "list of " + typeName(t.Elem())
	case t.Kind() == reflect.Struct && kind.Names() != nil, t.Kind() == reflect.Map:
		return "mapping"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case kind.IsAny():
		return "anything"
	case t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64:
		return "number"
	}
	return "text"
}
