package main

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/labrun/labrun/internal/mistakes"
	"github.com/labrun/labrun/steps/trouble"
)

const troubleHeader = `<!-- Generated from the catalogue of failures (package steps/trouble) by make generate. Do not edit it: change the entries there. -->

# Troubleshooting

A step that fails says what it saw, since when, and what to type next. Where labrun recognises the failure, the last line
of its block names it, and ` + "`labrun explain ID`" + ` says what stands here. [Evidence](evidence.md) tells what is kept about a failure.

In the commands NAMESPACE and NAME are those of the object that the failure names, PLANE is the namespace of the hosted control
plane (` + "`clusters-HOSTED`" + ` where the lab file names no other), LAB the lab file and WORKER a worker's name.

`

const mistakesHeader = `
# Mistakes in the lab file

` + "`labrun validate`" + ` finds these, and every command that reads the file does so before anything runs. Each line below begins with what is
wrong; what labrun says of it follows.
`

// troublePage describes the failures, in the order of the workflow, and then
// the mistakes of a lab file, each with what is said of it.
func troublePage(all []trouble.Trouble, broken []mistakes.Case) []byte {
	var b bytes.Buffer
	b.WriteString(troubleHeader)
	b.WriteString("| failure | shown by |\n|---|---|\n")
	for _, t := range all {
		fmt.Fprintf(&b, "| [%s](#%s) | %s |\n", t.ID, t.ID, cell(t.Shows))
	}
	for _, t := range all {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n", t.ID, cell(t.Means))
		if t.Object != "" {
			fmt.Fprintf(&b, "- object: %s\n", t.Object)
		}
		fmt.Fprintf(&b, "- %s says: %s\n- the step ends %s\n\n", t.Source, cell(t.Shows), t.Ends)
		for n, cure := range t.Cures {
			fmt.Fprintf(&b, "%d. %s\n", n+1, cure)
		}
	}
	b.WriteString(mistakesHeader)
	for _, c := range broken {
		fmt.Fprintf(&b, "\n%s\n\n```text\n%s\n```\n", c.Title, strings.TrimRight(c.Want, "\n"))
	}
	return b.Bytes()
}
