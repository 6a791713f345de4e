// Docgen writes what follows from Go types, the pages of docs: steps.md says what
// each built-in step does, its options and its outputs; facts.md lists the facts
// of a lab; events.md the stream of a run;
// troubleshooting.md the failures that are recognised; preflight.md the checks of the pre-flight; and the JSON schema of a lab file. All are what the tags say.
package main

//go:generate go run . -o ../..

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"

	"github.com/labrun/labrun/internal/faults"
	"github.com/labrun/labrun/internal/labschema"
	"github.com/labrun/labrun/internal/mistakes"
	"github.com/labrun/labrun/internal/preflight"
	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/steps"
	"github.com/labrun/labrun/steps/trouble"
)

func main() {
	out := flag.String("o", ".", "the checkout to write to")
	flag.Parse()
	files, err := pages()
	errs := []error{err}
	for name, text := range files {
		errs = append(errs, os.WriteFile(filepath.Join(*out, name), text, 0o644)) //nolint:gosec // pages for everybody
	}
	if err := errors.Join(errs...); err != nil {
		fmt.Fprintln(os.Stderr, "docgen:", err)
		os.Exit(1)
	}
}

// pages are all that is generated, by path.
func pages() (map[string][]byte, error) {
	facts, kinds := reflect.TypeFor[labs.Facts](), steps.Builtin()
	schema, err := labschema.Lab(facts, labschema.Kinds(kinds), labs.StepFiles())
	if err != nil {
		return nil, err
	}
	broken, err := mistakes.Read("../../testdata/mistakes")
	if err != nil {
		return nil, err
	}
	told, err := faults.Measured()
	if err != nil {
		return nil, err
	}
	events, err := eventsPage()
	if err != nil {
		return nil, err
	}
	return map[string][]byte{
		"docs/events.md":          events,
		"docs/preflight.md":       preflightPage(preflight.Catalogue(), faults.All(), told),
		"docs/troubleshooting.md": troublePage(trouble.All(), broken),
		"docs/steps.md":           page(kinds),
		"docs/facts.md":           factsPage(facts),
		"schemas/lab.schema.json": schema,
	}, nil
}
