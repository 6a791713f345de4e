package progress

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/labrun/labrun/internal/forecast"
	"github.com/labrun/labrun/pipeline/event"
)

// during is the night's run at the moment at which one of two hosts has failed.
func during(t *testing.T) (*event.State, time.Time) {
	t.Helper()
	s := &event.State{}
	for _, e := range night() {
		s.Add(e)
		if e.Type == event.StepFinished && e.Key == "worker2" {
			return s, e.Time
		}
	}
	t.Fatal("worker2 never ends")
	return nil, time.Time{}
}

func TestStatus(t *testing.T) {
	local := time.Local
	time.Local = time.UTC
	t.Cleanup(func() { time.Local = local })
	s, now := during(t)
	for name, situation := range map[string]Situation{
		"status-live.txt": {State: s, Now: now, Live: true, Who: "process 4242 on night-2",
			Left: &forecast.Left{Time: 12*time.Minute + 20*time.Second, Runs: 3, Never: []string{"agents"}}},
		"status-cut-off.txt": {State: s, Now: now},
	} {
		var out bytes.Buffer
		if err := Status(&out, situation, false); err != nil {
			t.Fatal(err)
		}
		golden(t, name, out.Bytes())
	}
}

// A hundred waits are not told in full.
func TestStatusOfManyWaits(t *testing.T) {
	tape := &tape{}
	tape.at(0, event.Event{Type: event.RunStarted, Run: &event.Run{Lab: "big", Number: 1, Steps: []event.Ref{{ID: "host"}}}})
	for n := range 100 {
		tape.start(0, "host", fmt.Sprintf("w%02d", n), time.Hour)
		tape.sees(1, "host", fmt.Sprintf("w%02d", n), event.Report{Title: "it is provisioning"})
	}
	s := &event.State{}
	for _, e := range tape.events {
		s.Add(e)
	}
	var out bytes.Buffer
	if err := Status(&out, Situation{State: s, Now: s.Last, Live: true}, false); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "runs for 1.0s of 1h"); n != waitsShown || !strings.Contains(out.String(), "… and 92 more that wait") {
		t.Errorf("%d waits are told:\n%s", n, &out)
	}
}

func TestLeft(t *testing.T) {
	for want, l := range map[string]forecast.Left{
		"about 12m left, from 3 past runs":                                          {Time: 12*time.Minute + 20*time.Second, Runs: 3},
		"about 1h20m left, from 1 past run":                                         {Time: 80 * time.Minute, Runs: 1},
		"less than a minute left, from 2 past runs":                                 {Time: 20 * time.Second, Runs: 2},
		"about 1m left, from 2 past runs, in none of which a ended well":            {Time: time.Minute, Runs: 2, Never: []string{"a"}},
		"about 1m left, from 2 past runs, in none of which a and 2 more ended well": {Time: time.Minute, Runs: 2, Never: []string{"a", "b", "c"}},
	} {
		if got := leftOf(l); got != want {
			t.Errorf("%+v is told as %q, want %q", l, got, want)
		}
	}
}

func TestContinuesFrom(t *testing.T) {
	result := func(s event.Status) *event.Result { return &event.Result{Status: s} }
	for want, steps := range map[string][]*event.Step{
		"":        {{ID: "a", Instances: []*event.Instance{{Step: "a", Result: result(event.OK)}}}},
		"b":       {{ID: "a", Instances: []*event.Instance{{Step: "a", Result: result(event.Skipped)}}}, {ID: "b"}},
		"host.w1": {{ID: "host", Instances: []*event.Instance{{Step: "host", Key: "w0", Result: result(event.Changed)}, {Step: "host", Key: "w1"}}}, {ID: "b"}},
		"c":       {{ID: "c", Instances: []*event.Instance{{Step: "c", Result: result(event.Failed)}}}},
	} {
		if got := Continues(&event.State{Steps: steps}).From; got != want {
			t.Errorf("it continues from %q, want %q", got, want)
		}
	}
}

