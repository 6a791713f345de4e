package source

// Diagnostic is one finding about a file.
type Diagnostic struct {
	Pos     Position
	Width   int    // characters under the caret, at least 1
	Message string // lower case, without position
	Hint    string // what was meant, or what to do; may be empty
	// Related are further places, "first defined here".
	Related []Related
}

// Related is a further place of a diagnostic.
type Related struct {
	Pos     Position
	Message string
}

// Diagnostics are the findings of a load, in the order of their places.
type Diagnostics []Diagnostic
