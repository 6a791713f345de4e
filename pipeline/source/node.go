// Package source reads the files of a pipeline: their text, the positions in it,
// the YAML as a node tree of our own, and the diagnostics that point into it.
// goccy/go-yaml is the parser only; its tree is converted once and dropped.
package source

import "fmt"

// Position is a place in a file. Line and Column count from 1, in characters.
// The zero Position is no place.
type Position struct {
	File   string // as the user named it; "--set" and the like for values that stand in no file
	Line   int
	Column int
}

// String writes path:line:column.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Kind is the kind of a node.
type Kind int

// The kinds.
const (
	Null Kind = iota
	Scalar
	Sequence
	Mapping
)

// Style is how a scalar is written.
type Style int

// The styles.
const (
	Plain Style = iota
	SingleQuoted
	DoubleQuoted
	Literal // |
	Folded  // >
)

// Node is one value of a file. Aliases and merge keys are resolved: what stands
// at an alias keeps the position where it was written.
type Node struct {
	Kind  Kind
	Style Style
	// Text is a scalar's decoded text; for a plain one just what is written:
	// 017 stays "017", and what it means is the decoder's to say.
	Text string
	// Pos is where the value begins; Width is its first line's, in characters.
	Pos   Position
	Width int
	// Entries of a mapping, in order; keys are unique.
	Entries []Entry
	// Items of a sequence.
	Items []*Node
	// marks gives the position of each character of Text in the source, for
	// scalars whose text is not what is written (quotes, blocks).
	marks []Position
}

// Entry is one key of a mapping with its value.
type Entry struct {
	Key   *Node
	Value *Node
}
