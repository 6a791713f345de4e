package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/source"
	"github.com/labrun/labrun/steps"
)

// loaded is a lab file, as labrun reads it.
type loaded struct {
	name  string
	facts *labs.Facts
}

// errInvalid says that the lab file's mistakes were told already.
var errInvalid = errors.New("the lab file is invalid")

// load reads the lab file with labrun's own loader, so that what labsim takes, labrun takes.
func load(file string, values, set []string, said io.Writer) (loaded, error) {
	p, found := pipeline.Load(pipeline.Request[*steps.Env]{
		File: file, Values: values, Set: set, Kinds: steps.Builtin(), Schema: steps.Schema(), Builtin: labs.Steps(),
	})
	if len(found) > 0 {
		if err := found.Render(said, p.Files); err != nil {
			return loaded{}, err
		}
		return loaded{name: p.Name}, fmt.Errorf("%w: %s", errInvalid, count(found))
	}
	facts, ok := p.Facts.(*labs.Facts)
	if !ok {
		return loaded{}, fmt.Errorf("reading %s: its facts are no lab's", file)
	}
	return loaded{p.Name, facts}, nil
}

func count(found source.Diagnostics) string {
	if len(found) == 1 {
		return "1 mistake"
	}
	return fmt.Sprintf("%d mistakes", len(found))
}
