// Package source reads the files of a pipeline: their text, the positions in it,
// the YAML as a node tree of our own, and the diagnostics that point into it.
// goccy/go-yaml is the parser only; its tree is converted once and dropped.
//
// A tree is never changed after it was made: an alias shares the node that it
// names, and Merge makes new nodes.
package source

import (
	"fmt"
	"path/filepath"
	"strings"
)

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
type Kind uint8

// The kinds.
const (
	Null Kind = iota
	Scalar
	Sequence
	Mapping
)

// Style is how a scalar is written.
type Style uint8

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
	set   bool // a mapping that --set made: its keys may name items of a list
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

	text *text // the file's text, for the places inside a scalar
}

// Entry is one key of a mapping with its value.
type Entry struct {
	Key   *Node
	Value *Node
}

// Get gives the value of a mapping's key, nil where it is absent or the node is
// no mapping. It may be called on nil.
func (n *Node) Get(key string) *Node {
	if e := n.Entry(key); e != nil {
		return e.Value
	}
	return nil
}

// Entry gives the entry of a mapping's key, nil where it is absent.
func (n *Node) Entry(key string) *Entry {
	if n == nil || n.Kind != Mapping {
		return nil
	}
	for i := range n.Entries {
		if n.Entries[i].Key.Text == key {
			return &n.Entries[i]
		}
	}
	return nil
}

// Find makes a finding about the whole node.
func (n *Node) Find(message, hint string) Diagnostic {
	return Diagnostic{Pos: n.Pos, Width: n.Width, Message: message, Hint: hint}
}

// FindIn makes a finding about width characters of a scalar's text, from the
// character at offset from.
func (n *Node) FindIn(from, width int, message, hint string) Diagnostic {
	pos, w := n.Span(from, width)
	return Diagnostic{Pos: pos, Width: w, Message: message, Hint: hint}
}

// Describe names what the node is, for "expected …, found …".
func (n *Node) Describe() string {
	switch n.Kind {
	case Null:
		return "nothing"
	case Sequence:
		return "a list"
	case Mapping:
		return "a mapping"
	}
	text := []rune(n.Text)
	if len(text) > 40 {
		text = append(text[:40], '…')
	}
	return fmt.Sprintf("%q", string(text))
}

// Dir gives the folder that paths in the file are relative to, "." where the
// position is in no file of this machine.
func (p Position) Dir() string {
	if p.File == "" || p.File == SetFile || strings.HasPrefix(p.File, BuiltinPrefix) {
		return "."
	}
	return filepath.Dir(p.File)
}

// BuiltinPrefix begins the name of a file that is embedded in the program.
const BuiltinPrefix = "builtin:"
