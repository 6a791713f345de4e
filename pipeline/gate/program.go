// Package gate is the expression language of a pipeline file, expr-lang's with
// the types of the facts and outputs: it compiles an expression against them,
// says which facts and steps it reads, evaluates it, and decides a gate as far as
// it can be decided before the steps that it reads have run.
//
// Every position is in characters (runes) of the expression's own text; who
// knows where that text stands maps it back into the file.
package gate

import (
	"sync"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"
)

// Error is what is wrong with an expression. From and Width always lie inside
// its text, but for an empty one.
type Error struct {
	From, Width int    // in characters of the expression's text
	Message     string // lower case
	Hint        string
	// Absent says that an evaluation failed at a value that is not there: a field
	// of an object that nobody has set yet, an item beyond a list's end.
	Absent bool
}

// Error is the message.
func (e *Error) Error() string { return e.Message }

// Read is one chain of members that an expression reads: lab.registry.host, or
// steps.infraenv.outputs.iso_url.
type Read struct {
	Path        []string // as far as it is made of constant names
	Spans       []Span   // where each name of Path stands
	From, Width int      // in characters of the expression's text
	// Optional says that the expression goes on where there is nothing: the
	// chain holds a ?. or stands left of ??.
	Optional bool
}

// Span is a place in an expression's text, in characters.
type Span struct{ From, Width int }

// Program is a compiled expression. It may be used side by side.
type Program struct {
	text   string
	tree   ast.Node // checked; never changed after Compile
	source file.Source
	reads  []Read
	want   Type
	config settings // to compile its parts
	code   *vm.Program

	decideOnce sync.Once
	decider    *operand
}

// Text is the expression as it was written.
func (p *Program) Text() string { return p.text }

// Reads gives what the expression reads, in the order of the text.
func (p *Program) Reads() []Read { return p.reads }
