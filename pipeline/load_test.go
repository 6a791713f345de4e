package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/labrun/labrun/pipeline/decode"
	"github.com/labrun/labrun/pipeline/gate"
	"github.com/labrun/labrun/pipeline/source"
)

// The facts and kinds of these tests: the engine knows none of its own.

type testFacts struct {
	Stack        string       `yaml:"stack" enum:"ipv4|ipv6" default:"ipv6" doc:"address family"`
	Disconnected bool         `yaml:"disconnected" default:"false" doc:"no way out"`
	Domain       string       `yaml:"domain" doc:"base domain"`
	Registry     testRegistry `yaml:"registry,omitempty" doc:"the registry"`
	Workers      []testWorker `yaml:"workers,omitempty" doc:"servers"`
}

type testRegistry struct {
	Host string `yaml:"host,omitempty"`
	Port int    `yaml:"port" default:"5000"`
}

type testWorker struct {
	Name string `yaml:"name"`
	MAC  string `yaml:"mac,omitempty"`
}

// testGet gives a URL and its items.
type testGet struct {
	Name    string         `yaml:"name" default:"x"`
	Size    int            `yaml:"size,omitempty"`
	Worker  testWorker     `yaml:"worker,omitempty"`
	Workers []testWorker   `yaml:"workers,omitempty"`
	Patch   map[string]any `yaml:"patch,omitempty"`
}

type testOutputs struct {
	URL   string   `yaml:"url"`
	Ready bool     `yaml:"ready"`
	Names []string `yaml:"names"`
}

func (testGet) Run(context.Context, struct{}) (testOutputs, error) { return testOutputs{}, nil }

// testAssert holds a condition.
type testAssert struct {
	That   decode.Expr `yaml:"that" result:"bool"`
	Object decode.Expr `yaml:"object,omitempty" vars:"object" result:"bool"`
}

func (testAssert) Run(context.Context, struct{}) (struct{}, error) { return struct{}{}, nil }

func testKinds() []Kind[struct{}] {
	return []Kind[struct{}]{Use[testGet]("test/get", "", ""), Use[testAssert]("assert", "", "")}
}

func testRequest(file string) Request[struct{}] {
	return Request[struct{}]{
		File: file, Kinds: testKinds(), Environ: []string{"USER=me"},
		Schema: Schema{Facts: reflect.TypeFor[testFacts](), Complete: func(name string, facts any) []FactProblem {
			f := facts.(*testFacts)
			if f.Disconnected && f.Registry.Host == "" {
				return []FactProblem{{Path: "registry.host", Message: "a disconnected lab needs a registry", Hint: "lab.registry.host"}}
			}
			if f.Domain == "warn" {
				return []FactProblem{{Path: "domain", Message: "a strange domain", Warning: true}}
			}
			return nil
		}},
		Builtin: fstest.MapFS{
			"shared.yaml": {Data: []byte("phases: [one, two]\nsteps:\n  - {id: a, phase: one, uses: test/get, when: lab.disconnected}\n  - {id: b, phase: two, uses: test/get, with: {name: \"${{ lab.domain }}\"}}\n")},
			"broken.yaml": {Data: []byte("phases: [one]\nsteps:\n  - id: a\n    phase: one\n    uses: test/get\n    when: lab.disconected\n")},
		},
		Check: func(k Kind[struct{}], options any, lab, step, key string) []FactProblem {
			if len(lab+step+key) > 40 {
				return []FactProblem{{Message: "the manager " + lab + "/" + step + "[" + key + "] is too long"}}
			}
			return nil
		},
	}
}

