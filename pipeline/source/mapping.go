package source

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// mapping makes a mapping: duplicate keys are all told, merge keys resolved.
func (c *converter) mapping(values []*ast.MappingValueNode, start *token.Token, flow bool) *Node {
	out := c.at(Mapping, start)
	out.Width = 1
	out.Entries = make([]Entry, 0, len(values))
	seen := make(map[string]*Node, len(values))
	var merged []*Node
	for i, v := range values {
		key, isMerge := c.key(v.Key)
		if i == 0 && !flow {
			out.Pos, out.Width = key.Pos, key.Width
		}
		value := c.value(v)
		name := key.Text
		if isMerge {
			name = "\x00<<" // a quoted "<<" is a key like any other
		}
		if first := seen[name]; first != nil {
			c.found = append(c.found, Diagnostic{
				Pos: key.Pos, Width: key.Width, Message: fmt.Sprintf("the key %q stands twice", key.Text),
				Related: []Related{{first.Pos, "first here"}},
			})
			continue
		}
		seen[name] = key
		if isMerge {
			merged = c.mergeSources(value)
			continue
		}
		out.Entries = append(out.Entries, Entry{key, value})
	}
	for _, m := range merged {
		for _, e := range m.Entries {
			if seen[e.Key.Text] == nil {
				seen[e.Key.Text] = e.Key
				out.Entries = append(out.Entries, e)
			}
		}
	}
	return out
}

// value gives an entry's value; an absent one stands behind its key's colon.
func (c *converter) value(v *ast.MappingValueNode) *Node {
	if n, ok := v.Value.(*ast.NullNode); ok && n.Token.Type != token.NullType {
		out := c.at(Null, v.Start)
		out.Width = 1
		return out
	}
	return c.node(v.Value)
}

func (c *converter) key(n ast.Node) (key *Node, isMerge bool) {
	if m, ok := n.(*ast.MergeKeyNode); ok {
		key = c.at(Scalar, m.Token)
		key.Text = "<<"
		return key, true
	}
	key = c.node(n)
	if key.Kind == Null { // null: as a key is the word
		written := *key
		written.Kind, written.Text = Scalar, n.GetToken().Value
		key = &written
	}
	if key.Kind != Scalar {
		c.found = append(c.found, key.Find("a key has to be a name", "an expression in { } needs quotes: \"${{ … }}\""))
	}
	return key, false
}

// mergeSources gives the mappings that a merge key names, the first wins.
func (c *converter) mergeSources(value *Node) []*Node {
	sources := []*Node{value}
	if value.Kind == Sequence {
		sources = value.Items
	}
	for _, s := range sources {
		if s.Kind != Mapping {
			c.found = append(c.found, s.Find("<< merges mappings, this is "+s.Describe(), "write <<: *anchor, or <<: [*one, *two]"))
			return nil
		}
	}
	return sources
}
