package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/labrun/labrun/internal/statedir"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
)

// A disk that is full is told once, by the run or by the closing of its journal.
func TestEndedTellsOnce(t *testing.T) {
	full, stopped := errors.New("disk full"), errors.New("the run was stopped: disk full")
	for _, c := range []struct{ run, closing, want error }{
		{nil, nil, nil}, {nil, full, full}, {stopped, full, stopped}, {stopped, nil, stopped}, {ends(pipeline.ExitFailed), full, full},
	} {
		if got := ended(c.run, c.closing); got != c.want {
			t.Errorf("run %v, closing %v: %v, want %v", c.run, c.closing, got, c.want)
		}
	}
	failed := ends(pipeline.ExitFailed)
	if got := ended(failed, nil); got != failed {
		t.Errorf("a step that failed: %v", got)
	}
}

// Runs are looked back to as far as an instance that the lab still has ended well.
func TestOldest(t *testing.T) {
	run := func(number int, ended ...string) *event.State { // a step, its key or -, how it ended
		s := &event.State{}
		s.Add(event.Event{Type: event.RunStarted, Run: &event.Run{Number: number}})
		for _, text := range ended {
			words := strings.Fields(text)
			s.Add(event.Event{Type: event.StepFinished, Step: words[0], Key: strings.Trim(words[1], "-"), Result: &event.Result{Status: event.Status(words[2])}})
		}
		return s
	}
	for name, c := range map[string]struct {
		states []*event.State
		want   int
	}{
		"no run":                            {nil, 0},
		"the last one did all":              {[]*event.State{run(9, "mirror - ok", "host w0 ok"), run(8, "mirror - ok", "host w0 ok")}, 9},
		"a mirror of old":                   {[]*event.State{run(9, "mirror - blocked", "host w0 ok"), run(8, "mirror - failed"), run(1, "mirror - changed")}, 1},
		"a host that --only left out":       {[]*event.State{run(9, "host w0 ok", "host w1 skipped"), run(3, "host w0 ok", "host w1 changed"), run(2, "host w1 ok")}, 3},
		"a host that the lab has no more":   {[]*event.State{run(9, "host w0 ok"), run(3, "host w1 ok")}, 9},
		"hosts after a run that left all":   {[]*event.State{run(9, "mirror - ok", "host - skipped"), run(3, "host w1 ok")}, 3},
		"a step that the lab has no more":   {[]*event.State{run(9, "mirror - ok"), run(3, "gone - ok")}, 9},
		"a step that is not repeated since": {[]*event.State{run(9, "host - ok"), run(3, "host w0 ok")}, 9},
		"nothing ended well":                {[]*event.State{run(9, "mirror - failed"), run(8, "mirror - cancelled")}, 0},
	} {
		if got := (&memory{states: c.states}).oldest([]string{"mirror", "host"}); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// Of a step that was not run to its end, each instance gives what it did last.
func TestRecallInstances(t *testing.T) {
	run := func(number int, ended ...string) *event.State { // a key and how it ended
		s := &event.State{}
		s.Add(event.Event{Type: event.RunStarted, Run: &event.Run{Number: number}})
		for _, text := range ended {
			key, status, _ := strings.Cut(text, " ")
			s.Add(event.Event{Type: event.StepFinished, Step: "host", Key: key, Result: &event.Result{Status: event.Status(status), Outputs: number}})
		}
		return s
	}
	for name, c := range map[string]struct {
		states []*event.State
		want   string
	}{
		"no run":          {nil, "[]"},
		"one failed":      {[]*event.State{run(9, "w0 failed", "w1 ok")}, "[{w0 <nil> true} {w1 9 false}]"},
		"failed since":    {[]*event.State{run(9, "w0 failed", "w1 ok"), run(8, "w0 changed", "w1 ok", "gone ok")}, "[{w0 8 false} {w1 9 false}]"},
		"skipped since":   {[]*event.State{run(9, "w0 skipped", "w1 ok"), run(8, "w0 ok")}, "[{w0 <nil> true} {w1 9 false}]"},
		"blocked as such": {[]*event.State{run(9, " blocked"), run(8, "w0 ok")}, "[{w0 8 false}]"},
	} {
		if got := fmt.Sprint((&memory{states: c.states}).recallInstances("host")); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// Old runs that cannot be removed are a note.
func TestPruneIsNoReasonToStop(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lab")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var told bytes.Buffer
	a := &app[struct{}]{streams: Streams{Err: &told}}
	a.prune(&statedir.Lab{Name: "lab", Dir: file}, &memory{}, nil)
	if !strings.HasPrefix(told.String(), "labrun: old runs are left: list the runs of lab: ") {
		t.Errorf("told %q", told.String())
	}
}
