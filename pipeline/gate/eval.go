package gate

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"

	"github.com/expr-lang/expr/vm"
)

// Eval evaluates the expression on values by root: lab, steps, item. The outputs
// of a skipped step are an empty map there. The result is of the wanted type: an
// int, a float64, a string, a bool, []any or map[string]any; nil where the
// expression found nothing and no bool is wanted. The error is an *Error.
func (p *Program) Eval(values map[string]any) (any, error) {
	result, failed := p.run(p.code, values)
	if failed != nil {
		return nil, failed
	}
	raw := result
	result, why := convert(raw, p.want)
	if why != "" {
		failed := whole(p.text, why, "")
		failed.Absent = raw == nil && p.want.kind == boolKind
		return nil, failed
	}
	return result, nil
}

func (p *Program) run(code *vm.Program, values map[string]any) (any, *Error) {
	result, err := vm.Run(code, values)
	if err != nil {
		l, message := locationOf(err)
		message, _, _ = strings.Cut(message, "\n")
		absent := absence.MatchString(message)
		var refused *callError
		if errors.As(err, &refused) {
			message, absent = refused.message, refused.absent
		} else {
			message = plainWords(message)
		}
		failed := atLocation(p.text, l, message, "")
		if l.To == 0 {
			failed = whole(p.text, message, "")
		}
		failed.Absent = absent
		return nil, failed
	}
	return result, nil
}

// convert makes a result what is wanted, or says why it is not.
func convert(v any, want Type) (any, string) {
	v, why := plainValue(v, 0)
	if why != "" {
		return nil, why
	}
	if v == nil {
		if want.kind == boolKind {
			return nil, "must be true or false, this is nothing: what it reads is not there"
		}
		return nil, ""
	}
	switch got := v.(type) {
	case int:
		if want.kind == floatKind {
			return float64(got), ""
		}
	case float64:
		if want.kind == intKind && got == math.Trunc(got) && math.Abs(got) < 1<<53 {
			return int(got), ""
		}
	}
	if !isOf(v, want) {
		return nil, fmt.Sprintf("must be %s, this is %s", want, plainTypes(reflect.TypeOf(v).String()))
	}
	return v, ""
}

func isOf(v any, want Type) bool {
	switch v := v.(type) {
	case bool:
		return want.kind == boolKind || want.kind == textKind || want.kind == anyKind
	case string:
		if values := want.Enum(); values != nil {
			for _, e := range values {
				if e == v {
					return true
				}
			}
			return false
		}
		return want.kind == stringKind || want.kind == textKind || want.kind == anyKind ||
			want.kind == mapKind && want.more.scalar
	case int:
		return want.kind == intKind || want.kind == textKind || want.kind == anyKind
	case float64:
		return want.kind == floatKind || want.kind == textKind || want.kind == anyKind
	case []any:
		return want.kind == listKind || want.kind == anyKind
	case map[string]any:
		return want.kind == mapKind || want.kind == anyKind
	}
	return false
}

// plainValue makes what expr and its functions give one of the few types that
// values have, and refuses numbers that are none.
func plainValue(v any, depth int) (any, string) {
	if depth > maxLevels {
		return nil, "the result is too deep"
	}
	switch v := v.(type) {
	case nil, bool, string, int:
		return v, ""
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, "the result is no number: something was divided by 0"
		}
		return v, ""
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			plain, why := plainValue(item, depth+1)
			if why != "" {
				return nil, why
			}
			list[i] = plain
		}
		return list, ""
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, item := range v {
			plain, why := plainValue(item, depth+1)
			if why != "" {
				return nil, why
			}
			m[k] = plain
		}
		return m, ""
	}
	return plainOther(reflect.ValueOf(v), depth)
}

// plainOther is plainValue of the types that are seldom met.
func plainOther(v reflect.Value, depth int) (any, string) {
	for v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if !v.IsValid() {
		return nil, ""
	}
	if writtenAsText(v.Type()) {
		return textOf(v), ""
	}
	switch v.Kind() {
	case reflect.Float32, reflect.Float64:
		return plainValue(v.Float(), depth)
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 && v.Kind() == reflect.Slice {
			return string(v.Bytes()), ""
		}
		list := make([]any, v.Len())
		for i := range list {
			list[i] = v.Index(i).Interface()
		}
		return plainValue(list, depth)
	case reflect.Map:
		m := make(map[string]any, v.Len())
		for it := v.MapRange(); it.Next(); {
			m[fmt.Sprint(it.Key().Interface())] = it.Value().Interface()
		}
		return plainValue(m, depth)
	}
	return valueOf(v, depth), ""
}
