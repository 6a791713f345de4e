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
	// SecretFiles gives the files that hold secrets: no expression reads them. It may
	// be nil.
	SecretFiles func(facts any) []string
	// SecretVariables gives the environment variables that hold secrets, which no
	// expression reads either. It may be nil.
	SecretVariables func(facts any) []string
}

// FactProblem is one thing wrong with the facts.
type FactProblem struct {
	Path    string // workers[1].bmc.address; "" for the whole
	Message string
	Hint    string
	Warning bool // told, and nothing more
	ForRun  bool // a load for a run is refused for it, for others it is a warning
	AtKey   bool // it is told at the fact's key, not at its value
}

// Pipeline is a file that was loaded and found right.
type Pipeline[E any] struct {
	Name  string // of the lab
	File  string // as the user named it
	Facts any    // pointer to a struct of the schema's type
	// Values are what expressions see beside the steps: the facts under "lab",
	// and "vars" and "env". They are never changed.
	Values   map[string]any
	Tree     *source.Node // the facts' node, after --values and --set
	Phases   []string
	Steps    []*Declared[E] // in the order of their phases, then the file's
	Files    *source.Files
	Warnings source.Diagnostics
}

// Declared is one step as the file declares it.
type Declared[E any] struct {
	ID       string
	Phase    string
	Kind     Kind[E]
	Pos      source.Position // of its id
	With     *source.Node    // nil for none
	When     *Expression     // nil: always
	ForEach  *Expression     // nil: once
	Key      *Expression     // of an instance; nil: the item's name, or its value
	Limit    int             // instances that run side by side; 0: no limit of its own
	Timeout  time.Duration   // 0: none; bounds all attempts together
	Retry    *Retry          // nil: one attempt
	Stage    Stage           // when it runs
	Watches  []string        // of an onFailure step: those whose failure it is for; nil for all
	Disabled string          // why the file takes it out; "" where it does not
	LeftOut  string          // why a selection leaves it out; "" where it takes part
	OnlyKeys []string        // of a forEach: the instances that a selection picks; nil for all
	Recalled *Recalled       // of a step or instances that are left out: what earlier runs left; nil for nothing
	Edges    []Edge          // what it waits for, each step and phase once

	// Instances of a forEach that reads facts only; nil where they are known
	// during the run, and Expand tells them.
	Instances []Instance

	loaded *loaded // what Options needs
}

// Stage says when in a run a step has its turn.
type Stage int

// The stages, in order. What is in a later one runs once all of the earlier ones
// have ended, whatever came of them.
const (
	InPhase   Stage = iota // with the steps of its phase
	OnFailure              // where a step failed
	Finally                // always, also after an interruption
)

// The phases of the steps that belong to none, as people read them.
const (
	onFailurePhase = "on failure"
	finallyPhase   = "finally"
)

// Instance is one repetition of a forEach step.
type Instance struct {
	Key   string // a label value, unique in its step
	Item  any
	Index int
}

// Edge says that a step comes after another, or after all steps of a phase.
type Edge struct {
	From   string // id of the earlier step; "" where Phase is set
	Phase  string // of ByPhase: all of its steps come first
	Reason Reason
	Pos    source.Position  // of the needs entry or expression that asks for it
	Read   *source.Position // of a read of the earlier step's outputs, whatever the reason; nil for none
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
