package pipeline

import (
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"regexp"

	"github.com/labrun/labrun/pipeline/decode"
	"github.com/labrun/labrun/pipeline/gate"
	"github.com/labrun/labrun/pipeline/source"
)

// Request says what is loaded.
type Request[E any] struct {
	File    string   // the lab file
	Values  []string // files whose lab and vars are put on top of the file's, in order
	Set     []string // path=value, put on top of those: lab.release.version=4.20.3
	Kinds   []Kind[E]
	Schema  Schema
	Builtin fs.FS    // NAME.yaml for include: [builtin:NAME]; may be nil
	Environ []string // NAME=value; nil means the process's own
	Instead string   // a file of Builtin whose phases and steps take the place of the lab file's own
	Lenient bool     // what is wrong with the facts as a whole is no finding: a lab is taken apart, not built
	ForRun  bool     // the steps are run next: what only a run needs has to be there
	// Check says what is wrong with the options of one instance beyond their
	// types. options are of the kind's type, with zero values where an expression
	// is known at run time only; key is "" outside of a forEach. May be nil.
	Check func(kind Kind[E], options any, lab, step, key string) []FactProblem
}

// longestName is that of ids, lab names and keys: they become labels' values.
const longestName = 63

// The names of a file. An id stands in expressions and in labels. The patterns
// leave longestName to isName: counted repetition makes large patterns, which
// each start would pay for.
var (
	idPattern    = regexp.MustCompile(`^[a-z]([a-z0-9_]*[a-z0-9])?$`)
	dnsLabel     = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)
	labelValue   = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`)
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

func isName(kind *regexp.Regexp, name string) bool {
	return len(name) <= longestName && kind.MatchString(name)
}

// Load reads a lab file with all that it includes, and checks it whole: nothing
// is run, and nothing beyond the files is touched. Where there are findings, the
// pipeline is not to be used but for its Files, which the findings point into.
func Load[E any](req Request[E]) (*Pipeline[E], source.Diagnostics) {
	l := &loader[E]{
		req:      req,
		p:        &Pipeline[E]{File: req.File, Files: &source.Files{}},
		decoder:  decode.New(),
		compiler: gate.NewCompiler(source.Position{File: req.File}.Dir()),
		kinds:    map[string]*kindTypes[E]{},
		steps:    map[string]*step[E]{},
		phases:   map[string]int{},
	}
	l.files = l.p.Files
	if req.Environ == nil {
		l.req.Environ = os.Environ()
	}
	for i := range req.Kinds {
		k := &req.Kinds[i]
		l.kinds[k.Name] = &kindTypes[E]{kind: k, outputs: gate.TypeOf(k.Outputs)}
		l.kindNames = append(l.kindNames, k.Name)
	}
	l.load()
	l.p.Warnings = l.p.Warnings.Sort()
	if len(l.found) > 0 {
		return l.p, l.found.Sort()
	}
	return l.p, nil
}

// loader is one load.
type loader[E any] struct {
	req      Request[E]
	p        *Pipeline[E]
	files    *source.Files
	decoder  *decode.Decoder
	compiler *gate.Compiler
	found    source.Diagnostics

	root       *source.Node // of the main file, with values and set on top
	main       *document
	included   int
	phaseNodes []*source.Node
	phases     map[string]int // index in Phases
	declared   int            // phases of the files, at least one
	stepNodes  []*source.Node

	kinds     map[string]*kindTypes[E]
	kindNames []string
	steps     map[string]*step[E]
	order     []*step[E] // of the phases, then of the file
	ids       []string

	scope   gate.Scope // lab, vars, env, steps
	factual bool       // the facts are whole: expressions that read just them have a value
}

// kindTypes is a kind with the type of its outputs.
type kindTypes[E any] struct {
	kind    *Kind[E]
	outputs gate.Type
}

func (l *loader[E]) fail(found ...source.Diagnostic) { l.found = append(l.found, found...) }

// load goes on as long as what follows can be checked with some sense, so that
// all mistakes are told at once.
func (l *loader[E]) load() {
	l.read()
	if l.main == nil {
		return
	}
	l.facts()
	l.declare()
	l.place()
	l.types()
	for _, s := range l.order {
		l.check(s)
	}
	l.connect()
	for _, s := range l.order {
		l.p.Steps = append(l.p.Steps, s.Declared)
	}
}

// overlay puts the values files and --set on top of a file's lab and vars.
func (l *loader[E]) overlay(root *source.Node) *source.Node {
	for _, path := range l.req.Values {
		data, found := l.files.Read(path)
		var over *source.Node
		if found == nil {
			over, found = source.Parse(path, data)
		}
		if found != nil {
			l.fail(found...)
			continue
		}
		root = l.put(root, over)
	}
	lines := ""
	for i, arg := range l.req.Set {
		lines += arg + "\n"
		l.files.Add(source.SetFile, []byte(lines))
		over, found := source.ParseSet(arg, i+1)
		if found != nil {
			l.fail(found...)
			continue
		}
		root = l.put(root, over)
	}
	return root
}

func (l *loader[E]) put(root, over *source.Node) *source.Node {
	if over.Kind == source.Null {
		return root
	}
	if over.Kind != source.Mapping {
		l.fail(over.Find("values are a mapping with lab or vars, found "+over.Describe(), ""))
		return root
	}
	for _, e := range over.Entries {
		if e.Key.Text != "lab" && e.Key.Text != "vars" {
			hint := ""
			if _, ok := gate.TypeOf(l.req.Schema.Facts).Field(e.Key.Text); ok {
				hint = fmt.Sprintf("did you mean %q?", "lab."+e.Key.Text)
			}
			l.fail(e.Key.Find(fmt.Sprintf("%q cannot be set: values stand under lab and vars", e.Key.Text), hint))
			return root
		}
	}
	merged, found := source.Merge(root, over)
	l.fail(found...)
	return merged
}

// name checks the lab's name.
func (l *loader[E]) name() {
	n := l.main.Name
	switch {
	case n == nil:
		l.fail(l.root.Find("name is missing", "the name of the lab, a DNS label"))
	case n.Kind != source.Scalar || !isName(dnsLabel, n.Text):
		l.fail(n.Find("name must be a DNS label (small letters, digits and -, at most 63), found "+n.Describe(), ""))
	default:
		l.p.Name = n.Text
	}
}

// facts decodes and checks the facts, vars and env, and makes what expressions
// see of them.
func (l *loader[E]) facts() {
	facts := reflect.New(l.req.Schema.Facts)
	l.p.Facts, l.p.Tree = facts.Interface(), l.main.Lab
	before := len(l.found)
	if l.main.Lab == nil {
		l.fail(l.root.Find("lab is missing", "the facts of the lab stand under it"))
	} else {
		l.fail(l.decoder.Into(l.main.Lab, l.p.Facts, decode.Target{Name: "lab", Prefix: "lab.", Noun: "fact"}, nil)...)
	}
	if l.req.Schema.SecretFiles != nil {
		l.compiler.Protect(l.req.Schema.SecretFiles(l.p.Facts))
	}
	vars, varTypes := l.vars()
	env, envTypes := l.env()
	l.factual = len(l.found) == before
	if l.factual && l.req.Schema.Complete != nil {
		for _, p := range l.req.Schema.Complete(l.p.Name, l.p.Facts) {
			if !l.req.Lenient {
				l.problem(p)
			}
		}
		l.factual = len(l.found) == before // what follows from a wrong fact is not told, too
	}
	l.p.Values = map[string]any{"lab": gate.ValueOf(facts.Elem()), "vars": vars, "env": env}
	l.scope = gate.Scope{Roots: map[string]gate.Type{"lab": gate.TypeOf(l.req.Schema.Facts), "vars": varTypes, "env": envTypes}}
}

// problem tells what the schema found, at the fact or the nearest one above it.
func (l *loader[E]) problem(p FactProblem) {
	at, there := l.p.Tree.Lookup(p.Path)
	if p.AtKey && there {
		at = l.p.Tree.Key(p.Path)
	}
	d := at.Find(p.Message, p.Hint)
	if p.Warning || p.ForRun && !l.req.ForRun {
		l.p.Warnings = append(l.p.Warnings, d)
		return
	}
	l.fail(d)
}
