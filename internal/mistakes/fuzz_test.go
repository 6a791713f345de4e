package mistakes

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/source"
	"github.com/labrun/labrun/steps"
)

// soundLab is the text of a sound lab, and the folder it stands in.
func soundLab(f *testing.F, name string) (text, dir string) {
	f.Helper()
	b, err := os.ReadFile(filepath.Join(folder, "labs", name+".yaml"))
	if err != nil {
		f.Fatal(err)
	}
	files, err := siteFiles(folder)
	if err != nil {
		f.Fatal(err)
	}
	dir = f.TempDir()
	files[LabFile] = string(b)
	if err := (Case{Files: files}).Write(dir); err != nil {
		f.Fatal(err)
	}
	return string(b), dir
}

// load loads a lab as labrun does, and checks what is said of it: each finding has
// a place in a file that was read and says something, but nothing of Go.
func load(t *testing.T, input string, request pipeline.Request[*steps.Env]) {
	request.Kinds, request.Schema, request.Builtin, request.Environ = steps.Builtin(), steps.Schema(), labs.Steps(), []string{"HOME=/nowhere"}
	p, found := pipeline.Load(request)
	for _, d := range append(found, p.Warnings...) {
		if d.Message == "" {
			t.Fatalf("%s: nothing is said", d.Pos)
		}
		standsIn(t, d, p.Files)
		for _, said := range []string{d.Message, d.Hint} {
			if goes := ofGo.FindString(said); goes != "" && !strings.Contains(input, goes) && !strings.Contains(input, `\`) {
				t.Fatalf("%s: it speaks of Go, %q: %s", d.Pos, goes, said)
			}
		}
	}
	if err := found.Render(io.Discard, p.Files); err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		_ = p.Plan()
	}
}

// standsIn checks that a finding stands in its file, at its last character's right
// at most; a file that cannot be read has no place.
func standsIn(t *testing.T, d source.Diagnostic, files *source.Files) {
	if d.Pos.File == "" {
		t.Fatalf("in no file: %s", d.Message)
	}
	if d.Pos.Line == 0 {
		if _, read := files.Line(d.Pos.File, 1); read {
			t.Fatalf("%s has no place in a file that was read: %s", d.Pos, d.Message)
		}
		return
	}
	line, ok := files.Line(d.Pos.File, d.Pos.Line)
	if !ok || d.Pos.Column < 1 || d.Pos.Column > utf8.RuneCountInString(line)+1 {
		t.Fatalf("%s is no place in the file: %s", d.Pos, d.Message)
	}
	if d.Width < 1 {
		t.Fatalf("%s is %d wide: %s", d.Pos, d.Width, d.Message)
	}
}

// FuzzLab loads texts as lab files, with the steps and facts of real labs.
func FuzzLab(f *testing.F) {
	root, err := filepath.Abs(folder)
	if err != nil {
		f.Fatal(err)
	}
	cases, err := Read(root)
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range cases {
		f.Add(c.Files[LabFile])
	}
	_, dir := soundLab(f, "ipv6")
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(dir, "fuzzed.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		load(t, text, pipeline.Request[*steps.Env]{File: path})
	})
}

// FuzzValues puts values and an argument of --set on a sound lab.
func FuzzValues(f *testing.F) {
	for _, seed := range [][2]string{
		{"lab: {stack: dual}", "lab.stack=ipv4"},
		{"lab:\n  workers:\n  - {name: worker0, boot_mac: 52:54:00:00:00:01}\n  - {name: worker2}\n", "lab.workers.worker1.boot_mac=52:54:00:00:00:02"},
		{"lab: {workers: [1, 2], networks: null}\nvars: {a: [1]}", "lab.workers[0]=null"},
		{"lab: {workers: {worker0: {bmc: null}}}", `lab.registry={host: "x", port: 1}`},
		{"lab: &a {registry: {ca: |\n x}}", "vars[a.b].c='d'"},
		{"", "lab.networks.machine=[10.0.0.0/8, \"fd00::/8\"]"},
	} {
		f.Add(seed[0], seed[1])
	}
	_, dir := soundLab(f, "short")
	f.Fuzz(func(t *testing.T, values, set string) {
		path := filepath.Join(dir, "values.yaml")
		if err := os.WriteFile(path, []byte(values), 0o600); err != nil {
			t.Fatal(err)
		}
		load(t, values+set, pipeline.Request[*steps.Env]{File: filepath.Join(dir, LabFile), Values: []string{path}, Set: []string{"vars.x=1", set}})
	})
}
