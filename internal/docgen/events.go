package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"
	"time"

	"github.com/labrun/labrun/internal/statedir"
	"github.com/labrun/labrun/pipeline/event"
)

// eventSource is where the types of the stream stand.
const eventSource = "../../pipeline/event/event.go"

const eventsHeader = `<!-- Generated from the Go types of the event stream (package event) and their comments by make generate. Do not edit it: change them there. -->

# The event stream and the journal

A run tells itself in one stream of events. Everything that shows or remembers a run is made of it: progress, status, evidence,
what the next run goes on from. It is the same stream in two places:

- the **journal**, ` + "`<state folder>/<lab>/<run>/journal.jsonl`" + `, mode 0600; the last %d runs are kept,
  and of older ones the journals that tell what still stands;
- **stdout** of ` + "`labrun run LAB -o json`" + `, the same lines.

A line is one event, as JSON, with a newline at its end. Lines are only appended, each by one write. They reach the disk within
%s, and at once before and after an effect that no later run can see. No line holds a secret: ` + "`***`" + ` stands in its place.

- The first line is ` + "`run.started`" + `, with the version of the stream (this is version %d) and the lab's name. A labrun refuses a
  journal of a later version, and one of another lab in the lab's folder, and says what to do. ` + "`--fresh`" + ` runs without reading any.
- Within a version, keys and types are added, and what is there keeps its meaning: ignore what you do not know.
- ` + "`seq`" + ` has no gap. A last line that is cut off (the run was killed while it was written) tells nothing; the next run cuts it
  off the file and says so. What stands before it counts.
- ` + "`effect.intent`" + ` without ` + "`effect.done`" + ` of the same step, key and id: the change may or may not have happened. Where it is ` + "`observable`" + `,
  the next run looks; otherwise it tells ` + "`outcome unknown`" + `, and does it again.
- A stream without ` + "`run.finished`" + ` is of a run that goes on, or was cut off.

`

// eventsPage describes the stream: the types, what each carries, and an example.
func eventsPage() ([]byte, error) {
	file, err := parser.ParseFile(token.NewFileSet(), eventSource, nil, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	structs := structsOf(file)
	var b bytes.Buffer
	fmt.Fprintf(&b, eventsHeader, statedir.Keep, "a second", event.Version)
	b.WriteString("## Every event\n")
	fieldsTable(&b, structs["Event"])
	lines, err := exampleLines()
	if err != nil {
		return nil, err
	}
	for _, t := range eventTypes(file) {
		fmt.Fprintf(&b, "\n## %s\n\n%s.\n\n```json\n%s\n```\n", t.name, sentence(t.carries), lines[t.name])
	}
	b.WriteString("\n# What events carry\n")
	for _, name := range []string{"Run", "Ref", "Plan", "Start", "Report", "Line", "Effect", "Result", "Evidence", "Summary"} {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", name, structs[name].doc)
		fieldsTable(&b, structs[name])
	}
	b.WriteString("\n## Statuses\n\nA result's `status`, and the keys of a summary's `counts`: ")
	b.WriteString("`ok`, `changed`, `skipped`, `failed`, `blocked` (a step that it needs failed), `cancelled` (interrupted before or while it ran).\n")
	return b.Bytes(), nil
}

// carried is an event type and what its comment says that it carries.
type carried struct{ name, carries string }

// eventTypes reads the constants of type Type, in their order.
func eventTypes(file *ast.File) []carried {
	var found []carried
	for _, d := range file.Decls {
		block, ok := d.(*ast.GenDecl)
		if !ok || block.Tok != token.CONST {
			continue
		}
		for _, s := range block.Specs {
			spec := s.(*ast.ValueSpec)
			if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Type" {
				found = append(found, carried{strings.Trim(spec.Values[0].(*ast.BasicLit).Value, `"`), oneLine(spec.Comment.Text())})
			}
		}
	}
	return found
}

// described is a struct with its comment and the rows of its fields.
type described struct {
	doc    string
	fields [][]string
}

func structsOf(file *ast.File) map[string]described {
	found := map[string]described{}
	for _, d := range file.Decls {
		block, ok := d.(*ast.GenDecl)
		if !ok || block.Tok != token.TYPE {
			continue
		}
		for _, s := range block.Specs {
			spec := s.(*ast.TypeSpec)
			if of, ok := spec.Type.(*ast.StructType); ok {
				found[spec.Name.Name] = described{oneLine(block.Doc.Text()), fieldRows(of)}
			}
		}
	}
	return found
}

