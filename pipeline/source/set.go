package source

import (
	"strings"
	"unicode/utf8"
)

// SetFile is the name of the file in which the arguments of --set stand, one a
// line.
const SetFile = "--set"

// ParseSet makes a tree of one argument of --set, path=value:
// lab.release.image=quay.io/x, lab.workers.worker0.boot_mac=52:54:00:00:00:11,
// lab.workers[0].name=w. A name that holds dots stands in brackets. The value is
// taken as it is, but for null, which removes, and a value in quotes, { } or [ ],
// which is read as YAML. line is the argument's number, from 1.
func ParseSet(arg string, line int) (*Node, Diagnostics) {
	t := &text{name: SetFile, lines: make([]string, line)}
	t.lines[line-1] = arg
	fail := func(column int, message, hint string) (*Node, Diagnostics) {
		return nil, Diagnostics{{Pos: Position{SetFile, line, column}, Width: 1, Message: message, Hint: hint}}
	}
	if !utf8.ValidString(arg) || strings.ContainsAny(arg, "\x00\n\r") {
		return fail(1, "the value holds characters that stand in no line of text", "")
	}
	var keys []*Node
	rest, column := arg, 1
	for {
		part, width, end, ok := nextPart(rest)
		if !ok {
			return fail(column, "expected PATH=VALUE", "lab.release.version=4.20.3")
		}
		keys = append(keys, &Node{Kind: Scalar, Text: part, Pos: Position{SetFile, line, column}, Width: max(width, 1), text: t})
		column += utf8.RuneCountInString(rest[:end])
		rest = rest[end:]
		if len(keys) > maxDepth {
			return fail(column, "the path is too deep", "")
		}
		if strings.HasPrefix(rest, "=") {
			break
		}
		if strings.HasPrefix(rest, ".") {
			rest, column = rest[1:], column+1
		}
	}
	value, found := setValue(t, rest[1:], line, column+1)
	if found != nil {
		return nil, found
	}
	for i := len(keys) - 1; i >= 0; i-- {
		key := keys[i]
		value = &Node{Kind: Mapping, Pos: key.Pos, Width: key.Width, Entries: []Entry{{key, value}}, text: t, set: true}
	}
	return value, nil
}

// nextPart takes one name, or one in brackets, off a path: the name, its width
// and where it ends.
func nextPart(s string) (name string, width, end int, ok bool) {
	if strings.HasPrefix(s, "[") {
		to := strings.IndexByte(s, ']')
		if to < 2 || to+1 >= len(s) || !strings.ContainsRune(".[=", rune(s[to+1])) {
			return "", 0, 0, false
		}
		return s[1:to], utf8.RuneCountInString(s[:to+1]), to + 1, true
	}
	to := strings.IndexAny(s, ".[=")
	if to < 1 {
		return "", 0, 0, false
	}
	return s[:to], utf8.RuneCountInString(s[:to]), to, true
}

// setValue makes the value; its places are those in the argument.
func setValue(t *text, s string, line, column int) (*Node, Diagnostics) {
	pos := Position{SetFile, line, column}
	n := &Node{Kind: Scalar, Text: s, Pos: pos, Width: max(1, utf8.RuneCountInString(s)), text: t}
	if s == "null" {
		n.Kind, n.Text = Null, ""
		return n, nil
	}
	if len(s) < 2 || !strings.Contains(`[]{}""''`, s[:1]+s[len(s)-1:]) {
		return n, nil
	}
	// The value is parsed behind blanks, so that its places are the argument's.
	padded := strings.Repeat("\n", line-1) + strings.Repeat(" ", column-1) + s
	value, found := Parse(SetFile, []byte(padded))
	if found != nil {
		return nil, found
	}
	value.retext(t)
	return value, nil
}

// retext makes the nodes that Parse just made stand in another text.
func (n *Node) retext(t *text) {
	n.text = t
	for _, e := range n.Entries {
		e.Key.retext(t)
		e.Value.retext(t)
	}
	for _, item := range n.Items {
		item.retext(t)
	}
}
