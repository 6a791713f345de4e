package pipeline

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type planLab struct {
	Stack    string        `yaml:"stack" enum:"ipv4|ipv6|dual"`
	Offline  bool          `yaml:"offline" default:"false"`
	Registry planRegistry  `yaml:"registry,omitempty"`
	Machines []planMachine `yaml:"machines"`
	Spare    []planMachine `yaml:"spare,omitempty"`
}

type planRegistry struct {
	Host string `yaml:"host,omitempty"`
	Wide bool   `yaml:"wide" default:"false"`
}

type planMachine struct {
	Name string `yaml:"name"`
	Kind string `yaml:"kind" enum:"small|large" default:"small"`
}

type planLook struct{}

type planSeen struct {
	Ready  bool     `yaml:"ready"`
	Usable []string `yaml:"usable"`
}

func (planLook) Run(context.Context, struct{}) (planSeen, error) { return planSeen{}, nil }

func smallPipeline(t *testing.T) *Pipeline[struct{}] {
	t.Helper()
	p, found := Load(Request[struct{}]{
		File:   "testdata/plan/lab.yaml",
		Kinds:  []Kind[struct{}]{Use[planLook]("test/look", "", "")},
		Schema: Schema{Facts: reflect.TypeFor[planLab]()},
	})
	if len(found) > 0 {
		var b strings.Builder
		_ = found.Render(&b, p.Files)
		t.Fatal(b.String())
	}
	return p
}

// TestPlanGolden compares each way to write a plan with its golden file. UPDATE=1
// writes them.
func TestPlanGolden(t *testing.T) {
	plan := smallPipeline(t).Plan()
	for name, write := range map[string]func(io.Writer) error{
		"plan.txt": plan.WriteText, "plan.json": plan.WriteJSON, "graph.mmd": plan.WriteMermaid, "graph.dot": plan.WriteDOT,
	} {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			if err := write(&got); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", "plan", name)
			if os.Getenv("UPDATE") != "" {
				if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhyNot(t *testing.T) {
	p := smallPipeline(t)
	values := map[string]any{"lab": p.Values["lab"], "steps": map[string]any{
		"probe": map[string]any{"outputs": map[string]any{"usable": []any{"two"}, "ready": false}, "status": "ok"},
	}}
	for _, s := range p.Steps {
		if s.ID != "host" {
			continue
		}
		for i, want := range []string{
			"item.name is one (testdata/plan/lab.yaml:9:14), steps.probe.outputs.usable is [two]",
			"item.kind is small (testdata/plan/lab.yaml:10:25)",
		} {
			in := s.Instances[i]
			values["item"], values["index"] = in.Item, in.Index
			got, err := p.WhyNot(s, &in, values)
			if err != nil || got != want {
				t.Errorf("%s: got %q, %v", in.Key, got, err)
			}
		}
		return
	}
	t.Error("the pipeline has no step host")
}

func TestPlanHidesEnvironment(t *testing.T) {
	p := mustLoad(t, head+"env: [TOKEN]\nphases: [one]\nsteps:\n  - {id: a, phase: one, uses: test/get, when: env.TOKEN == 'x'}\n",
		func(r *Request[struct{}]) { r.Environ = []string{"TOKEN=swordfish"} })
	var b bytes.Buffer
	plan := p.Plan()
	if err := errors.Join(plan.WriteText(&b), plan.WriteJSON(&b)); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "swordfish") || !strings.Contains(b.String(), "env.TOKEN is set, its value is not shown") {
		t.Error(b.String())
	}
}

func TestTellValue(t *testing.T) {
	for _, c := range []struct {
		value any
		want  string
	}{
		{nil, "is not there"}, {"", "is empty"}, {"a b", `is "a b"`}, {"fd03::/48", "is fd03::/48"}, {3, "is 3"}, {false, "is false"},
		{[]any{}, "is empty"}, {[]any{"a", 1}, "is [a, 1]"}, {[]any{map[string]any{}}, "has 1 item"},
		{[]any{"a", map[string]any{}, "b"}, "has 3 items"}, {map[string]any{"a": 1}, "has 1 member"},
		{strings.Repeat("x", 70), "is " + strings.Repeat("x", 60) + "…"},
	} {
		if got := tellValue(c.value); got != c.want {
			t.Errorf("%v: got %q, want %q", c.value, got, c.want)
		}
	}
}
