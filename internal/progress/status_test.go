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
		if got := ContinuesFrom(&event.State{Steps: steps}); got != want {
			t.Errorf("it continues from %q, want %q", got, want)
		}
	}
}
