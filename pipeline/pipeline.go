package pipeline

import (
	"reflect"
	"time"

	"github.com/labrun/labrun/pipeline/source"
)

// Schema is what the program tells the engine of its facts.
type Schema struct {
	Facts reflect.Type // a struct; its tags are described in package decode
	// Complete fills what follows from other facts and from files that they name,
	// and checks the facts as a whole. name is the file's name.
	Complete func(name string, facts any) []FactProblem
}

// FactProblem is one thing wrong with the facts.
type FactProblem struct {
	Path    string // workers[1].bmc.address; "" for the whole
	Message string
	Hint    string
	Warning bool // told, and nothing more
}

// Pipeline is a file that was loaded and found right.
type Pipeline[E any] struct {
	Name     string         // of the lab
	File     string         // as the user named it
	Facts    any            // pointer to a struct of the schema's type
	Values   map[string]any // the facts as expressions see them, under "lab"
	Tree     *source.Node   // the facts' node, after --values and --set
	Phases   []string
	Steps    []*Declared[E] // in the file's order
	Files    *source.Files
	Warnings source.Diagnostics
}

// Declared is one step as the file declares it.
type Declared[E any] struct {
	ID      string
	Phase   string
	Kind    Kind[E]
	Pos     source.Position
	With    *source.Node  // nil for none
	When    *Expression   // nil: always
	ForEach *Expression   // nil: once
	Key     *Expression   // of an instance; nil: the item's name, or its value
	Timeout time.Duration // 0: none
	Edges   []Edge        // what it waits for, each step once
}

// Expression is a compiled expression with its place.
type Expression struct {
	Text string
	Node *source.Node
	// program
}

// Edge says that a step comes after another.
type Edge struct {
	From   string // id of the earlier step
	Reason Reason
	Pos    source.Position // of the needs entry or expression that asks for it
}

// Reason says why an edge is there.
type Reason string

// The reasons.
const (
	ByPhase   Reason = "phase"
	ByOrder   Reason = "order"
	ByNeeds   Reason = "needs"
	ByOutputs Reason = "outputs"
)
