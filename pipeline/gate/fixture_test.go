package gate

import (
	"reflect"
	"strings"
	"testing"
)

type testWorker struct {
	Name     string `yaml:"name"`
	BootMode string `yaml:"boot_mode" enum:"UEFI|legacy" default:"UEFI"`
	CPUs     int    `yaml:"cpus,omitempty"`
}

type testNodePort struct {
	Address string `yaml:"address,omitempty"`
}

type testFacts struct {
	Stack        string       `yaml:"stack" enum:"ipv4|ipv6|dual"`
	Disconnected bool         `yaml:"disconnected" default:"false"`
	Replicas     int          `yaml:"replicas"`
	Hosted       testHosted   `yaml:"hosted_cluster"`
	Networks     []string     `yaml:"networks,omitempty"`
	Workers      []testWorker `yaml:"workers"`
	Free         any          `yaml:"free,omitempty"`
}

type testHosted struct {
	Name     string       `yaml:"name"`
	NodePort testNodePort `yaml:"node_port,omitempty"`
}

type testOutputs struct {
	ISOURL string   `yaml:"iso_url"`
	Ready  bool     `yaml:"ready"`
	Usable []string `yaml:"usable"`
}

func testScope() Scope {
	step := MapOf(map[string]Type{
		"outputs": TypeOf(reflect.TypeFor[testOutputs]()),
		"status":  EnumOf("ok", "changed", "skipped", "failed", "blocked", "cancelled"),
	})
	return Scope{Roots: map[string]Type{
		"lab":   TypeOf(reflect.TypeFor[testFacts]()),
		"vars":  MapOf(map[string]Type{"n": Int()}),
		"env":   MapOf(map[string]Type{"HOME": String()}),
		"steps": MapOf(map[string]Type{"infraenv": step, "probe_bmcs": step}),
		"item":  TypeOf(reflect.TypeFor[testWorker]()),
		"index": Int(),
	}}
}

func testValues() map[string]any {
	facts := testFacts{
		Stack: "ipv6", Replicas: 2,
		Hosted:   testHosted{Name: "hosted"},
		Networks: []string{"fd03::/48"},
		Workers:  []testWorker{{Name: "worker0", BootMode: "UEFI", CPUs: 4}, {Name: "worker1", BootMode: "legacy"}},
	}
	outputs := ValueOf(reflect.ValueOf(testOutputs{ISOURL: "https://x/iso", Ready: true, Usable: []string{"worker0"}}))
	return map[string]any{
		"lab":  ValueOf(reflect.ValueOf(facts)),
		"vars": map[string]any{"n": 3},
		"env":  map[string]any{"HOME": "/home/x"},
		"steps": map[string]any{
			"infraenv":   map[string]any{"outputs": outputs, "status": "ok"},
			"probe_bmcs": map[string]any{"outputs": map[string]any{}, "status": "skipped"},
		},
		"item":  ValueOf(reflect.ValueOf(facts.Workers[0])),
		"index": 0,
	}
}

// at gives the text that an error points at.
func pointed(text string, e *Error) string {
	runes := []rune(text)
	if e.From < 0 || e.From+e.Width > len(runes) {
		return "OUTSIDE"
	}
	return string(runes[e.From : e.From+e.Width])
}

func mustCompile(t *testing.T, text string, want Type) *Program {
	t.Helper()
	p, err := NewCompiler(t.TempDir()).Compile(text, testScope(), want)
	if err != nil {
		t.Fatalf("%s: %s at %q (%s)", text, err.Message, pointed(text, err), err.Hint)
	}
	return p
}

func joinPath(r Read) string { return strings.Join(r.Path, ".") }
