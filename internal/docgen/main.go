// Docgen writes docs/steps.md: what each built-in step does, its options and its
// outputs, as the tags of their Go types say.
package main

//go:generate go run . -o ../../docs/steps.md

import (
	"flag"
	"fmt"
	"os"

	"github.com/labrun/labrun/steps"
)

func main() {
	out := flag.String("o", "docs/steps.md", "file to write")
	flag.Parse()
	if err := os.WriteFile(*out, page(steps.Builtin()), 0o644); err != nil { //nolint:gosec // a page for everybody
		fmt.Fprintln(os.Stderr, "docgen:", err)
		os.Exit(1)
	}
}
