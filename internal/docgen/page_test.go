package main

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/steps"
)

func TestPagesAreFresh(t *testing.T) {
	files, err := pages()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		have, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(have, want) {
			t.Errorf("%s is not what the Go types say now: make generate", name)
		}
	}
}

func TestKeys(t *testing.T) {
	type Embedded struct {
		Patch map[string]any `yaml:"patch,omitempty" doc:"a | b"`
	}
	type opts struct {
		Embedded
		Mode   string          `yaml:"mode" enum:"a|b" default:"a" doc:"mode"`
		Wait   labs.Duration   `yaml:"wait" doc:"how long"`
		Count  int             `yaml:"count,omitempty"`
		Names  []string        `yaml:"names"`
		Flags  map[string]bool `yaml:"flags"`
		hidden string
	}
	_ = opts{}.hidden
	want := [][]string{
		{"`mode`", "`a`, `b`", "`a`", "mode"}, {"`wait`", "duration", "", "how long"}, {"`count`", "number", "optional", ""},
		{"`names`", "list: text", "", ""}, {"`flags`", "mapping: true or false", "", ""}, {"`patch`", "mapping", "optional", `a \| b`},
	}
	if got := options(reflect.TypeFor[opts]()); !reflect.DeepEqual(got, want) {
		t.Errorf("options %q, want %q", got, want)
	}
}

// TestEveryStepIsTold holds every step to a description, a documented option and
// an example that loads in a lab file.
func TestEveryStepIsTold(t *testing.T) {
	lab, err := os.ReadFile("../../labs/ipv6-disconnected.yaml")
	if err != nil {
		t.Fatal(err)
	}
	facts, _, _ := strings.Cut(string(lab), "\ninclude:")
	for _, k := range steps.Builtin() {
		t.Run(k.Name, func(t *testing.T) {
			if !strings.HasSuffix(k.Doc, ".") {
				t.Errorf("its description is no sentence: %q", k.Doc)
			}
			for _, row := range append(options(k.Options), outputs(k.Outputs)...) {
				if row[len(row)-1] == "" {
					t.Errorf("%s is not documented", row[0])
				}
			}
			if !strings.Contains(k.Example, "uses: "+k.Name) {
				t.Errorf("the example does not use it: %s", k.Example)
			}
			before := ""
			for _, id := range []string{"infraenv", "probe_bmcs"} {
				if strings.Contains(k.Example, "steps."+id+".") {
					before += "  - {id: " + id + ", phase: one, uses: " + map[string]string{"infraenv": "assisted/infraenv", "probe_bmcs": "redfish/preflight, with: {hosts: \"${{ lab.workers }}\"}"}[id] + "}\n"
				}
			}
			example := strings.ReplaceAll(strings.TrimSpace(k.Example), "\n", "\n  ")
			text := facts + "\nphases: [one]\nsteps:\n" + before + "  " + example + "\n    phase: one\n"
			file := filepath.Join(t.TempDir(), "lab.yaml")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			p, found := pipeline.Load(pipeline.Request[*steps.Env]{File: file, Kinds: steps.Builtin(), Schema: steps.Schema(), Builtin: labs.Steps(), Environ: []string{}})
			if len(found) > 0 {
				var b strings.Builder
				_ = found.Render(&b, p.Files)
				t.Errorf("the example does not load:\n%s", b.String())
			}
		})
	}
}
