// Docgen writes the pages of docs that follow from Go types: steps.md says what
// each built-in step does, its options and its outputs; facts.md lists the facts
// of a lab. Both are what the tags say.
package main

//go:generate go run . -o ../../docs

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/steps"
)

func main() {
	out := flag.String("o", "docs", "folder to write to")
	flag.Parse()
	var errs []error
	for name, text := range pages() {
		errs = append(errs, os.WriteFile(filepath.Join(*out, name), text, 0o644)) //nolint:gosec // pages for everybody
	}
	if err := errors.Join(errs...); err != nil {
		fmt.Fprintln(os.Stderr, "docgen:", err)
		os.Exit(1)
	}
}

// pages are all that is generated, by file name.
func pages() map[string][]byte {
	return map[string][]byte{
		"steps.md": page(steps.Builtin()),
		"facts.md": factsPage(reflect.TypeFor[labs.Facts]()),
	}
}
