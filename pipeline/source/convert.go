package source

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// anchorName is what people call anchors.
var anchorName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// converter makes our tree of the parser's.
type converter struct {
	text    *text
	anchors map[string]*anchor
	aliased int    // nodes that aliases added so far
	room    []Node // that is not used yet
	found   Diagnostics
}

// anchor is a named value; node is nil while it is still being read.
type anchor struct {
	node *Node
	size int
}

func (c *converter) node(n ast.Node) *Node {
	switch n := n.(type) {
	case *ast.MappingNode:
		return c.mapping(n.Values, n.Start, n.IsFlowStyle)
	case *ast.MappingValueNode:
		return c.mapping([]*ast.MappingValueNode{n}, n.Start, n.IsFlowStyle)
	case *ast.SequenceNode:
		out := c.at(Sequence, n.Start)
		out.Width = 1
		out.Items = make([]*Node, len(n.Values))
		for i, v := range n.Values {
			out.Items[i] = c.node(v)
		}
		return out
	case *ast.AnchorNode:
		return c.anchor(n)
	case *ast.AliasNode:
		return c.alias(n)
	case *ast.TagNode:
		c.fail(c.text.position(n.Start), n.Start.Value, tagMessage(n.Start.Value), tagHint(n.Start.Value))
		return c.at(Null, n.Start)
	case *ast.LiteralNode:
		return c.block(n)
	case *ast.MappingKeyNode:
		return c.node(n.Value)
	case nil:
		return &Node{Kind: Null, Pos: Position{c.text.name, 1, 1}, Width: 1, text: c.text}
	}
	return c.scalar(n.GetToken())
}

// nodesAtOnce is how many nodes one allocation makes room for.
const nodesAtOnce = 64

// at makes a node at a token.
func (c *converter) at(kind Kind, tk *token.Token) *Node {
	if len(c.room) == 0 {
		c.room = make([]Node, nodesAtOnce)
	}
	n := &c.room[0]
	c.room = c.room[1:]
	*n = Node{Kind: kind, Pos: c.text.position(tk), Width: firstLineWidth(tk), text: c.text}
	return n
}

func (c *converter) scalar(tk *token.Token) *Node {
	n := c.at(Scalar, tk)
	n.Text = tk.Value
	switch tk.Type {
	case token.NullType, token.ImplicitNullType:
		n.Kind, n.Text = Null, ""
		n.Pos.Column = min(n.Pos.Column, utf8.RuneCountInString(c.text.line(n.Pos.Line))+1) // the parser counts a blank that may not be there
	case token.SingleQuoteType:
		n.Style = SingleQuoted
	case token.DoubleQuoteType:
		n.Style = DoubleQuoted
	}
	return n
}

// block makes a | or > scalar. Its place is its first line that is not blank.
func (c *converter) block(n *ast.LiteralNode) *Node {
	out := c.at(Scalar, n.Start)
	out.Style = Literal
	if n.Start.Type == token.FoldedType {
		out.Style = Folded
	}
	if n.Value == nil || n.Value.Token == nil {
		return out
	}
	out.Text = n.Value.Token.Value
	for line := n.Start.Position.Line + 1; line <= len(c.text.lines); line++ {
		trimmed := strings.TrimLeft(c.text.line(line), " \t")
		if trimmed == "" {
			continue
		}
		if strings.TrimSpace(out.Text) != "" {
			indent := len(c.text.line(line)) - len(trimmed)
			out.Pos = Position{c.text.name, line, indent + 1}
			out.Width = utf8.RuneCountInString(strings.TrimRight(trimmed, " \t"))
		}
		break
	}
	return out
}

func (c *converter) anchor(n *ast.AnchorNode) *Node {
	name := n.Name.GetToken().Value
	a := &anchor{}
	c.anchors[name] = a
	node := c.node(n.Value)
	a.node, a.size = node, size(node)
	return node
}

func (c *converter) alias(n *ast.AliasNode) *Node {
	tk := n.Value.GetToken()
	name := tk.Value
	pos := c.text.position(n.Start)
	a := c.anchors[name]
	switch {
	case a == nil:
		names := make([]string, 0, len(c.anchors))
		for known := range c.anchors {
			names = append(names, known)
		}
		hint := DidYouMean(name, names)
		if hint == "" && !anchorName.MatchString(name) {
			hint = "a text that begins with * needs quotes"
		} else if hint == "" {
			hint = "an anchor &" + name + " has to stand before it; a text that begins with * needs quotes"
		}
		c.fail(pos, "*"+name, fmt.Sprintf("there is no anchor %q", name), hint)
	case a.node == nil:
		c.fail(pos, "*"+name, fmt.Sprintf("the anchor %q contains itself", name), "")
	default:
		c.aliased += a.size
		if c.aliased <= maxAliased {
			return a.node
		}
		if c.aliased-a.size <= maxAliased { // told once
			c.fail(pos, "*"+name, fmt.Sprintf("aliases make more than %d values", maxAliased), "")
		}
	}
	return c.at(Null, n.Start)
}

// size counts the nodes of a tree, shared ones once a use.
func size(n *Node) int {
	total := 1
	for _, e := range n.Entries {
		total += 1 + size(e.Value)
	}
	for _, item := range n.Items {
		total += size(item)
	}
	return min(total, 10*maxAliased)
}

func (c *converter) fail(pos Position, under, message, hint string) {
	c.found = append(c.found, Diagnostic{Pos: pos, Width: utf8.RuneCountInString(under), Message: message, Hint: hint})
}

// position gives a token's place. The lexer counts one column too few after each
// tab, so that on a line with tabs the token's own first character is looked for.
func (t *text) position(tk *token.Token) Position {
	p := Position{t.name, tk.Position.Line, max(tk.Position.Column, 1)}
	line := t.line(p.Line)
	if !strings.Contains(line, "\t") {
		return p
	}
	written := strings.TrimLeft(tk.Origin, " \t\r\n")
	if written == "" {
		return p
	}
	runes := []rune(line)
	first := []rune(firstLine(written))
	for column := p.Column; column-1+len(first) <= len(runes); column++ {
		if string(runes[column-1:column-1+len(first)]) == string(first) {
			p.Column = column
			return p
		}
	}
	return p
}

func firstLine(s string) string {
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		s = s[:i]
	}
	return strings.TrimRight(s, " \t\r")
}

func firstLineWidth(tk *token.Token) int {
	return max(1, utf8.RuneCountInString(firstLine(strings.TrimLeft(tk.Origin, " \t\r\n"))))
}
