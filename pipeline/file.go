package pipeline

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/labrun/labrun/pipeline/decode"
	"github.com/labrun/labrun/pipeline/source"
)

// document is the grammar of a file.
type document struct {
	Version  string         `yaml:"version,omitempty" enum:"v1" doc:"version of the language"`
	Name     *source.Node   `yaml:"name,omitempty" doc:"name of the lab, a DNS label"`
	Lab      *source.Node   `yaml:"lab,omitempty" doc:"the facts"`
	Vars     *source.Node   `yaml:"vars,omitempty" doc:"further literals, vars.NAME in expressions"`
	Env      *source.Node   `yaml:"env,omitempty" doc:"environment variables that expressions may read: a list, or names with their defaults"`
	Include  []*source.Node `yaml:"include,omitempty" doc:"files of steps: builtin:NAME, or a path beside this file"`
	Phases   []*source.Node `yaml:"phases,omitempty" doc:"the phases, in order"`
	Override *source.Node   `yaml:"override,omitempty" doc:"changes of included steps, by id"`
	Steps    *source.Node   `yaml:"steps,omitempty" doc:"the steps, in order"`
}

// stepDocument is the grammar of a step.
type stepDocument struct {
	ID        *source.Node `yaml:"id" doc:"name of the step in expressions"`
	Phase     *source.Node `yaml:"phase,omitempty" doc:"the phase that it belongs to"`
	Uses      *source.Node `yaml:"uses" doc:"the built-in step"`
	With      *source.Node `yaml:"with,omitempty" doc:"its options"`
	When      *source.Node `yaml:"when,omitempty" doc:"the gate: an expression"`
	ForEach   *source.Node `yaml:"forEach,omitempty" doc:"an expression: the list that the step is repeated over"`
	Key       *source.Node `yaml:"key,omitempty" doc:"an expression: what tells the repetitions apart"`
	Needs     *source.Node `yaml:"needs,omitempty" doc:"ids of the steps that come first"`
	After     *source.Node `yaml:"after,omitempty" doc:"the step that this one is put behind"`
	Disabled  *source.Node `yaml:"disabled,omitempty" doc:"why the step is left out"`
	Timeout   *source.Node `yaml:"timeout,omitempty" doc:"the longest time that it may take"`
	Limit     *source.Node `yaml:"limit,omitempty" doc:"how many repetitions run side by side"`
	Retry     *source.Node `yaml:"retry,omitempty" doc:"how often, and after which failures, it is tried again"`
	Finally   *source.Node `yaml:"finally,omitempty" doc:"true: it runs after all other steps, whatever came of them"`
	OnFailure *source.Node `yaml:"onFailure,omitempty" doc:"true, or ids of steps: it runs after all others where one of them failed"`

	node *source.Node // the whole
}

// maxIncludes bounds the files of one lab.
const maxIncludes = 100

// read reads the main file with all that it includes; steps of included files
// come before the file's own.
func (l *loader[E]) read() {
	data, found := l.files.Read(l.req.File)
	if found != nil {
		l.fail(found...)
		return
	}
	root, found := source.Parse(l.req.File, data)
	if found != nil {
		l.fail(found...)
		return
	}
	if root.Kind != source.Mapping {
		const want = "a lab file is a mapping with version, name and lab"
		if root.Kind == source.Null {
			l.fail(root.Find("the file is empty", want))
		} else {
			l.fail(root.Find(want+", found "+root.Describe(), ""))
		}
		return
	}
	root = l.overlay(root)
	var doc document
	l.grammar(root, &doc, l.req.File)
	l.root, l.main = root, &doc
	if root.Get("version") == nil {
		l.fail(root.Find("version is missing", "version: v1"))
	}
	l.name()
	if l.req.Instead != "" {
		doc.Phases, doc.Steps, doc.Override = nil, nil, nil
		doc.Include = []*source.Node{{Kind: source.Scalar, Text: source.BuiltinPrefix + l.req.Instead, Pos: root.Pos}}
	}
	l.take(&doc, l.req.File, []string{l.req.File})
}

// grammar decodes a file's keys, or a step's.
func (l *loader[E]) grammar(n *source.Node, target any, name string) {
	l.fail(l.decoder.Into(n, target, decode.Target{Name: name, Noun: "key"}, nil)...)
}