func fieldRows(of *ast.StructType) [][]string {
	var rows [][]string
	for _, f := range of.Fields.List {
		tag := reflect.StructTag(strings.Trim(f.Tag.Value, "`"))
		name, more, _ := strings.Cut(tag.Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		when := "always"
		if strings.Contains(more, "omitempty") {
			when = "where there is one"
		}
		rows = append(rows, []string{"`" + name + "`", jsonType(f.Type), when, cell(oneLine(f.Doc.Text() + " " + f.Comment.Text()))})
	}
	return rows
}

func fieldsTable(b *bytes.Buffer, d described) {
	table(b, []string{"key", "type", "there", "what it is"}, d.fields)
}

// jsonType says what stands in JSON for a Go type.
func jsonType(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.StarExpr:
		return jsonType(t.X)
	case *ast.ArrayType:
		return "list: " + jsonType(t.Elt)
	case *ast.MapType:
		return "mapping: " + jsonType(t.Value)
	case *ast.SelectorExpr:
		if t.Sel.Name == "Duration" {
			return "number of nanoseconds"
		}
		return "time, RFC 3339"
	case *ast.Ident:
		switch t.Name {
		case "string", "Type", "Status":
			return "text"
		case "int":
			return "number"
		case "bool":
			return "true or false"
		case "any":
			return "anything"
		}
		return "[" + t.Name + "](#" + strings.ToLower(t.Name) + ")"
	}
	return "anything"
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// exampleLines are the lines of the example, by type.
func exampleLines() (map[string]string, error) {
	lines := map[string]string{}
	for n, e := range exampleEvents() {
		e.Seq = n + 1
		e.Time = time.Date(2026, 11, 23, 12, 0, n, 0, time.UTC)
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(e); err != nil {
			return nil, err
		}
		lines[string(e.Type)] = strings.TrimSpace(b.String())
	}
	return lines, nil
}

// exampleEvents is a short run with an event of each type.
func exampleEvents() []event.Event {
	return []event.Event{
		{Type: event.RunStarted, Run: &event.Run{Version: event.Version, Lab: "ipv6-disconnected", File: "labs/ipv6-disconnected.yaml",
			Title: "IPv6 · disconnected · hub https://api.hub.hypershiftbm.lab:6443", Number: 7, Labrun: "v0.1.0",
			Phases: []string{"mirror", "workers"}, Steps: []event.Ref{{ID: "mirror", Phase: "mirror"}, {ID: "host", Phase: "workers"}}}},
		{Type: event.StepPlanned, Step: "host", Key: "worker2", Plan: &event.Plan{Decision: "later"}},
		{Type: event.StepStarted, Step: "mirror", Start: &event.Start{Phase: "mirror", Uses: "exec", Digest: "3f1c…", File: "labs/ipv6-disconnected.yaml", Line: 31, Column: 5,
			Options: map[string]string{"command": "9b2c…"}, Inputs: map[string]string{"imageset.yaml": "5d6e…"}, Because: []string{"input imageset.yaml changed (1b2d7a4e → 5d6e7f80)"}}},
		{Type: event.Intent, Step: "mirror", Effect: &event.Effect{ID: 1, Verb: "exec", Object: "oc-mirror"}},
		{Type: event.Done, Step: "mirror", Effect: &event.Effect{ID: 1, Verb: "exec", Object: "oc-mirror", Changed: true}},
		{Type: event.StepWarned, Step: "host", Key: "worker2", Report: &event.Report{Title: "worker2: powered on", Next: "labrun preflight labs/ipv6-disconnected.yaml --host worker2"}},
		{Type: event.StepProgress, Step: "host", Key: "worker2", Report: &event.Report{Title: "BareMetalHost clusters-hosted-ipv6/worker2 is registering", Lines: []event.Line{{Label: "since", Text: "2026-11-23T12:00:05Z"}}}},
		{Type: event.StepFinished, Step: "host", Key: "worker2", Result: &event.Result{Status: event.Failed, Duration: 100 * time.Second,
			Report: &event.Report{Title: "BareMetalHost clusters-hosted-ipv6/worker2: registration error", Code: "bmh-registration", Lines: []event.Line{{Label: "it said", Text: "HTTP 401 from the BMC"}}}}},
		{Type: event.StepEvidence, Step: "host", Key: "worker2", Evidence: &event.Evidence{Page: "…/ipv6-disconnected/7/host.worker2/why.md"}},
		{Type: event.RunFinished, Summary: &event.Summary{Counts: map[event.Status]int{event.Changed: 1, event.Failed: 1}, Duration: 3 * time.Minute, Exit: 1, Requests: map[string]int{"hub reads": 12, "hub writes": 3}}},
	}
}
