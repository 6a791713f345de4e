// Package labschema makes the JSON schema of a lab file out of the Go types that
// labrun reads one with: the keys of the language, the facts, and the options of
// each kind of step.
//
// The schema is a little stricter than the loader: a key without a value, which
// the loader takes as absent, is a mistake. What only the whole lab shows, such as
// a network of the wrong family or what an expression names, it cannot see.
package labschema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/labrun/labrun/pipeline"
)

// Kind is what the schema needs to know of a kind of step.
type Kind struct {
	Name    string
	Doc     string
	Options reflect.Type
	Timeout time.Duration // where the step gives none; 0 for none
}

// Kinds are what the schema needs to know of the kinds of steps.
func Kinds[E any](kinds []pipeline.Kind[E]) []Kind {
	all := make([]Kind, len(kinds))
	for i, k := range kinds {
		all[i] = Kind{k.Name, k.Doc, k.Options, k.Timeout}
	}
	return all
}

// Lab writes the schema of a lab file. includes are the step files that are built
// in, by name. It is an error if a type or a key has a shape that is not known here.
func Lab(facts reflect.Type, kinds []Kind, includes []string) ([]byte, error) {
	g := &grammar{kinds: kinds, includes: includes, facts: facts}
	root := g.file()
	if err := errors.Join(g.errs...); err != nil {
		return nil, fmt.Errorf("make the schema of a lab file: %w", err)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	err := enc.Encode(root)
	return b.Bytes(), err
}

// grammar makes the schemas of the language's own keys.
type grammar struct {
	kinds    []Kind
	includes []string
	facts    reflect.Type
	errs     []error
}

// file is the schema of the whole.
func (g *grammar) file() *node {
	file, step := pipeline.Grammar()
	n := &node{
		Schema:      "https://json-schema.org/draft/2020-12/schema",
		Title:       "labrun lab file",
		Description: "One lab: its facts, and the steps that build it",
		Type:        []string{"object"},
		Additional:  false,
		Required:    []string{"version", "name", "lab"},
	}
	n.Properties = g.keys(file, g.fileKey)
	n.Defs = members{{"step", g.step(step)}, {"override", g.override(step)}}
	return n
}

// step is the schema of a step: its keys, and its options by what it uses.
func (g *grammar) step(t reflect.Type) *node {
	n := &node{Type: []string{"object"}, Additional: false}
	n.Required = []string{"id", "uses"}
	n.Properties = g.keys(t, g.stepKey)
	for _, k := range g.kinds {
		n.AllOf = append(n.AllOf, g.kind(k))
	}
	return n
}

// kind says what the options of a kind are, where a step uses it.
func (g *grammar) kind(k Kind) *node {
	b := &builder{expressions: true}
	with := &node{Type: []string{"object"}, Description: "options of " + k.Name, Additional: false}
	b.fields(with, k.Options)
	g.errs = append(g.errs, b.errs...)
	then := &node{Properties: members{{"with", with}}}
	if len(with.Required) > 0 {
		then.Required = []string{"with"}
	}
	if k.Timeout > 0 {
		then.Properties = append(then.Properties, member{"timeout", &node{Default: plain(k.Timeout)}})
	}
	uses := &node{Properties: members{{"uses", &node{Const: k.Name}}}, Required: []string{"uses"}}
	return &node{If: uses, Then: then}
}

// override is the schema of the changes of one step: null takes a key away, and
// the options are those of a step that another file names.
func (g *grammar) override(t reflect.Type) *node {
	n := &node{Type: []string{"object"}, Description: "changes of the step with this id; null takes a key away", Additional: false}
	for _, m := range g.keys(t, g.stepKey) {
		switch m.name {
		case "id", "uses", "after":
		default:
			m.node = orNull(m.node)
			n.Properties = append(n.Properties, m)
		}
	}
	return n
}

// keys are the schemas of a grammar's keys, each by its name.
func (g *grammar) keys(t reflect.Type, of func(string) *node) members {
	b := &builder{}
	var all members
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if !f.IsExported() || name == "" || name == "-" || f.Tag.Get("doc") == notYet {
			continue
		}
		n := of(name)
		switch {
		case n != nil:
		case f.Tag.Get("enum") != "" || f.Type.Kind() != reflect.Pointer:
			n = b.of(f.Type, f.Tag)
		default:
			g.errs = append(g.errs, fmt.Errorf("the key %s: %w", name, ErrNoForm))
			continue
		}
		n.Description = f.Tag.Get("doc")
		all = append(all, member{name, n})
	}
	g.errs = append(g.errs, b.errs...)
	return all
}

// notYet marks keys that the language keeps for later.
const notYet = "not supported yet"

// plain writes a span without its zero parts.
func plain(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