// TestMistakes loads each broken file, and compares what is told with a golden
// file beside it. UPDATE=1 writes them.
func TestMistakes(t *testing.T) {
	files, err := filepath.Glob("testdata/load/*.yaml")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			req := testRequest(file)
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			first, _, _ := strings.Cut(string(data), "\n")
			for _, arg := range strings.Split(first, "--set ")[1:] {
				req.Set = append(req.Set, strings.TrimSpace(arg))
			}
			p, found := Load(req)
			if len(found) == 0 {
				t.Fatal("nothing was found")
			}
			var b strings.Builder
			if err := found.Render(&b, p.Files); err != nil {
				t.Fatal(err)
			}
			golden := strings.TrimSuffix(file, ".yaml") + ".txt"
			if os.Getenv("UPDATE") != "" {
				if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), b.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func mustLoad(t testing.TB, text string, change func(*Request[struct{}])) *Pipeline[struct{}] {
	t.Helper()
	file := filepath.Join(t.TempDir(), "lab.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	req := testRequest(file)
	if change != nil {
		change(&req)
	}
	p, found := Load(req)
	if found != nil {
		var b strings.Builder
		_ = found.Render(&b, p.Files)
		t.Fatal(b.String())
	}
	return p
}

const head = "version: v1\nname: lab\nlab: {domain: d, workers: [{name: w0}, {name: w1}]}\n"

// edges writes what each step waits for.
func edges(p *Pipeline[struct{}]) string {
	var b strings.Builder
	for _, s := range p.Steps {
		b.WriteString(s.ID + ":")
		for _, e := range s.Edges {
			fmt.Fprintf(&b, " %s%s(%s)", e.From, e.Phase, e.Reason)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestEdges(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"phases and order", "phases: [p, none, q]\nsteps:\n  - {id: c, phase: q, uses: test/get}\n  - {id: a, phase: p, uses: test/get}\n  - {id: b, phase: p, uses: test/get}\n  - {id: d, phase: q, uses: test/get, needs: []}\n",
			"a:\nb: a(order)\nc: p(phase)\nd: p(phase)\n"},
		{"needs and outputs", "phases: [p]\nsteps:\n  - {id: a, phase: p, uses: test/get}\n  - {id: b, phase: p, uses: test/get, needs: []}\n  - {id: c, phase: p, uses: test/get, needs: [a], when: steps.b.outputs.ready}\n  - {id: d, phase: p, uses: assert, with: {that: steps.a.outputs.url == 'x', object: object.x.y == steps.b.status}}\n",
			"a:\nb:\nc: a(needs) b(outputs)\nd: a(outputs) b(outputs) c(order)\n"},
		{"after", "phases: [p]\nsteps:\n  - {id: x, after: a, uses: test/get}\n  - {id: y, after: a, uses: test/get}\n  - {id: z, after: x, uses: test/get}\n  - {id: a, phase: p, uses: test/get}\n  - {id: b, phase: p, uses: test/get}\n",
			"a:\nx: a(order)\nz: x(order)\ny: z(order)\nb: y(order)\n"},
		{"no phases", "steps:\n  - {id: a, uses: test/get}\n  - {id: b, uses: test/get, with: {name: \"${{ steps.a.outputs.url }}\"}}\n", "a:\nb: a(outputs)\n"},
		{"forEach", "steps:\n  - {id: a, uses: test/get, forEach: lab.workers, with: {worker: \"${{ item }}\"}}\n  - {id: b, uses: test/get, with: {name: \"${{ steps.a.by['w0'].url }}\"}}\n", "a:\nb: a(outputs)\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, edges(mustLoad(t, head+tt.in, nil))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOptions(t *testing.T) {
	p := mustLoad(t, head+`vars: {n: 3, list: [a, b]}
env: {USER: , HOME: /x}
steps:
  - id: a
    uses: test/get
    forEach: filter(lab.workers, .name != 'w9')
    key: item.name + "-" + string(index)
    with:
      worker: ${{ item }}
      name: "${{ env.USER }}-${{ env.HOME }}-$${{"
      size: ${{ vars.n + index }}
      patch: {a: "${{ vars.list }}", b: 4}
  - {id: b, uses: test/get, when: "${{ lab.stack == 'ipv6' }}", with: {name: "${{ steps.a.items[1].url }}"}}
  - {id: c, uses: test/get, forEach: 'steps.b.outputs?.names ?? []', with: {name: "${{ item }}"}}
  - {id: d, uses: assert, with: {that: len(steps.a.items) == 2, object: object.x == vars.n}}
`, nil)
	a := p.Steps[0]
	if len(a.Instances) != 2 || a.Instances[1].Key != "w1-1" {
		t.Fatalf("instances %v", a.Instances)
	}
	values := map[string]any{"item": a.Instances[1].Item, "index": 1}
	for k, v := range p.Values {
		values[k] = v
	}
	got, err := a.Options(values)
	want := testGet{Name: "me-/x-${{", Size: 4, Worker: testWorker{Name: "w1"}, Patch: map[string]any{"a": []any{"a", "b"}, "b": int64(4)}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v %v, want %+v", got, err, want)
	}
	values["steps"] = map[string]any{
		"a": map[string]any{"items": []any{map[string]any{"url": "u0"}, map[string]any{"url": "u1"}}},
		"b": map[string]any{"outputs": map[string]any{"names": []any{"n0", "bad key"}}},
	}
	if got, err := p.Steps[1].Options(values); err != nil || got.(testGet).Name != "u1" {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := p.Steps[2].Expand(values); err == nil || !strings.Contains(err.Error(), `lab.yaml:17:38: the key "bad key" of item 1 is no label value`) {
		t.Errorf("got %v", err)
	}
	got, err = p.Steps[3].Options(values)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := got.(testAssert).That.Eval(nil); err != nil || v != true {
		t.Errorf("got %v, %v", v, err)
	}
	if b, err := json.Marshal(got); err != nil || !strings.Contains(string(b), `"steps.a.items":[{"url":"u0"},{"url":"u1"}]`) {
		t.Errorf("written as %s, %v", b, err)
	}
	if v, err := got.(testAssert).Object.Eval(map[string]any{"object": map[string]any{"x": 3}}); err != nil || v != true {
		t.Errorf("got %v, %v", v, err)
	}
	var absent *gate.Error
	if _, err := got.(testAssert).Object.Eval(map[string]any{"object": nil}); !errors.As(err, &absent) || !absent.Absent || !strings.Contains(err.Error(), "lab.yaml:18:") {
		t.Errorf("an absent object gave %v", err)
	}
}

func TestOverlay(t *testing.T) {
	values := filepath.Join(t.TempDir(), "v.yaml")
	if err := os.WriteFile(values, []byte("lab: {domain: warn, workers: [{name: w1, mac: m}], disconnected: true}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := mustLoad(t, head+"include: [builtin:shared]\noverride:\n  a: {timeout: 3m, with: {patch: {x: 1}}}\n  b: {disabled: not here}\n", func(r *Request[struct{}]) {
		r.Values, r.Set = []string{values}, []string{"lab.workers.w0.mac=q", "lab.registry.host=h"}
	})
	want := &testFacts{Stack: "ipv6", Disconnected: true, Domain: "warn", Registry: testRegistry{"h", 5000}, Workers: []testWorker{{"w0", "q"}, {"w1", "m"}}}
	if diff := cmp.Diff(want, p.Facts); diff != "" {
		t.Error(diff)
	}
	if len(p.Warnings) != 1 || p.Warnings[0].Pos.File != values {
		t.Errorf("warnings %v", p.Warnings)
	}
	a, b := p.Steps[0], p.Steps[1]
	if a.Timeout != 3*time.Minute || a.With.Get("patch") == nil || b.Disabled != "not here" || a.Pos.String() != "builtin:shared:3:10" {
		t.Errorf("a %+v, b %+v", a, b)
	}
}

// An included file may stand in the home folder.
func TestIncludeFromHome(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	if err := os.WriteFile(filepath.Join(home, "steps.yaml"), []byte("steps:\n  - {id: a, phase: one, uses: test/get}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p, found := Load(testRequest(write(t, head+"phases: [one]\ninclude: [~/steps.yaml]\n")))
	if len(found) > 0 || len(p.Steps) != 1 || p.Steps[0].Pos.File != filepath.Join(home, "steps.yaml") {
		t.Errorf("%d steps, %v", len(p.Steps), found)
	}
}

func FuzzLoad(f *testing.F) {
	seeds, _ := filepath.Glob("testdata/load/*.yaml")
	for _, file := range seeds {
		if data, err := os.ReadFile(file); err == nil && len(data) < 2000 {
			f.Add(data)
		}
	}
	file := filepath.Join(f.TempDir(), "lab.yaml")
	req := testRequest(file)
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		p, found := Load(req)
		var b strings.Builder
		if err := found.Render(&b, p.Files); err != nil {
			t.Fatal(err)
		}
		for _, d := range found {
			if d.Pos == (source.Position{}) || d.Message == "" || strings.Contains(d.Message, "reflect.") {
				t.Fatalf("%+v", d)
			}
		}
	})
}

// BenchmarkLoad10000 loads a file of 10,000 steps, each with a gate and options
// that read facts and the step before.
func BenchmarkLoad10000(b *testing.B) {
	var text strings.Builder
	text.WriteString(head + "phases: [one, two]\nsteps:\n")
	for i := range 10_000 {
		phase := "one"
		if i >= 5000 {
			phase = "two"
		}
		fmt.Fprintf(&text, "  - id: step_%d\n    phase: %s\n    uses: test/get\n    when: lab.stack == 'ipv6' && !lab.disconnected\n    with:\n      name: \"${{ lab.domain }}-%d\"\n      workers: ${{ lab.workers }}\n", i, phase, i)
		if i%10 == 1 {
			fmt.Fprintf(&text, "      patch: {url: \"${{ steps.step_%d.outputs.url }}\"}\n", i-1)
		}
	}
	file := filepath.Join(b.TempDir(), "lab.yaml")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, found := Load(testRequest(file)); found != nil {
			b.Fatal(found)
		}
	}
}

// BenchmarkLoadSmall loads a file of a few steps: what every command pays.
func BenchmarkLoadSmall(b *testing.B) {
	file := filepath.Join(b.TempDir(), "lab.yaml")
	if err := os.WriteFile(file, []byte(head+"include: [builtin:shared]\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, found := Load(testRequest(file)); found != nil {
			b.Fatal(found)
		}
	}
}

// A step that gives no timeout has its kind's; a kind that waits for nothing has none.
func TestTimeoutOfAKind(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lab.yaml")
	text := "version: v1\nname: lab\nlab: {stack: ipv6, domain: lab.example}\nphases: [one]\nsteps:\n" +
		"- {id: a, phase: one, uses: test/get}\n- {id: b, phase: one, uses: test/get, timeout: 90s}\n- {id: c, phase: one, uses: assert, with: {that: \"true\"}}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	req := testRequest(file)
	req.Kinds[0].Timeout = 30 * time.Minute
	p, found := Load(req)
	if len(found) > 0 {
		t.Fatal(found)
	}
	for n, want := range []time.Duration{30 * time.Minute, 90 * time.Second, 0} {
		if got := p.Steps[n].Timeout; got != want {
			t.Errorf("%s: %v, want %v", p.Steps[n].ID, got, want)
		}
	}
}

// The plan says which steps have their effect in every run.
func TestPlanSaysWhatAlwaysRuns(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lab.yaml")
	text := "version: v1\nname: lab\nlab: {stack: ipv6, domain: lab.example}\nphases: [one]\nsteps:\n" +
		"- {id: a, phase: one, uses: test/get}\n- {id: b, phase: one, uses: test/get, with: {name: x}}\n- {id: c, phase: one, uses: test/get, when: lab.domain == 'lab.example'}\n" +
		"- {id: d, phase: one, uses: test/get, when: lab.domain == 'x'}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	req := testRequest(file)
	req.Kinds[0].Needless = []string{"name", "other"}
	p, found := Load(req)
	if len(found) > 0 {
		t.Fatal(found)
	}
	const always = "always runs: it has no name or other"
	var got []string
	for _, s := range p.Plan().Steps {
		got = append(got, string(s.Verdict)+" "+s.Reason)
	}
	domain := "lab.domain is lab.example (" + file + ":3:28)"
	want := []string{"run " + always, "run ", "run " + domain + "; " + always, "skip " + domain}
	if !slices.Equal(got, want) {
		t.Errorf("planned %q, want %q", got, want)
	}
}
