package gate

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/checker"
	"github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"

	"github.com/labrun/labrun/pipeline/source"
)

// Compiler compiles expressions, equal ones once. It may be used side by side.
type Compiler struct {
	settings
	names   []string // of all functions
	secrets []string // files that file() refuses

	mu       sync.Mutex
	reads    map[string]readsOf
	programs map[string]compiled
}

// settings are what all compilations of a compiler share; read only.
type settings struct {
	functions conf.FunctionsTable
	builtins  conf.FunctionsTable
	disabled  map[string]bool
}

type readsOf struct {
	reads []Read
	err   *Error
}

type compiled struct {
	program *Program
	err     *Error
}

// NewCompiler makes a compiler. dir is the folder that the function file() takes
// relative paths from.
func NewCompiler(dir string) *Compiler {
	c := &Compiler{reads: map[string]readsOf{}, programs: map[string]compiled{}}
	c.disabled = map[string]bool{"now": true}
	c.functions = functions(files{dir: dir, secrets: func() []string { return c.secrets }})
	c.builtins = conf.FunctionsTable{}
	for _, b := range builtin.Builtins {
		if !c.disabled[b.Name] {
			c.builtins[b.Name] = b
		}
	}
	c.names = slices.Sorted(maps.Keys(c.functions))
	c.names = append(c.names, slices.Sorted(maps.Keys(c.builtins))...)
	return c
}

// Protect names the files of secrets, which file() refuses under whatever name. It
// is called before anything is compiled.
func (c *Compiler) Protect(secrets []string) { c.secrets = secrets }

// Compile checks an expression against the types of a scope and what is wanted of
// its result. It fails on the first thing that is wrong.
func (c *Compiler) Compile(text string, scope Scope, want Type) (*Program, *Error) {
	reads, tree, err := c.read(text)
	if err != nil {
		return nil, err
	}
	env, err := scope.environment(text, reads, c.names)
	if err != nil {
		return nil, err
	}
	key := text + "\x00" + want.id() + "\x00" + env.id
	c.mu.Lock()
	done, ok := c.programs[key]
	c.mu.Unlock()
	if ok {
		return done.program, done.err
	}
	done.program, done.err = c.compile(text, tree, reads, scope, env, want)
	c.mu.Lock()
	c.programs[key] = done
	c.mu.Unlock()
	return done.program, done.err
}

// ReadsOf is the function of that name, once for equal texts.
func (c *Compiler) ReadsOf(text string) ([]Read, *Error) {
	reads, _, err := c.read(text)
	return reads, err
}

// read gives what a text reads, and its tree where it was parsed just now: a tree
// is changed by its compilation and serves one.
func (c *Compiler) read(text string) ([]Read, *parser.Tree, *Error) {
	c.mu.Lock()
	found, ok := c.reads[text]
	c.mu.Unlock()
	if ok {
		return found.reads, nil, found.err
	}
	tree, err := parse(text, c.config())
	found.err = err
	if err == nil {
		found.reads, found.err = readsOfTree(text, tree.Node)
	}
	c.mu.Lock()
	c.reads[text] = found
	c.mu.Unlock()
	return found.reads, tree, found.err
}

func (s settings) config() *conf.Config {
	config := &conf.Config{
		ShortCircuit: true, MaxNodes: maxNodes,
		Functions: s.functions, Builtins: s.builtins, Disabled: s.disabled,
	}
	config.WithEnv(types.Map{})
	return config
}

func (c *Compiler) compile(text string, tree *parser.Tree, reads []Read, scope Scope, env environment, want Type) (p *Program, failed *Error) {
	defer func() {
		if r := recover(); r != nil {
			p, failed = nil, whole(text, "cannot be checked as an expression", "")
		}
	}()
	config := c.config()
	config.WithEnv(env.types())
	if tree == nil {
		if tree, failed = parse(text, config); failed != nil {
			return nil, failed
		}
	}
	normalise(&tree.Node)
	if err := c.refuseFunctions(text, tree.Node); err != nil {
		return nil, err
	}
	if _, err := checker.Check(tree, config); err != nil {
		return nil, c.checkError(text, tree, err)
	}
	if err := checkEnums(text, tree.Node, scope); err != nil {
		return nil, err
	}
	if err := checkAbsent(text, tree.Node, want); err != nil {
		return nil, err
	}
	if err := fits(text, tree.Node, want); err != nil {
		return nil, err
	}
	ast.Walk(&tree.Node, forgetter{})
	code, bad := generate(tree.Source, tree.Node, config)
	if bad != nil {
		return nil, c.checkError(text, tree, bad)
	}
	return &Program{text: text, tree: tree.Node, source: tree.Source, reads: reads, want: want, config: c.settings, code: code}, nil
}

func generate(source file.Source, node ast.Node, config *conf.Config) (*vm.Program, error) {
	return compiler.Compile(&parser.Tree{Node: node, Source: source}, config)
}

// forgetter takes the type from what may be nothing at run time: the code for a
// string that is compared would otherwise not bear its absence.
type forgetter struct{}

// Visit implements ast.Visitor.
func (forgetter) Visit(node *ast.Node) {
	if n, ok := (*node).(*ast.ChainNode); ok {
		n.SetType(nil)
		n.Node.SetType(nil)
	}
}

// refuseFunctions names what is no function, and what is none here.
func (c *Compiler) refuseFunctions(text string, root ast.Node) (failed *Error) {
	each(root, func(n ast.Node) {
		call, ok := n.(*ast.CallNode)
		if !ok || failed != nil {
			return
		}
		name, ok := call.Callee.(*ast.IdentifierNode)
		if !ok {
			return
		}
		if name.Value == "now" {
			failed = atLocation(text, name.Location(), "now() is not available: the same file would mean another thing at each run", "")
			return
		}
		if !slices.Contains(c.names, name.Value) {
			failed = atLocation(text, name.Location(), fmt.Sprintf("no function is called %q", name.Value), source.DidYouMean(name.Value, c.names))
		}
	})
	return failed
}

// each visits node and all below it, in the order of the text.
func each(node ast.Node, visit func(ast.Node)) {
	visit(node)
	for _, c := range children(node) {
		if !isNil(c) {
			each(c, visit)
		}
	}
}

// locationOf gives the place and message of an error of expr.
func locationOf(err error) (file.Location, string) {
	var e *file.Error
	if errors.As(err, &e) {
		return e.Location, e.Message
	}
	return file.Location{}, err.Error()
}
