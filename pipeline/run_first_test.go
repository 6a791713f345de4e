package pipeline

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/labrun/labrun/pipeline/event"
)

// A run with a pipeline before its own is one stream: the first one's steps are told
// in its phase, remember nothing, and have names of their own among the evidence.
func TestRunFirst(t *testing.T) {
	var r recorder
	var asked []string
	var dirs []string
	o := runOptions(&r, fixed{}, does{"host": func(_ context.Context, e *env) error {
		dirs = append(dirs, e.scope.Dir)
		return nil
	}})
	o.First = &First[*env]{Pipeline: steps("host"), Phase: "destroy"}
	o.Memory = func(step, _ string) Remembered { asked = append(asked, step); return Remembered{} }
	o.Evidence = func(step, _ string) string { return "evidence/" + step }
	summary, err := steps("host", "node<host").Run(t.Context(), o)
	if err != nil || summary.Exit != ExitDone || summary.Counts[event.OK] != 3 {
		t.Errorf("%+v, %v", summary, err)
	}
	if want := []string{"destroy/host ok", "host ok", "node ok"}; !slices.Equal(r.results(), want) {
		t.Errorf("%q, want %q", r.results(), want)
	}
	if want := []string{"evidence/destroy/host", "evidence/host"}; !slices.Equal(dirs, want) {
		t.Errorf("evidence in %q, want %q", dirs, want)
	}
	if want := []string{"host", "node"}; !slices.Equal(asked, want) {
		t.Errorf("remembered for %q, want %q", asked, want)
	}
	begun := r.events[0].Run
	if !slices.Equal(begun.Phases, []string{"destroy", "only"}) || begun.Steps[0] != (event.Ref{ID: "destroy/host", Phase: "destroy"}) || len(begun.Steps) != 3 {
		t.Errorf("it begins with %+v", begun)
	}
	for n, e := range r.events {
		if e.Seq != n+1 || (e.Type == event.RunStarted) != (n == 0) || (e.Type == event.RunFinished) != (n == len(r.events)-1) {
			t.Errorf("event %d is %d, %s", n, e.Seq, e.Type)
		}
		if e.Type == event.StepStarted && e.Start.Phase != map[string]string{"destroy/host": "destroy", "host": "only", "node": "only"}[e.Step] {
			t.Errorf("%s started in phase %s", e.Step, e.Start.Phase)
		}
	}
}

// Where the first pipeline does not end well, nothing of the run's own is begun.
func TestRunFirstFails(t *testing.T) {
	for _, c := range []struct {
		name  string
		fails error
		exit  int
	}{{"failed", errors.New("held"), ExitFailed}, {"interrupted", nil, ExitInterrupted}} {
		var r recorder
		ctx, cancel := context.WithCancel(t.Context())
		o := runOptions(&r, fixed{}, does{"host": func(ctx context.Context, _ *env) error {
			if c.fails == nil {
				cancel()
				return ctx.Err()
			}
			return c.fails
		}})
		o.First = &First[*env]{Pipeline: steps("host"), Phase: "destroy"}
		summary, err := steps("node").Run(ctx, o)
		cancel()
		if err != nil || summary.Exit != c.exit || len(r.results()) != 1 {
			t.Errorf("%s: %+v, %v: %q", c.name, summary, err, r.results())
		}
		if summary.Report == nil || summary.Report.Title != "its destroy did not come to its end: nothing else was begun" {
			t.Errorf("%s: told %+v", c.name, summary.Report)
		}
	}
}