// What goes on with a run is never a command that would destroy what it built, whether
// the run told its end or was killed.
func TestHowItGoesOn(t *testing.T) {
	refs := []event.Ref{{ID: "destroy/survey", Phase: "destroy"}, {ID: "destroy/host", Phase: "destroy"}, {ID: "nodes", Phase: "workers"}, {ID: "join", Phase: "join"}}
	night := event.Run{Command: event.Rebuild, File: "lab.yaml", Typed: "lab.yaml --set a=b", From: "hosted", Steps: refs}
	worker := night
	worker.From, worker.Workers = "", []string{"w1"}
	undo := event.Run{Command: event.Destroy, File: "lab.yaml", From: "hosted", Steps: []event.Ref{{ID: "survey"}, {ID: "host"}}}
	build := event.Run{File: "lab.yaml", Steps: refs[2:]}
	const spares = "; the same rebuild would destroy what was built\n"
	for _, c := range []struct {
		name  string
		run   event.Run
		ended []event.Status // of its steps, "" for one that runs
		done  bool           // it told its end
		want  string
	}{
		{"a rebuild, killed in its build", night, []event.Status{event.OK, event.Changed, ""}, false, "type labrun run lab.yaml --set a=b\nit goes on from nodes" + spares},
		{"before its build begins", night, []event.Status{event.OK, event.Skipped}, false, "type labrun run lab.yaml --set a=b\nit goes on from nodes" + spares},
		{"after a failure", night, []event.Status{event.OK, event.Changed, event.Failed, ""}, false, "type labrun run lab.yaml --set a=b\nit goes on from nodes" + spares},
		{"in its destroy", night, []event.Status{event.OK, ""}, false, "type labrun rebuild lab.yaml --set a=b --from hosted\nit goes on from destroy/host\n"},
		{"once all has ended", night, []event.Status{event.OK, event.OK, event.OK, event.OK}, false, "type labrun run lab.yaml --set a=b\nthe same rebuild would destroy what was built\n"},
		{"of a worker", worker, []event.Status{event.OK, event.Changed, event.OK, ""}, false, "type labrun run lab.yaml --set a=b\nit goes on from join" + spares},
		{"of a worker, in its destroy", worker, []event.Status{""}, false, "type labrun rebuild lab.yaml --set a=b --worker w1\nit goes on from destroy/survey\n"},
		{"a rebuild that failed", night, []event.Status{event.OK, event.Changed, event.Failed, event.Blocked}, true, "fix it and type labrun run lab.yaml --set a=b\nit goes on from nodes" + spares},
		{"that was interrupted", night, []event.Status{event.OK, event.Changed, event.Cancelled, event.Cancelled}, true, "type labrun run lab.yaml --set a=b\nit goes on from nodes" + spares},
		{"whose destroy failed", night, []event.Status{event.Failed, event.Blocked}, true, "fix it and type labrun rebuild lab.yaml --set a=b --from hosted\nit goes on from destroy/survey\n"},
		{"that ended well", night, []event.Status{event.OK, event.Changed, event.OK, event.OK}, true, ""},
		{"a destroy, killed", undo, []event.Status{event.OK, ""}, false, "type labrun destroy lab.yaml --from hosted\nit goes on from host\n"},
		{"a run, killed", build, []event.Status{event.OK, ""}, false, "run the same command to go on: labrun continues from join\n"},
		{"once all of it has ended", build, []event.Status{event.OK, event.OK}, false, "run the same command to go on\n"},
		{"a run that failed", build, []event.Status{event.Blocked, event.Failed}, true, "fix it and run the same command: labrun continues from join\n"},
	} {
		tape := &tape{}
		tape.at(0, event.Event{Type: event.RunStarted, Run: &c.run})
		for n, status := range c.ended {
			tape.start(1, c.run.Steps[n].ID, "", 0)
			if status != "" {
				tape.end(2, c.run.Steps[n].ID, "", 1, event.Result{Status: status})
			}
		}
		if c.done {
			tape.at(3, event.Event{Type: event.RunFinished, Summary: &event.Summary{}})
		}
		s := &event.State{}
		for _, e := range tape.events {
			s.Add(e)
		}
		var out bytes.Buffer
		tell := CutOff // as status and wait do
		if c.done {
			tell = Closing
		}
		tell(&out, s)
		_, got, _ := strings.Cut(strings.TrimPrefix(out.String(), "\n"), "\n")
		if got != c.want {
			t.Errorf("%s: it says\n%swant\n%s", c.name, got, c.want)
		}
	}
}
