package decode

import (
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/labrun/labrun/pipeline/gate"
	"github.com/labrun/labrun/pipeline/source"
)

type path string

func (p *path) ResolveIn(dir string) { *p = path(dir + "/" + string(*p)) }

type mac string

func (m *mac) UnmarshalText(b []byte) error {
	if !strings.Contains(string(b), ":") {
		return errors.New("no MAC address")
	}
	*m = mac(b)
	return nil
}

type pem struct {
	File path   `yaml:"file,omitempty"`
	Text string `yaml:"text,omitempty" scalar:"true"`
}

type Common struct {
	Patch map[string]any `yaml:"patch,omitempty"`
}

type worker struct {
	Name string `yaml:"name" doc:"a DNS label"`
	MAC  mac    `yaml:"mac"`
	Size int    `yaml:"size,omitempty"`
}

type secretRef struct {
	File string `yaml:"file,omitempty"`
	Env  string `yaml:"env,omitempty"`
}

func (secretRef) RefersToSecret() {}

type static struct {
	Interface string `yaml:"interface" default:"eno1"`
	Gateway   string `yaml:"gateway"`
}

type facts struct {
	Common
	Stack   string            `yaml:"stack" enum:"ipv4|ipv6" default:"ipv6"`
	Version string            `yaml:"version,omitempty"`
	On      bool              `yaml:"on,omitempty"`
	Port    uint16            `yaml:"port,omitempty"`
	Share   float64           `yaml:"share,omitempty"`
	Wait    time.Duration     `yaml:"wait" default:"5m"`
	CA      pem               `yaml:"ca,omitempty"`
	Labels  map[string]string `yaml:"labels,omitempty"`
	Workers []worker          `yaml:"workers,omitempty"`
	Net     static            `yaml:"net,omitempty"`
	That    Expr              `yaml:"that,omitempty" vars:"object" result:"bool"`
	Pass    secretRef         `yaml:"pass,omitempty"`
}

// values knows the value of each expression.
type values map[string]any

func (v values) Value(h Hole, want gate.Type) (any, bool, source.Diagnostics) {
	value, ok := v[strings.TrimSpace(h.Text)]
	if !ok {
		return nil, false, source.Diagnostics{h.Node.FindIn(h.From, len(h.Text), "must be "+want.String(), "")}
	}
	return value, value != "later", nil
}

func (v values) Expr(h Hole, vars []string, want gate.Type) (Expr, source.Diagnostics) {
	return Expr{Text: h.Text + "/" + strings.Join(vars, ",") + "/" + want.String()}, nil
}

func decodeText(t *testing.T, in string, ev Evaluator) (facts, source.Diagnostics) {
	t.Helper()
	n, found := source.Parse("dir/f", []byte(in))
	if found != nil {
		t.Fatal(found)
	}
	var f facts
	found = New().Into(n, &f, Target{Name: "lab", Prefix: "lab.", Noun: "fact"}, ev)
	return f, found
}

func TestInto(t *testing.T) {
	base := facts{Stack: "ipv6", Wait: 5 * time.Minute, Net: static{Interface: "eno1"}}
	with := func(change func(*facts)) facts { f := base; change(&f); return f }
	known := values{"w": []any{map[string]any{"name": "a", "mac": "1:2", "size": 3}}, "n": 7, "s": "x", "f": 3.0, "ca": map[string]any{"file": "/abs", "text": ""}}
	tests := []struct {
		in   string
		want facts
	}{
		{"", base},
		{"version: 4.20", with(func(f *facts) { f.Version = "4.20" })},
		{"version: 017\nport: 0x10\non: True\nshare: 1e3\n", with(func(f *facts) { f.Version, f.Port, f.On, f.Share = "017", 16, true, 1000 })},
		{"wait: 90s\nca: PEM\nversion: $${{ x }}", with(func(f *facts) { f.Wait, f.CA.Text, f.Version = 90*time.Second, "PEM", "${{ x }}" })},
		{"ca: {file: x.pem}", with(func(f *facts) { f.CA.File = "dir/x.pem" })},
		{"labels: {a: 1}\npatch: {spec: {n: 4, f: 1.5, s: \"4\", z: null, l: [true]}}", with(func(f *facts) {
			f.Labels = map[string]string{"a": "1"}
			f.Patch = map[string]any{"spec": map[string]any{"n": int64(4), "f": 1.5, "s": "4", "z": nil, "l": []any{true}}}
		})},
		{"workers: ${{ w }}\nport: ${{ n }}\nversion: \"a-${{ n }}-$${{-${{ s }}\"\nca: ${{ ca }}", with(func(f *facts) {
			f.Workers = []worker{{"a", "1:2", 3}}
			f.Port, f.Version, f.CA.File = 7, "a-7-${{-x", "/abs"
		})},
		{"patch: {n: \"${{ f }}\", w: \"${{ w }}\"}", with(func(f *facts) {
			f.Patch = map[string]any{"n": int64(3), "w": []any{map[string]any{"name": "a", "mac": "1:2", "size": int64(3)}}}
		})},
		{"net: {gateway: g}\nthat: ${{ a.b }}", with(func(f *facts) { f.Net.Gateway = "g"; f.That.Text = " a.b /object/true or false" })},
		{"that: object.x == 1", with(func(f *facts) { f.That.Text = "object.x == 1/object/true or false" })},
	}
	for _, tt := range tests {
		got, found := decodeText(t, tt.in, known)
		if found != nil {
			t.Errorf("%s: %v", tt.in, found)
			continue
		}
		if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(facts{}), cmp.Exporter(func(reflect.Type) bool { return true })); diff != "" {
			t.Errorf("%s: %s", tt.in, diff)
		}
	}
}

// TestMistakes decodes one file with all mistakes, and compares what is told with
// a golden file.
func TestMistakes(t *testing.T) {
	for _, name := range []string{"mistakes", "literals"} {
		data, err := os.ReadFile("testdata/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		var files source.Files
		files.Add("dir/f", data)
		var ev Evaluator = values{"bad": []any{map[string]any{"name": "a", "mac": "none"}}, "list": []any{1}}
		if name == "literals" {
			ev = nil
		}
		_, found := decodeText(t, string(data), ev)
		var b strings.Builder
		if err := found.Render(&b, &files); err != nil {
			t.Fatal(err)
		}
		golden := "testdata/" + name + ".txt"
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
	}
}
