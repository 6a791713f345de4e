package main

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"

	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps"
)

const header = `<!-- Generated from the Go types of the steps (package steps) by make generate. Do not edit it: change the tags there. -->

# The built-in steps

A step of a lab file names one of these with ` + "`uses`" + ` and gives it options with ` + "`with`" + `. An option without a default has to be
given, unless it is optional. A value may be an expression, ` + "`${{ … }}`" + `, that gives its type. What a step found out is read as
` + "`steps.<id>.outputs.<name>`" + ` by those that come after it. ` + "`labrun steps NAME`" + ` tells the same on a terminal.

`

// page describes all kinds, in their order.
func page(kinds []pipeline.Kind[*steps.Env]) []byte {
	var b bytes.Buffer
	b.WriteString(header)
	b.WriteString("| step | what it does |\n|---|---|\n")
	for _, k := range kinds {
		fmt.Fprintf(&b, "| [%s](#%s) | %s |\n", k.Name, anchor(k.Name), cell(k.Doc))
	}
	for _, k := range kinds {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", k.Name, k.Doc)
		if k.Timeout > 0 {
			fmt.Fprintf(&b, "\nIts timeout is %s where the step gives none.\n", event.Span(k.Timeout))
		}
		table(&b, []string{"option", "type", "default", "what it is"}, options(k.Options))
		table(&b, []string{"output", "type", "what it is"}, outputs(k.Outputs))
		fmt.Fprintf(&b, "\n```yaml\n%s\n```\n", strings.TrimSpace(k.Example))
	}
	return b.Bytes()
}

// anchor is the name under which a heading is linked to.
func anchor(heading string) string { return strings.ReplaceAll(heading, "/", "") }

func table(b *bytes.Buffer, head []string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(b, "\n| %s |\n|%s\n", strings.Join(head, " | "), strings.Repeat("---|", len(head)))
	for _, row := range rows {
		fmt.Fprintf(b, "| %s |\n", strings.Join(row, " | "))
	}
}

func options(t reflect.Type) [][]string {
	var rows [][]string
	for _, f := range keys(t) {
		fallback, has := f.tag.Lookup("default")
		switch {
		case has:
			fallback = "`" + fallback + "`"
		case f.optional:
			fallback = "optional"
		}
		rows = append(rows, []string{"`" + f.name + "`", typeName(f.of, f.tag), fallback, cell(f.tag.Get("doc"))})
	}
	return rows
}

func outputs(t reflect.Type) [][]string {
	var rows [][]string
	for _, f := range keys(t) {
		rows = append(rows, []string{"`" + f.name + "`", typeName(f.of, f.tag), cell(f.tag.Get("doc"))})
	}
	return rows
}

// cell is a text as it stands in a cell of a table: it does not end it, and nothing in it is markup.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "*", `\*`).Replace(s)
}
