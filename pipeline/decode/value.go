package decode

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"

	"github.com/labrun/labrun/pipeline/source"
)

// nodeOf makes a tree of the value of an expression, so that there is one way
// into Go values. All of it stands where the expression does.
func nodeOf(value any, at *source.Node) *source.Node {
	n := &source.Node{Kind: source.Scalar, Pos: at.Pos, Width: at.Width}
	v := reflect.ValueOf(value)
	for v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.Invalid:
		n.Kind = source.Null
	case reflect.String:
		n.Style, n.Text = source.DoubleQuoted, v.String()
	case reflect.Map:
		n.Kind = source.Mapping
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return compareText(fmt.Sprint(a), fmt.Sprint(b)) })
		for _, k := range keys {
			key := &source.Node{Kind: source.Scalar, Style: source.DoubleQuoted, Text: fmt.Sprint(k), Pos: at.Pos, Width: at.Width}
			n.Entries = append(n.Entries, source.Entry{Key: key, Value: nodeOf(v.MapIndex(k).Interface(), at)})
		}
	case reflect.Slice, reflect.Array:
		n.Kind = source.Sequence
		for i := range v.Len() {
			n.Items = append(n.Items, nodeOf(v.Index(i).Interface(), at))
		}
	default:
		n.Text = textOf(value)
	}
	return n
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// textOf writes a scalar value as it would stand in a text. A whole number that
// a division made is written without a fraction.
func textOf(value any) string {
	f, ok := value.(float64)
	switch {
	case !ok:
		return fmt.Sprint(value)
	case f == math.Trunc(f) && math.Abs(f) < 1e15:
		return strconv.FormatInt(int64(f), 10)
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}
