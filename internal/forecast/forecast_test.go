package forecast

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/labrun/labrun/pipeline/event"
)

// aRun is a run whose steps took so long, one after the other: "a 60 changed". An
// end of "" is a step that runs.
func aRun(steps ...string) *event.State {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	s := &event.State{}
	run := &event.Run{Lab: "lab"}
	for _, id := range []string{"a", "b", "c", "d"} {
		run.Steps = append(run.Steps, event.Ref{ID: id})
	}
	s.Add(event.Event{Time: at, Type: event.RunStarted, Run: run})
	for _, text := range steps {
		var id, key, status string
		var seconds int
		if _, err := fmt.Sscan(text, &id, &key, &seconds, &status); err != nil {
			panic(err)
		}
		if key == "-" {
			key = ""
		}
		if status != "skipped" {
			s.Add(event.Event{Time: at, Type: event.StepStarted, Step: id, Key: key, Start: &event.Start{}})
		}
		if status != "runs" {
			s.Add(event.Event{Time: at.Add(time.Duration(seconds) * time.Second), Type: event.StepFinished, Step: id, Key: key, Result: &event.Result{Status: event.Status(status)}})
		}
	}
	return s
}

func TestOf(t *testing.T) {
	chain := []Step{{ID: "a"}, {ID: "b", After: []string{"a"}}, {ID: "c", After: []string{"a"}}, {ID: "d", After: []string{"b", "c"}}}
	full := func(a, b, c, d int) *event.State {
		return aRun(fmt.Sprintf("a - %d changed", a), fmt.Sprintf("b - %d changed", b), fmt.Sprintf("c - %d ok", c), fmt.Sprintf("d - %d ok", d))
	}
	past := []*event.State{full(60, 100, 10, 5), full(80, 200, 20, 5), full(70, 300, 30, 5)}
	nothing := aRun("a - 1 ok", "b - 1 ok", "c - 1 ok", "d - 1 ok")
	for name, c := range map[string]struct {
		steps []Step
		run   *event.State
		past  []*event.State
		now   int // seconds after the run's start
		want  string
	}{
		"nothing has begun":               {chain, aRun(), past, 0, "4m35s from 3 []"},
		"the first runs":                  {chain, aRun("a - 0 runs"), past, 30, "4m5s from 3 []"},
		"the first runs long":             {chain, aRun("a - 0 runs"), past, 500, "3m25s from 3 []"},
		"the first has ended":             {chain, aRun("a - 60 ok"), past, 60, "3m25s from 3 []"},
		"the short branch is left":        {chain, aRun("a - 60 ok", "b - 60 ok"), past, 60, "25s from 3 []"},
		"all have ended":                  {chain, aRun("a - 1 ok", "b - 1 ok", "c - 1 ok", "d - 1 ok"), past, 60, "0s from 3 []"},
		"an even number of runs":          {chain, aRun(), past[:2], 0, "3m45s from 2 []"},
		"no run":                          {chain, aRun(), nil, 0, "none"},
		"a run that changed nothing":      {chain, aRun(), append([]*event.State{nothing}, past...), 0, "4m35s from 3 []"},
		"a run of other steps":            {chain, aRun(), append([]*event.State{aRun("x - 9 changed")}, past...), 0, "4m35s from 3 []"},
		"only such runs":                  {chain, aRun(), []*event.State{nothing}, 0, "3s from 1 []"},
		"a step that failed":              {chain, aRun(), append([]*event.State{aRun("a - 60 changed", "b - 9999 failed", "c - 1 ok", "d - 0 blocked")}, past...), 0, "4m30s from 4 []"},
		"a step that no run had":          {append(chain, Step{ID: "e", After: []string{"d"}}), aRun(), past, 0, "4m35s from 3 [e]"},
		"a step that is always skipped":   {chain, aRun(), []*event.State{aRun("a - 60 changed", "b - 0 skipped", "c - 10 ok", "d - 5 ok")}, 0, "1m15s from 1 []"},
		"a phase":                         {[]Step{{ID: "a", Phase: "one"}, {ID: "b", Phase: "one"}, {ID: "d", Phase: "two", Phases: []string{"one"}}}, aRun(), past, 0, "3m25s from 3 []"},
		"finally and on failure":          {[]Step{{ID: "a"}, {ID: "b", Aside: true, After: []string{"a"}}, {ID: "d", Last: true}}, aRun(), past, 0, "1m15s from 3 []"},
		"finally reads another's outputs": {[]Step{{ID: "a"}, {ID: "b", Last: true, After: []string{"a"}}, {ID: "c", Last: true, After: []string{"b"}}}, aRun(), past, 0, "4m50s from 3 []"},
		"finally waits for a phase":       {[]Step{{ID: "a", Phase: "one"}, {ID: "d", Last: true, Phases: []string{"one"}}}, aRun(), past, 0, "1m15s from 3 []"},
		"runs that left a step out":       {chain, aRun(), append([]*event.State{aRun("a - 0 skipped", "b - 0 skipped", "c - 0 skipped", "d - 5 changed"), aRun("a - 0 skipped", "b - 0 skipped", "c - 0 skipped", "d - 5 changed")}, past...), 0, "4m35s from 5 []"},
		"instances":                       {[]Step{{ID: "a"}}, aRun("a x 10 ok", "a y 0 runs"), []*event.State{aRun("a x 10 changed", "a y 50 changed")}, 20, "30s from 1 []"},
	} {
		t.Run(name, func(t *testing.T) {
			now := time.Date(2026, 11, 23, 12, 0, c.now, 0, time.UTC)
			got := "none"
			if left, ok := Of(c.steps, c.run, c.past, now); ok {
				got = fmt.Sprintf("%s from %d %v", left.Time, left.Runs, slices.Sorted(slices.Values(left.Never)))
			}
			if got != c.want {
				t.Errorf("left %s, want %s", got, c.want)
			}
		})
	}
}

// A lab of ten thousand steps is no burden.
func BenchmarkOf(b *testing.B) {
	var steps []Step
	run := &event.Run{}
	for n := range 10_000 {
		id := fmt.Sprintf("s%d", n)
		s := Step{ID: id, Phase: fmt.Sprintf("p%d", n/1000)}
		if n%1000 > 0 {
			s.After = []string{fmt.Sprintf("s%d", n-1)}
		} else if n > 0 {
			s.Phases = []string{fmt.Sprintf("p%d", n/1000-1)}
		}
		steps = append(steps, s)
		run.Steps = append(run.Steps, event.Ref{ID: id})
	}
	state := &event.State{}
	state.Add(event.Event{Type: event.RunStarted, Run: run})
	for b.Loop() {
		if _, ok := Of(steps, state, []*event.State{state}, time.Now()); !ok {
			b.Fatal("no run counts")
		}
	}
}
