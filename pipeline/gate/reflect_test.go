package gate

import (
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type prefixText struct{ netip.Prefix }

func (p prefixText) MarshalText() ([]byte, error) {
	if !p.IsValid() {
		return nil, nil
	}
	return []byte(p.String()), nil
}

type key struct {
	File string `yaml:"file,omitempty"`
	Text string `yaml:"text,omitempty" scalar:"true"`
}

type base struct {
	Kind string `yaml:"kind"`
}

type chained struct {
	Next *chained `yaml:"next,omitempty"`
	N    int      `yaml:"n"`
}

type everything struct {
	base    `yaml:",inline"`
	Hidden  string         `yaml:"-"`
	Nets    []prefixText   `yaml:"nets"`
	Wait    time.Duration  `yaml:"wait"`
	Key     key            `yaml:"key"`
	Maybe   *key           `yaml:"maybe,omitempty"`
	Count   *int           `yaml:"count,omitempty"`
	Ratio   float32        `yaml:"ratio"`
	Free    map[string]any `yaml:"free"`
	Labels  map[string]int `yaml:"labels"`
	Modes   []string       `yaml:"modes" enum:"a|b"`
	Chain   chained        `yaml:"chain"`
	Untaged bool
}

func TestTypeOf(t *testing.T) {
	got := TypeOf(reflect.TypeFor[everything]())
	chain := MapOf(map[string]Type{"next": Any(), "n": Int()})
	chain.more.optional = map[string]bool{"next": true}
	pem := MapOf(map[string]Type{"file": String(), "text": String()})
	pem.more.optional, pem.more.scalar = map[string]bool{"file": true, "text": true}, true
	want := MapOf(map[string]Type{
		"kind": String(), "nets": ListOf(String()), "wait": String(), "key": pem, "maybe": pem, "count": Int(), "ratio": Float(),
		"free": MapOfUnknownKeys(Any()), "labels": MapOfUnknownKeys(Int()), "modes": ListOf(EnumOf("a", "b")), "chain": chain, "untaged": Bool(),
	})
	want.more.optional = map[string]bool{"maybe": true, "count": true}
	if diff := cmp.Diff(want.Names(), got.Names()); diff != "" {
		t.Fatal(diff)
	}
	for _, n := range want.Names() {
		w, _ := want.Field(n)
		g, _ := got.Field(n)
		if w.id() != g.id() {
			t.Errorf("%s: want %s, got %s", n, w, g)
		}
	}
	if want.id() != got.id() {
		t.Error("which members may be left out differs")
	}
}

func TestValueOf(t *testing.T) {
	v := everything{
		base: base{Kind: "k"}, Nets: []prefixText{{netip.MustParsePrefix("fd03::/48")}, {}}, Wait: time.Minute, Key: key{Text: "x"},
		Ratio: 0.5, Free: map[string]any{"a": []string{"b"}}, Labels: map[string]int{"l": 1}, Chain: chained{N: 1, Next: &chained{N: 2}},
	}
	got := ValueOf(reflect.ValueOf(&v)).(map[string]any)
	chain := got["chain"].(map[string]any)
	delete(got, "chain")
	want := map[string]any{
		"kind": "k", "nets": []any{"fd03::/48", ""}, "wait": "1m0s", "key": map[string]any{"file": "", "text": "x"},
		"maybe": map[string]any{"file": "", "text": ""}, "count": nil, "ratio": 0.5, "free": map[string]any{"a": []any{"b"}},
		"labels": map[string]any{"l": 1}, "modes": []any{}, "untaged": false,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if n := chain["next"].(map[string]any)["n"]; n != 2 {
		t.Errorf("chain.next.n is %v", n)
	}
}

func TestScalarStructTakesText(t *testing.T) {
	p := mustCompile(t, "lab.stack", TypeOf(reflect.TypeFor[key]()))
	if v, err := p.Eval(testValues()); err != nil || v != "ipv6" {
		t.Errorf("got %v, %v", v, err)
	}
}
