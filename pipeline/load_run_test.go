package pipeline

import (
	"context"
	"encoding/json"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/labrun/labrun/pipeline/event"
)

// echo is a step that gives back its options.
type testEcho struct {
	Text string `yaml:"text"`
}

type testEchoed struct {
	Text string `yaml:"text"`
}

func (e testEcho) Run(context.Context, struct{}) (testEchoed, error) { return testEchoed(e), nil }

type outcomes struct {
	mu  sync.Mutex
	all map[string]string
}

func (o *outcomes) Take(e event.Event) error {
	if e.Type != event.StepFinished {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	text := string(e.Result.Status)
	if b, err := json.Marshal(e.Result.Outputs); err == nil && e.Result.Outputs != nil {
		text += " " + string(b)
	}
	o.all[name(e.Step, e.Key)] = text
	return nil
}

// TestLoadRun runs a file from its text to the outputs of its steps.
func TestLoadRun(t *testing.T) {
	p := mustLoad(t, head+`phases: [one, two]
steps:
  - {id: a, phase: one, uses: echo, with: {text: "${{ lab.domain }}!"}}
  - {id: off, phase: one, uses: echo, when: lab.disconnected, with: {text: x}}
  - {id: each, phase: two, uses: echo, forEach: lab.workers, when: item.name != 'w0', with: {text: "${{ item.name }} of ${{ steps.a.outputs.text }}"}}
  - {id: last, phase: two, uses: echo, with: {text: "${{ steps.each.by['w1'].text ?? 'none' }}, ${{ steps.off.outputs.text ?? 'off' }}"}}
  - {id: holds, phase: two, uses: assert, with: {that: steps.each.status == 'ok' || len(steps.each.items) == 2}}
  - {id: out, phase: two, uses: echo, disabled: not today, with: {text: x}}
`, func(r *Request[struct{}]) { r.Kinds = append(r.Kinds, Use[testEcho]("echo", "", "")) })
	got := &outcomes{all: map[string]string{}}
	summary, err := p.Run(t.Context(), RunOptions[struct{}]{Env: func(*Scope) struct{} { return struct{}{} }, Sinks: []event.Sink{got}})
	if err != nil || summary.Exit != ExitDone {
		t.Errorf("exit %d, %v", summary.Exit, err)
	}
	want := map[string]string{
		"a": `ok {"text":"d!"}`, "off": "skipped", "each[w0]": "skipped", "each[w1]": `ok {"text":"w1 of d!"}`,
		"last": `ok {"text":"w1 of d!, off"}`, "holds": "ok", "out": "skipped",
	}
	if diff := cmp.Diff(want, got.all); diff != "" {
		t.Error(diff)
	}
}
