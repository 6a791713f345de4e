package decode

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/labrun/labrun/pipeline/source"
)

// nodeOf makes a tree of the value of an expression, so that there is one way
// into Go values. All of it stands where the expression does.
func nodeOf(value any, at *source.Node) *source.Node {
	n := &source.Node{Kind: source.Scalar, Pos: at.Pos, Width: at.Width}
	switch value := value.(type) {
	case nil:
		n.Kind = source.Null
	case string:
		n.Style, n.Text = source.DoubleQuoted, value
	case []any:
		n.Kind = source.Sequence
		n.Items = make([]*source.Node, len(value))
		for i, item := range value {
			n.Items[i] = nodeOf(item, at)
		}
	case map[string]any:
		n.Kind = source.Mapping
		n.Entries = make([]source.Entry, 0, len(value))
		for _, k := range slices.Sorted(maps.Keys(value)) {
			key := &source.Node{Kind: source.Scalar, Style: source.DoubleQuoted, Text: k, Pos: at.Pos, Width: at.Width}
			n.Entries = append(n.Entries, source.Entry{Key: key, Value: nodeOf(value[k], at)})
		}
	default:
		n.Text = textOf(value)
	}
	return n
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
