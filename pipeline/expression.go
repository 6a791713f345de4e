package pipeline

import (
	"errors"

	"github.com/labrun/labrun/pipeline/gate"
	"github.com/labrun/labrun/pipeline/source"
)

// Expression is a compiled expression with its place.
type Expression struct {
	Text    string
	Node    *source.Node // the scalar that holds it
	Program *gate.Program

	offset int // of Text in the scalar's text, in characters
}

// Eval gives the expression's value. values holds its roots: lab, vars, env,
// steps, and item and index in a forEach. An error is a source.Diagnostic.
func (e *Expression) Eval(values map[string]any) (any, error) {
	v, err := e.Program.Eval(values)
	if err != nil {
		return nil, e.Diagnose(err)
	}
	return v, nil
}

// At gives the place of width characters of Text from the character at from, and
// how many of them stand on its line.
func (e *Expression) At(from, width int) (source.Position, int) {
	return e.Node.Span(e.offset+from, width)
}

// Diagnose gives an error of package gate its place in the file. One that has its
// place already keeps it.
func (e *Expression) Diagnose(err error) source.Diagnostic {
	if placed, ok := errors.AsType[source.Diagnostic](err); ok {
		return placed
	}
	var g *gate.Error
	if !errors.As(err, &g) {
		return e.Node.Find(err.Error(), "")
	}
	pos, width := e.At(g.From, g.Width)
	return source.Diagnostic{Pos: pos, Width: width, Message: g.Message, Hint: g.Hint}
}
