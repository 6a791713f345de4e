package houserules

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	root   = "../.."
	module = "github.com/labrun/labrun/"
)

// dependencies are the packages that those below a folder need, with their own.
func dependencies(t *testing.T, folder string) []string {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "./"+folder+"/...")
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list -deps ./%s/...: %v\n%s", folder, err, stderr.String())
	}
	return strings.Fields(string(out))
}

// TestArrows looks at what each room imports, through all that it imports.
func TestArrows(t *testing.T) {
	const (
		kubernetes = `^(k8s\.io|sigs\.k8s\.io|github\.com/openshift|github\.com/operator-framework|github\.com/metal3-io)/`
		ssh        = `^(golang\.org/x/crypto/ssh|github\.com/pkg/sftp|github\.com/kevinburke/ssh_config|github\.com/gliderlabs/ssh)`
		redfish    = `^github\.com/stmcginnis/gofish|^` + module + `redfish`
	)
	own := func(rooms ...string) string { return `^` + module + `(` + strings.Join(rooms, "|") + `)(/|$)` }
	for _, c := range []struct {
		room   string
		refuse []string
		allow  string // of what is refused otherwise
	}{
		{room: "pipeline", refuse: []string{kubernetes, ssh, redfish, own("labs", "steps", "cmd", "internal/cli", "internal/sim")}},
		{room: "redfish", refuse: []string{`^k8s\.io/client-go`, own("pipeline", "labs", "steps", "cmd", "internal")}},
		{room: "labs", refuse: []string{kubernetes, ssh, redfish, own("pipeline", "steps", "cmd", "internal/cli", "internal/sim")}},
		{room: "internal/sim", refuse: []string{own("pipeline", "steps", "internal/cli", "cmd/labrun")}},
		{room: "steps", refuse: []string{own("cmd", "internal/cli", "internal/sim")}},
		{room: "internal/progress", refuse: []string{kubernetes, ssh, redfish, own("labs", "steps", "cmd")}},
	} {
		t.Run(c.room, func(t *testing.T) {
			for _, refuse := range c.refuse {
				pattern := regexp.MustCompile(refuse)
				for _, p := range dependencies(t, c.room) {
					if pattern.MatchString(p) {
						t.Errorf("%s imports %s", c.room, p)
					}
				}
			}
		})
	}
}

// source is one Go file of the product.
type source struct {
	path  string // from the root
	lines int
	file  *ast.File
	set   *token.FileSet
	test  bool
}

// at says where something stands.
func (s source) at(n ast.Node) string {
	return fmt.Sprintf("%s:%d", s.path, s.set.Position(n.Pos()).Line)
}

// sources reads all Go files that are not generated.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "bin" || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && path != root):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go"):
			return nil
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		if ast.IsGenerated(f) {
			return nil
		}
		rel, err := filepath.Rel(root, path)
		all = append(all, source{rel, set.File(f.Pos()).LineCount(), f, set, strings.HasSuffix(path, "_test.go")})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 100 {
		t.Fatalf("%d Go files found: the root is not %s", len(all), root)
	}
	return all
}

// TestLengths bounds files; a step is a small file.
func TestLengths(t *testing.T) {
	for _, s := range sources(t) {
		limit := 500
		if dir := filepath.Dir(s.path); (dir == "steps" || dir == "steps/kube/generic") && !s.test {
			limit = 200
		}
		if s.lines-1 > limit {
			t.Errorf("%s has %d lines, more than %d", s.path, s.lines-1, limit)
		}
	}
}

// TestNames refuses packages and files that say nothing of what is in them.
func TestNames(t *testing.T) {
	empty := []string{"util", "utils", "common", "helper", "helpers", "misc", "shared"}
	for _, s := range sources(t) {
		name := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(s.path), ".go"), "_test")
		for _, n := range []string{s.file.Name.Name, name} {
			if slices.Contains(empty, n) {
				t.Errorf("%s: %s says nothing of what is in it", s.path, n)
			}
		}
	}
}

var sentinel = regexp.MustCompile(`^[eE]rr[A-Z]`)

// TestPackageLevel refuses init, and every variable of a package but embedded
// files, sentinel errors, compiled patterns and assertions of an interface.
func TestPackageLevel(t *testing.T) {
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		for _, decl := range s.file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.Name == "init" {
					t.Errorf("%s: init", s.at(d))
				}
			case *ast.GenDecl:
				if d.Tok != token.VAR {
					continue
				}
				for _, spec := range d.Specs {
					if v := spec.(*ast.ValueSpec); !allowed(d, v) {
						t.Errorf("%s: variable %s at package level", s.at(v), v.Names[0].Name)
					}
				}
			}
		}
	}
}

func allowed(d *ast.GenDecl, v *ast.ValueSpec) bool {
	if embedded(d.Doc) || embedded(v.Doc) {
		return true
	}
	if len(v.Values) != len(v.Names) {
		return false
	}
	for i, name := range v.Names {
		if name.Name == "_" && v.Type != nil {
			continue
		}
		call, ok := v.Values[i].(*ast.CallExpr)
		if !ok {
			return false
		}
		if sentinel.MatchString(name.Name) { // also one of an error type of its own
			continue
		}
		fun, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		pkg, ok := fun.X.(*ast.Ident)
		if !ok || pkg.Name+"."+fun.Sel.Name != "errors.New" && pkg.Name+"."+fun.Sel.Name != "regexp.MustCompile" {
			return false
		}
	}
	return true
}

func embedded(doc *ast.CommentGroup) bool {
	return doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed ") })
}
