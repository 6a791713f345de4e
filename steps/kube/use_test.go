package kube

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
)

type plainStep struct{}

func (plainStep) Objects(*labs.Facts, Seen) ([]Intent, error) { return nil, nil }
func (plainStep) Judge(*labs.Facts, Seen) Verdict             { return Verdict{State: Done, Summary: "fine"} }

type telling struct{ plainStep }
type told struct {
	Name string `yaml:"name"`
}

func (telling) Outputs(f *labs.Facts, _ Seen) told { return told{f.Name} }

type failing struct{ plainStep }

func (failing) Outputs(*labs.Facts, Seen) (told, error) { return told{}, fmt.Errorf("no name") }

type wrongOutputs struct{ plainStep }

func (wrongOutputs) Outputs(Seen) told { return told{} }

type pointerOutputs struct{ plainStep }

func (*pointerOutputs) Outputs(*labs.Facts, Seen) told { return told{} }

type wrongReads struct{ plainStep }

func (wrongReads) Reads() []Ref { return nil }

type pointerSecrets struct{ plainStep }

func (*pointerSecrets) Secrets(*labs.Facts) []labs.SecretRef { return nil }

type wrongHosted struct{ plainStep }

func (wrongHosted) OnHostedCluster() bool { return true }

type runs struct{ plainStep }

func (runs) Run(context.Context) error { return nil }

func TestUseRefusesNearMisses(t *testing.T) {
	for name, use := range map[string]func(){
		"Outputs of the wrong signature": func() { Use[wrongOutputs, *anEnv]("x", "", "") },
		"Outputs of a pointer receiver":  func() { Use[pointerOutputs, *anEnv]("x", "", "") },
		"method Reads":                   func() { Use[wrongReads, *anEnv]("x", "", "") },
		"method Secrets":                 func() { Use[pointerSecrets, *anEnv]("x", "", "") },
		"method OnHostedCluster":         func() { Use[wrongHosted, *anEnv]("x", "", "") },
		"method Run":                     func() { Use[runs, *anEnv]("x", "", "") },
		"is no struct":                   func() { Use[*pointerOutputs, *anEnv]("x", "", "") },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				want, _, _ := strings.Cut(name, " of ")
				if p := fmt.Sprint(recover()); !strings.Contains(p, want) {
					t.Errorf("panic %q lacks %q", p, want)
				}
			}()
			use()
		})
	}
}

func TestUseReadsOutputs(t *testing.T) {
	l := &aLab{t: t, name: "unit"}
	env := &anEnv{l, pipeline.NewScope("unit", "p", "s", "", func(event.Event) error { return nil })}
	k := Use[telling, *anEnv]("x/y", "doc", "")
	if k.Outputs != reflect.TypeFor[told]() || k.Options != reflect.TypeFor[telling]() {
		t.Errorf("kind of options %s and outputs %s", k.Options, k.Outputs)
	}
	out, err := k.Run(t.Context(), env, telling{})
	if err != nil || out.Outputs != (told{"unit"}) || out.Summary != "fine" {
		t.Errorf("%+v, %v", out, err)
	}
	if _, err := Use[failing, *anEnv]("x/y", "", "").Run(t.Context(), env, failing{}); err == nil || err.Error() != "no name" {
		t.Errorf("error %v", err)
	}
	if k := Use[plainStep, *anEnv]("x/y", "", ""); k.Outputs != reflect.TypeFor[struct{}]() {
		t.Errorf("outputs %s", k.Outputs)
	}
}

func TestCheckNames(t *testing.T) {
	for _, c := range []struct{ lab, step, key, want string }{
		{"hosted-ipv6", "hosted_cluster", "", ""},
		{"hosted-ipv6", "host", "worker-0", ""},
		{"lab", "host", "a/b", `the key "a/b" cannot be a label's value`},
		{"lab", "host", strings.Repeat("k", 64), "cannot be a label's value"},
		{strings.Repeat("l", 55), "s", "", ""},
		{strings.Repeat("l", 56), "s", "", "too long by 1 characters to stand in the annotation"},
		{strings.Repeat("l", 40), strings.Repeat("s", 63), strings.Repeat("k", 20), "and the API server takes 128"},
	} {
		err := CheckNames(c.lab, c.step, c.key)
		if got := fmt.Sprint(err); c.want == "" && err != nil || !strings.Contains(got, c.want) {
			t.Errorf("%s %s %s: %q, want %q", c.lab, c.step, c.key, got, c.want)
		}
	}
	if got := FieldManager("lab", "host", "w0"); got != "labrun/lab/host[w0]" {
		t.Error(got)
	}
}

func TestRenderMasksSecrets(t *testing.T) {
	l := &aLab{t: t, name: "render", secrets: map[string]string{"variable PW": "hunter2hunter2"}}
	ref := labs.SecretRef{Env: "PW"}
	s := stub{secrets: []labs.SecretRef{ref}, objects: func(seen Seen) ([]Intent, error) {
		value := seen.Secret(ref).Reveal()
		return []Intent{
			{Object: &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Secret",
				"metadata": map[string]any{"namespace": "a", "name": "b"}, "stringData": map[string]any{"password": value}}}},
			{Object: aConfigMap("a", "c", map[string]string{"url": "https://x:" + value + "@y"}), Primary: true},
			aKey("a", "etcd").intents[0],
			{How: Merge, Object: aConfigMap("a", "m", nil), Change: addKeys(map[string]string{"k": "v"}), Shared: true},
			{How: Delete, Object: aConfigMap("a", "d", nil)},
		}, nil
	}}
	s.Patch = map[string]any{"data": map[string]any{"n": "patched"}}
	env := &anEnv{l, pipeline.NewScope("render", "p", "s", "", func(event.Event) error { return nil })}
	objects, err := Use[stub, *anEnv]("x/y", "", "").Render(t.Context(), env, s)
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprint(objects); strings.Contains(text, "hunter2") || len(objects) != 4 {
		t.Errorf("rendered %d: %s", len(objects), text)
	}
	for path, want := range map[string]string{"0.stringData.password": "***", "1.data.url": "https://x:***@y", "1.data.n": "patched",
		"2.data.key": "(generated when it is created)", "3.data.k": "v"} {
		parts := strings.Split(path, ".")
		var at any = objects[parts[0][0]-'0']
		for _, p := range parts[1:] {
			at = at.(map[string]any)[p]
		}
		if at != want {
			t.Errorf("%s is %v, want %s", path, at, want)
		}
	}
	l.reveal = true
	if objects, err = Use[stub, *anEnv]("x/y", "", "").Render(t.Context(), env, s); err != nil || !strings.Contains(fmt.Sprint(objects), "hunter2") {
		t.Errorf("not revealed: %v", err)
	}
}
