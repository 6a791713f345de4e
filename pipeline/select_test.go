package pipeline

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/labrun/labrun/pipeline/event"
)

const selectable = `phases: [one, two]
steps:
  - {id: a, phase: one, uses: do, with: {text: x}}
  - {id: b, phase: one, uses: do}
  - {id: off, phase: one, uses: do, when: lab.disconnected}
  - {id: c, phase: two, uses: do, with: {text: "${{ steps.off.outputs.text ?? 'none' }}"}}
  - {id: d, phase: two, uses: do, with: {text: "${{ steps.a.outputs.text }}"}}
  - {id: clean, uses: do, finally: true}
`

func TestSelect(t *testing.T) {
	for _, tc := range []struct {
		name string
		s    Selection
		want string // ids that run, or the error
	}{
		{"all", Selection{}, "a b c d clean"},
		{"until a phase", Selection{Until: []string{"one"}}, "a b clean"},
		{"until a step", Selection{Until: []string{"a"}}, "a clean"},
		{"only", Selection{Only: []string{"b", "c"}}, "b c clean"},
		{"from and until", Selection{From: []string{"b"}, Until: []string{"c"}}, "b c clean"},
		{"an unknown name", Selection{From: []string{"twoo"}}, "--from names \"twoo\": there is no such step or phase\n  did you mean \"two\"?"},
		{"outputs that nobody gives", Selection{From: []string{"two"}}, "d reads outputs of a"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := loadDo(t, selectable)
			var code ExitCoder
			if err := p.Select(tc.s); err != nil {
				if !strings.HasPrefix(err.Error(), tc.want) || !errors.As(err, &code) || code.ExitCode() != 2 {
					t.Error(err)
				}
				return
			}
			var planned []string
			for _, s := range p.Plan().Steps {
				if s.Verdict != WillSkip {
					planned = append(planned, s.ID)
				}
			}
			if diff := cmp.Diff(tc.want, strings.Join(planned, " ")); diff != "" {
				t.Errorf("plan: %s", diff)
			}
			r := &recorder{}
			if _, err := p.Run(t.Context(), doOptions(r)); err != nil {
				t.Fatal(err)
			}
			var ran []string
			for _, text := range r.inOrder() {
				if id, ok := strings.CutSuffix(text, " ok"); ok {
					ran = append(ran, id)
				} else if !strings.HasPrefix(text, "off ") && !strings.Contains(text, "left out by --") {
					t.Error(text)
				}
			}
			if diff := cmp.Diff(tc.want, strings.Join(ran, " ")); diff != "" {
				t.Errorf("run: %s", diff)
			}
		})
	}
}

// TestSelectInstances selects instances of repeated steps.
func TestOnlyInstances(t *testing.T) {
	const repeated = `phases: [one, two, more]
steps:
  - {id: a, phase: one, uses: do}
  - {id: each, phase: two, uses: do, forEach: lab.workers}
  - {id: two, phase: two, uses: do, forEach: lab.workers}
  - {id: other, phase: more, uses: do, forEach: lab.workers}
  - {id: another, phase: more, uses: do, forEach: lab.workers}
`
	for _, tc := range []struct {
		name string
		s    Selection
		want string // instances that run, or the error
	}{
		{"one", Selection{Only: []string{"each.w0"}}, "each[w0]"},
		{"one, in brackets", Selection{Only: []string{"each[w1]"}}, "each[w1]"},
		{"a step whole, and one of its instances", Selection{Only: []string{"each.w0", "each"}}, "each[w0] each[w1]"},
		{"of a phase", Selection{Only: []string{"one.w0"}}, "--only names \"one.w0\": one is a phase, and just a step has instances\n  --only one"},
		{"of a phase with some", Selection{Only: []string{"more.w0"}}, "--only names \"more.w0\": more is a phase, and just a step has instances\n  --only other.w0,another.w0"},
		{"of a step that is called as its phase", Selection{Only: []string{"two.w0"}}, "two[w0]"},
		{"from one", Selection{From: []string{"each.w0"}}, "--from names \"each.w0\": it takes a step or a phase, not one of its instances\n  --from each"},
		{"until one", Selection{Until: []string{"each[w0]"}}, "--until names \"each[w0]\": it takes a step or a phase, not one of its instances\n  --until each"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := loadDo(t, repeated)
			if err := p.Select(tc.s); err != nil {
				if !strings.HasPrefix(err.Error(), tc.want) {
					t.Error(err)
				}
				return
			}
			r := &recorder{}
			if _, err := p.Run(t.Context(), doOptions(r)); err != nil {
				t.Fatal(err)
			}
			var ran []string
			for _, text := range r.inOrder() {
				if name, ok := strings.CutSuffix(text, " ok"); ok {
					ran = append(ran, name)
				}
			}
			if got := strings.Join(slices.Sorted(slices.Values(ran)), " "); got != tc.want {
				t.Errorf("ran %q, want %q", got, tc.want)
			}
		})
	}
}

func doOptions(r *recorder) RunOptions[*doer] {
	return RunOptions[*doer]{
		Env:   func(s *Scope) *doer { return &doer{s, func(context.Context, *Scope, string) error { return nil }} },
		Sinks: []event.Sink{r},
	}
}
