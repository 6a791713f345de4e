package kube

import (
	"fmt"
	"reflect"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/json"
)

// plain makes of a typed or unstructured object the fields that are meant. The
// Go types of operators write fields that nobody set (status, a creation time of
// null, empty names): applied, they would be labrun's own, and an empty name
// would be refused or would erase somebody's.
func plain(o runtime.Object) (*unstructured.Unstructured, error) {
	if u, ok := o.(*unstructured.Unstructured); ok {
		normal, err := normalise(u.Object)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", RefTo(u), err)
		}
		delete(normal, "status")
		return checkPlain(&unstructured.Unstructured{Object: normal})
	}
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		return nil, fmt.Errorf("writing an object as plain fields: %w", err)
	}
	prune(reflect.ValueOf(o), fields)
	delete(fields, "status")
	return checkPlain(&unstructured.Unstructured{Object: fields})
}

func checkPlain(u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if u.GetKind() == "" || u.GetAPIVersion() == "" || u.GetName() == "" {
		return nil, fmt.Errorf("an object needs apiVersion, kind and a name; this one says %q, %q and %q", u.GetAPIVersion(), u.GetKind(), u.GetName())
	}
	return u, nil
}

// normalise gives values as JSON has them, with int64 for whole numbers: what
// was decoded from YAML may hold int, which cannot be deep-copied. Nulls stay.
func normalise(m map[string]any) (map[string]any, error) {
	text, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	err = json.Unmarshal(text, &out)
	return out, err
}

// prune takes out of fields, which were made of the struct v, what a struct field
// holds only because it has no omitempty: null, the empty string, and a struct
// that is zero. Entries of maps, elements of lists, false, 0 and what a pointer
// points at were put there by somebody, and stay.
func prune(v reflect.Value, fields any) {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return
		}
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.Struct:
		if m, ok := fields.(map[string]any); ok {
			pruneStruct(v, m)
		}
	case reflect.Slice, reflect.Array:
		if list, ok := fields.([]any); ok && len(list) == v.Len() {
			for i := range list {
				prune(v.Index(i), list[i])
			}
		}
	case reflect.Map:
		if m, ok := fields.(map[string]any); ok && v.Type().Key().Kind() == reflect.String {
			for _, k := range v.MapKeys() {
				prune(v.MapIndex(k), m[k.String()])
			}
		}
	}
}

func pruneStruct(v reflect.Value, m map[string]any) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if !field.IsExported() {
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" && field.Anonymous {
			prune(v.Field(i), m)
			continue
		}
		value, there := m[name]
		if !there {
			continue
		}
		prune(v.Field(i), value)
		if value == nil || value == "" || unset(v.Field(i)) || emptied(v.Field(i), value) {
			delete(m, name)
		}
	}
}

// unset says that a struct field holds the zero struct (a Duration, a Quantity, a
// reference without a name).
func unset(v reflect.Value) bool { return v.Kind() == reflect.Struct && v.IsZero() }

// emptied says that nothing is left of a struct that is no pointer.
func emptied(v reflect.Value, value any) bool {
	m, ok := value.(map[string]any)
	return ok && len(m) == 0 && v.Kind() == reflect.Struct
}
