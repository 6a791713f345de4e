package source

import (
	"strings"
	"unicode/utf8"
)

// text is a file as lines, without line ends.
type text struct {
	name  string
	lines []string
}

// newText splits a text whose line ends are \n.
func newText(name, s string) *text {
	return &text{name: name, lines: strings.Split(s, "\n")}
}

// line gives a line from 1, "" outside the file.
func (t *text) line(n int) string {
	if t == nil || n < 1 || n > len(t.lines) {
		return ""
	}
	return t.lines[n-1]
}

// At gives the place of a character of a scalar's Text, counted from 0. Past the
// end it gives the place behind the last character.
func (n *Node) At(offset int) Position {
	if n.Kind != Scalar || n.text == nil || offset <= 0 && n.Style == Plain {
		return n.Pos
	}
	switch n.Style {
	case Plain:
		if offset <= n.Width && !strings.Contains(n.Text, "\n") {
			return Position{n.Pos.File, n.Pos.Line, n.Pos.Column + offset}
		}
	case Literal:
		return n.atLiteral(offset)
	}
	return n.walkTo(offset)
}

// Span gives the place of width characters of Text from offset from, and how
// many of them stand on its line.
func (n *Node) Span(from, width int) (Position, int) {
	start := n.At(from)
	if width <= 1 {
		return start, 1
	}
	end := n.At(from + width - 1)
	switch {
	case end.Line == start.Line && end.Column >= start.Column:
		return start, end.Column - start.Column + 1
	case end.Line > start.Line:
		rest := utf8.RuneCountInString(strings.TrimRight(n.text.line(start.Line), " \t")) - start.Column + 1
		return start, max(rest, 1)
	}
	return start, 1
}

// CommentFollows says whether a comment stands behind a plain scalar: a " #" that
// may have cut off what was meant as part of it.
func (n *Node) CommentFollows() bool {
	if n.Kind != Scalar || n.Style != Plain || n.text == nil {
		return false
	}
	end := n.At(utf8.RuneCountInString(n.Text))
	rest := []rune(n.text.line(end.Line))
	if end.Column-1 > len(rest) {
		return false
	}
	return strings.HasPrefix(strings.TrimLeft(string(rest[max(end.Column-1, 0):]), " \t"), "#")
}

// atLiteral finds a character of a | scalar, whose lines stand as they are
// behind their indent.
func (n *Node) atLiteral(offset int) Position {
	if strings.TrimSpace(n.Text) == "" {
		return n.Pos
	}
	line, column := 0, 0
	for _, r := range n.Text {
		if offset == 0 {
			break
		}
		offset--
		column++
		if r == '\n' {
			line, column = line+1, 0
		}
	}
	first, indent := n.Pos.Line, n.Pos.Column-1
	// Pos is the first line that is not blank; blank lines before it are text.
	lead := 0
	for lead < len(n.Text) && n.Text[lead] == '\n' {
		lead++
	}
	rest := n.Text[lead:]
	indent -= len(rest) - len(strings.TrimLeft(rest, " "))
	return Position{n.Pos.File, first - lead + line, max(indent, 0) + column + 1}
}

// walkTo steps through the source and the decoded text side by side. White space
// may be written in other ways than it is decoded (folded lines); every other
// character is found where it is written.
func (n *Node) walkTo(offset int) Position {
	c := cursor{text: n.text, line: n.Pos.Line, column: n.Pos.Column - 1}
	c.load()
	if n.Style == SingleQuoted || n.Style == DoubleQuoted {
		c.column++
	}
	for i, r := range []rune(n.Text) {
		c.seek(r, n.Style)
		if i == offset {
			break
		}
		c.pass(r, n.Style)
	}
	return Position{n.Pos.File, c.line, c.column + 1}
}

// cursor is a place in a text; column counts from 0.
type cursor struct {
	text   *text
	runes  []rune
	line   int
	column int
}

func (c *cursor) load() { c.runes = []rune(c.text.line(c.line)) }

func (c *cursor) peek(ahead int) rune {
	if c.column+ahead < len(c.runes) {
		return c.runes[c.column+ahead]
	}
	return '\n'
}

// seek goes to where the decoded character r is written.
func (c *cursor) seek(r rune, style Style) {
	if style == DoubleQuoted {
		for c.peek(0) == '\\' && c.column+1 >= len(c.runes) { // a \ at a line's end joins the lines
			c.nextLine()
		}
		if c.peek(0) == '\\' {
			return
		}
	}
	if r == ' ' || r == '\n' || r == '\t' {
		return
	}
	for c.line <= len(c.text.lines) {
		for c.column < len(c.runes) {
			if c.runes[c.column] != ' ' && c.runes[c.column] != '\t' {
				if style == DoubleQuoted && c.peek(0) == '\\' && c.column+1 >= len(c.runes) {
					break
				}
				return
			}
			c.column++
		}
		c.nextLine()
	}
}

// pass steps over the character r.
func (c *cursor) pass(r rune, style Style) {
	switch {
	case style == DoubleQuoted && c.peek(0) == '\\':
		c.column += escapeWidth(c.peek(1))
		if r > 0xFFFF && c.peek(0) == '\\' && c.peek(1) == 'u' { // second half of a pair
			c.column += escapeWidth('u')
		}
	case style == SingleQuoted && r == '\'':
		c.column += 2
	case c.peek(0) == r && c.column < len(c.runes):
		c.column++
	}
}

func (c *cursor) nextLine() {
	c.line++
	c.column = 0
	c.load()
}

func escapeWidth(r rune) int {
	switch r {
	case 'x':
		return 4
	case 'u':
		return 6
	case 'U':
		return 10
	}
	return 2
}
