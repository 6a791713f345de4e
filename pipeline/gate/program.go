// Package gate is the expression language of a pipeline file, expr-lang's with
// the types of the facts and outputs: it compiles an expression against them,
// says which facts and steps it reads, evaluates it, and decides a gate as far as
// it can be decided before the steps that it reads have run.
package gate

// Error is what is wrong with an expression.
type Error struct {
	From, Width int    // in characters of the expression's text
	Message     string // lower case
	Hint        string
}

// Error is the message.
func (e *Error) Error() string { return e.Message }

// Read is one chain of members that an expression reads: lab.registry.host, or
// steps.infraenv.outputs.iso_url.
type Read struct {
	Path        []string // as far as it is made of constant names
	From, Width int      // in characters of the expression's text
}