// take takes over what a file declares; chain are the files that led to it.
func (l *loader[E]) take(doc *document, file string, chain []string) {
	for _, n := range doc.Include {
		l.include(n, file, chain)
	}
	if len(doc.Phases) > 0 {
		l.takePhases(doc.Phases)
	}
	if doc.Steps == nil {
		return
	}
	if doc.Steps.Kind != source.Sequence {
		l.fail(doc.Steps.Find("steps must be a list, found "+doc.Steps.Describe(), ""))
		return
	}
	l.stepNodes = append(l.stepNodes, doc.Steps.Items...)
}

func (l *loader[E]) include(n *source.Node, file string, chain []string) {
	if n.Kind != source.Scalar {
		l.fail(n.Find("include must be a list of files, found "+n.Describe(), ""))
		return
	}
	name, data, found := l.open(n, file)
	if found != nil {
		l.fail(found...)
		return
	}
	for _, above := range chain {
		if above == name {
			l.fail(n.Find(name+" includes itself", ""))
			return
		}
	}
	if l.included++; l.included > maxIncludes {
		l.fail(n.Find(fmt.Sprintf("more than %d files are included", maxIncludes), ""))
		return
	}
	root, found := source.Parse(name, data)
	if found != nil {
		l.fail(found...)
		return
	}
	if root.Kind == source.Null {
		return
	}
	var doc document
	l.grammar(root, &doc, name)
	for _, key := range []string{"name", "lab", "vars", "env", "override"} {
		if e := root.Entry(key); e != nil {
			l.fail(e.Key.Find(key+" stands in the lab file, not in one that it includes", ""))
		}
	}
	l.take(&doc, name, append(chain[:len(chain):len(chain)], name))
}

// open reads an included file: an embedded one, or one beside the file that
// includes it.
func (l *loader[E]) open(n *source.Node, file string) (name string, data []byte, found source.Diagnostics) {
	builtin, ok := strings.CutPrefix(n.Text, source.BuiltinPrefix)
	if !ok {
		if name, found = l.beside(n, file); found != nil {
			return "", nil, found
		}
		data, found = l.files.Read(name)
		if found != nil {
			return "", nil, source.Diagnostics{n.Find(name+" "+found[0].Message, "")}
		}
		return name, data, nil
	}
	if l.req.Builtin != nil {
		if data, err := fs.ReadFile(l.req.Builtin, builtin+".yaml"); err == nil {
			l.files.Add(n.Text, data)
			return n.Text, data, nil
		}
	}
	return "", nil, source.Diagnostics{n.Find(fmt.Sprintf("no file %q is built in", builtin), source.DidYouMean(builtin, l.builtins()))}
}

// beside is the path that a file names, from its own folder or, with ~/, the home folder.
func (l *loader[E]) beside(n *source.Node, file string) (string, source.Diagnostics) {
	if path, ok := strings.CutPrefix(n.Text, "~/"); ok {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", source.Diagnostics{n.Find(n.Text+" cannot be found: "+err.Error(), "")}
		}
		return filepath.Join(home, path), nil
	}
	if filepath.IsAbs(n.Text) {
		return n.Text, nil
	}
	return filepath.Join(source.Position{File: file}.Dir(), n.Text), nil
}

func (l *loader[E]) builtins() []string {
	if l.req.Builtin == nil {
		return nil
	}
	paths, _ := fs.Glob(l.req.Builtin, "*.yaml")
	for i, p := range paths {
		paths[i] = strings.TrimSuffix(p, ".yaml")
	}
	return paths
}

func (l *loader[E]) takePhases(nodes []*source.Node) {
	if len(l.phaseNodes) > 0 {
		d := nodes[0].Find("phases stand in one file only", "")
		d.Related = []source.Related{{Pos: l.phaseNodes[0].Pos, Message: "first here"}}
		l.fail(d)
		return
	}
	for _, n := range nodes {
		if n.Kind != source.Scalar || !isName(idPattern, n.Text) {
			l.fail(n.Find("a phase is a name of small letters, digits and _", ""))
			continue
		}
		if n.Text == finallyPhase {
			l.fail(n.Find("no phase can be called finally", "a step that runs after all others says finally: true, and has no phase"))
			continue
		}
		if i, twice := l.phases[n.Text]; twice {
			d := n.Find(fmt.Sprintf("the phase %q stands twice", n.Text), "")
			d.Related = []source.Related{{Pos: l.phaseNodes[i].Pos, Message: "first here"}}
			l.fail(d)
			continue
		}
		l.phases[n.Text] = len(l.phaseNodes)
		l.phaseNodes = append(l.phaseNodes, n)
		l.p.Phases = append(l.p.Phases, n.Text)
	}
}
