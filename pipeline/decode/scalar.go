package decode

import (
	"encoding"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labrun/labrun/pipeline/source"
)

// The numbers of YAML 1.2. 017 is none: it would be 17 here and 15 elsewhere.
var (
	wholeNumber = regexp.MustCompile(`^[-+]?(0|[1-9][0-9]*)$|^0o[0-7]+$|^0x[0-9a-fA-F]+$`)
	number      = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)
)

// text decodes a scalar into a type that reads its text itself.
func (r *run) text(n *source.Node, v reflect.Value, s spot) {
	if n.Kind != source.Scalar {
		r.mustBe(n, s, "a text", "")
		return
	}
	if r.given && n.Text == "" {
		return // an optional value that is absent
	}
	if v.Type() == reflect.TypeFor[time.Duration]() {
		span, err := time.ParseDuration(n.Text)
		if err != nil || span < 0 {
			r.mustBe(n, s, "a duration", "a number with a unit: 90s, 10m or 1h30m")
			return
		}
		v.SetInt(int64(span))
		return
	}
	if err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(n.Text)); err != nil {
		r.fail(n, r.name(s)+": "+err.Error(), "")
	}
}

// scalar decodes a scalar into a string, a number or a truth value.
func (r *run) scalar(n *source.Node, v reflect.Value, s spot) {
	plain := n.Kind == source.Scalar && n.Style == source.Plain
	quoted := ""
	if n.Kind == source.Scalar && !plain {
		quoted = "leave the quotes out"
	}
	switch v.Kind() {
	case reflect.String:
		r.str(n, v, s)
	case reflect.Bool:
		if b, ok := boolean(n.Text); plain && ok {
			v.SetBool(b)
			return
		}
		if _, ok := boolean(n.Text); !ok {
			quoted = truthHint(n.Text)
		}
		r.mustBe(n, s, "true or false", quoted)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		r.integer(n, v, s, plain, quoted)
	case reflect.Float32, reflect.Float64:
		f, err := strconv.ParseFloat(n.Text, v.Type().Bits())
		if !plain || !number.MatchString(n.Text) || err != nil {
			r.mustBe(n, s, "a number", quoted)
			return
		}
		v.SetFloat(f)
	default:
		r.fail(n, r.name(s)+" cannot be given in a file", "")
	}
}

func (r *run) str(n *source.Node, v reflect.Value, s spot) {
	if n.Kind != source.Scalar {
		r.mustBe(n, s, "a text", "")
		return
	}
	enum := s.enum()
	if enum != nil && !slices.Contains(enum, n.Text) && !(r.given && n.Text == "") {
		r.mustBe(n, s, oneOf(enum), source.DidYouMean(n.Text, enum))
		return
	}
	v.SetString(n.Text)
}

func (r *run) integer(n *source.Node, v reflect.Value, s spot, plain bool, hint string) {
	if !plain || !wholeNumber.MatchString(n.Text) {
		if strings.HasPrefix(n.Text, "0") && len(n.Text) > 1 && number.MatchString(n.Text) {
			hint = "write it without the leading 0, or as 0o" + strings.TrimLeft(n.Text, "0")
		}
		r.mustBe(n, s, "a whole number", hint)
		return
	}
	signed := v.CanInt()
	i, err := strconv.ParseInt(n.Text, 0, 64)
	switch {
	case err != nil || signed && v.OverflowInt(i):
		r.fail(n, fmt.Sprintf("%s: %s is too large", r.name(s), n.Text), "")
	case signed:
		v.SetInt(i)
	case i < 0:
		r.mustBe(n, s, "a number from 0", "")
	case v.OverflowUint(uint64(i)):
		r.fail(n, fmt.Sprintf("%s: %s is too large", r.name(s), n.Text), "")
	default:
		v.SetUint(uint64(i))
	}
}

// free gives a value without a schema: maps, lists and scalars as the YAML 1.2
// core schema reads them, whole numbers as int64.
func (r *run) free(n *source.Node, s spot) any {
	switch n.Kind {
	case source.Mapping:
		m := make(map[string]any, len(n.Entries))
		for _, e := range n.Entries {
			m[e.Key.Text] = r.freeValue(e.Value, spot{join(s.path, e.Key.Text), s.field})
		}
		return m
	case source.Sequence:
		list := make([]any, len(n.Items))
		for i, item := range n.Items {
			list[i] = r.freeValue(item, spot{fmt.Sprintf("%s[%d]", s.path, i), s.field})
		}
		return list
	case source.Scalar:
		return freeScalar(n)
	}
	return nil
}

func (r *run) freeValue(n *source.Node, s spot) any {
	var v any
	r.value(n, reflect.ValueOf(&v).Elem(), s)
	return v
}

func freeScalar(n *source.Node) any {
	if n.Style != source.Plain {
		return n.Text
	}
	if b, ok := boolean(n.Text); ok {
		return b
	}
	if wholeNumber.MatchString(n.Text) {
		if i, err := strconv.ParseInt(n.Text, 0, 64); err == nil {
			return i
		}
	}
	if number.MatchString(n.Text) {
		if f, err := strconv.ParseFloat(n.Text, 64); err == nil {
			return f
		}
	}
	return n.Text
}

func boolean(text string) (value, ok bool) {
	switch text {
	case "true", "True", "TRUE":
		return true, true
	case "false", "False", "FALSE":
		return false, true
	}
	return false, false
}

func truthHint(text string) string {
	switch strings.ToLower(text) {
	case "yes", "on", "y", "1":
		return "write true"
	case "no", "off", "n", "0":
		return "write false"
	}
	return source.DidYouMean(text, []string{"true", "false"})
}

func oneOf(values []string) string {
	if len(values) < 2 {
		return strings.Join(values, "")
	}
	last := len(values) - 1
	return strings.Join(values[:last], ", ") + " or " + values[last]
}
