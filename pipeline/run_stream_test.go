package pipeline

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/labrun/labrun/pipeline/event"
)

// The word LAB of a command becomes the lab file as the user named it, and the
// step's own report is left as it was.
func TestLabInCommands(t *testing.T) {
	got := &kept{}
	s := &stream{lab: "labs/$1.yaml", sinks: []event.Sink{got}, now: time.Now}
	seen := &event.Report{Title: "LAB", Next: "labrun preflight LAB --host w0; cat LABEL"}
	ended := &event.Result{Status: event.Failed, Report: &event.Report{Next: "labrun plan LAB"}}
	for _, e := range []event.Event{{Type: event.StepProgress, Report: seen}, {Type: event.StepFinished, Result: ended}} {
		if err := s.emit(e); err != nil {
			t.Fatal(err)
		}
	}
	if r := got.events[0].Report; r.Title != "LAB" || r.Next != "labrun preflight labs/$1.yaml --host w0; cat LABEL" {
		t.Errorf("%+v", r)
	}
	if next := got.events[1].Result.Report.Next; next != "labrun plan labs/$1.yaml" {
		t.Errorf("%q", next)
	}
	if seen.Next != "labrun preflight LAB --host w0; cat LABEL" || ended.Report.Next != "labrun plan LAB" {
		t.Error("a step's report was changed")
	}
}

// An effect that broke down is no open one: once the journal cannot be kept, steps
// that still wait are stopped.
func TestBrokenDownEffectStopsNobodyFromEnding(t *testing.T) {
	for name, breaksDown := range map[string]func(){"a panic": func() { panic("index out of range") }, "an end of the goroutine": runtime.Goexit} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		down := make(chan struct{})
		do := does{
			"a": func(ctx context.Context, e *env) error {
				defer close(down)
				return e.scope.Do(ctx, "exec", "sh", func(context.Context) (bool, string, error) {
					breaksDown()
					return true, "", nil
				})
			},
			"b": func(ctx context.Context, e *env) error {
				<-down
				e.scope.Progress(event.Report{Title: "the disk is full"})
				<-ctx.Done()
				return context.Cause(ctx)
			},
		}
		r := &recorder{fail: func(e event.Event) error {
			if e.Type == event.StepProgress {
				return errors.New("disk full")
			}
			return nil
		}}
		o := runOptions(r, fixed{}, do)
		o.Parallel = 2
		_, err := steps("a", "b").Run(ctx, o)
		if err == nil || ctx.Err() != nil {
			t.Errorf("%s: %v, %v", name, err, ctx.Err())
		}
		for _, e := range r.events {
			if e.Type == event.Done {
				t.Errorf("%s: the end of the effect is told: %+v", name, e.Effect)
			}
		}
	}
}

type kept struct{ events []event.Event }

func (k *kept) Take(e event.Event) error {
	k.events = append(k.events, e)
	return nil
}
