package event_test

import (
	"slices"
	"testing"

	"github.com/labrun/labrun/pipeline/event"
)

// state folds a run of three steps, a phase each, of which those named have ended.
func state(run event.Run, ended ...string) *event.State {
	run.Phases = []string{"check", "hub", "hosted"}
	run.Phases = append(run.Phases, "destroy")
	run.Steps = []event.Ref{{ID: "destroy/cluster", Phase: "destroy"}, {ID: "look", Phase: "check"}, {ID: "operator", Phase: "hub"}, {ID: "cluster", Phase: "hosted"}, {ID: "tell"}}
	s := &event.State{}
	s.Add(event.Event{Type: event.RunStarted, Run: &run})
	for _, id := range ended {
		s.Add(event.Event{Type: event.StepStarted, Step: id, Start: &event.Start{}})
		if id != "look" {
			s.Add(event.Event{Type: event.Intent, Step: id, Effect: &event.Effect{Verb: "delete", Observable: true}})
		}
		s.Add(event.Event{Type: event.StepFinished, Step: id, Result: &event.Result{Status: event.OK}})
	}
	return s
}

// A destroy that changed something has undone what earlier runs did.
func TestUndid(t *testing.T) {
	for _, c := range []struct {
		run   event.Run
		ended []string
		want  bool
	}{
		{event.Run{Command: "destroy"}, []string{"look", "operator"}, true},
		{event.Run{Command: "destroy"}, []string{"look"}, false},
		{event.Run{Command: "destroy", Orphans: true}, []string{"look", "operator"}, false},
		{event.Run{Command: "destroy", Workers: []string{"w1"}}, []string{"operator"}, true},
		{event.Run{Command: "rebuild", Workers: []string{"w1"}}, []string{"operator"}, false},
		{event.Run{}, []string{"look", "operator"}, false},
		{event.Run{Command: "rebuild"}, []string{"destroy/cluster"}, true},
		{event.Run{Command: "rebuild"}, []string{"look", "operator", "cluster"}, false},
	} {
		if _, got := state(c.run, c.ended...).Undid(); got != c.want {
			t.Errorf("%+v after %v: %t", c.run, c.ended, got)
		}
	}
}

// What a destroy removed is forgotten, what it kept is not.
func TestForget(t *testing.T) {
	for from, want := range map[string][]string{
		"": nil, "check": nil, "no-such-phase": nil, "hub": {"look", "tell"}, "hosted": {"look", "operator", "tell"},
	} {
		s := state(event.Run{}, "look", "operator", "cluster", "tell")
		s.Forget(event.Undone{From: from})
		var left []string
		for _, step := range s.Steps {
			left = append(left, step.ID)
		}
		if !slices.Equal(left, want) {
			t.Errorf("from %q: %v are left, want %v", from, left, want)
		}
		if (s.Instance("cluster", "") != nil) || (s.Instance("look", "") != nil) != slices.Contains(want, "look") {
			t.Errorf("from %q: an instance is known that should not be, or the other way round", from)
		}
	}
}

// Workers that were taken out are forgotten, and nobody else: by name where the run
// was for these, by what it did to them where it took all that the file lacks.
func TestForgetWorkers(t *testing.T) {
	lab := &event.State{}
	lab.Add(event.Event{Type: event.RunStarted, Run: &event.Run{Phases: []string{"hub", "workers"}, Steps: []event.Ref{{ID: "cluster", Phase: "hub"}, {ID: "host", Phase: "workers"}}}})
	gone := &event.State{}
	gone.Add(event.Event{Type: event.RunStarted, Run: &event.Run{Command: event.Destroy, Orphans: true}})
	for _, key := range []string{"", "w1", "w2"} {
		id := "host"
		if key == "" {
			id = "cluster"
		}
		lab.Add(event.Event{Type: event.StepFinished, Step: id, Key: key, Result: &event.Result{Status: event.OK}})
		if key != "w1" {
			gone.Add(event.Event{Type: event.Intent, Step: "delete", Key: key, Effect: &event.Effect{Verb: "delete"}})
		}
	}
	undone, ok := gone.Undid()
	if !ok || !slices.Equal(undone.Keys, []string{"w2"}) {
		t.Fatalf("it undid %+v, %t", undone, ok)
	}
	named := *gone
	named.Run = event.Run{Command: event.Destroy, Workers: []string{"w3"}}
	if undone, ok := named.Undid(); !ok || !slices.Equal(undone.Keys, []string{"w3"}) {
		t.Errorf("it undid %+v, %t", undone, ok)
	}
	lab.Forget(undone)
	if lab.Instance("host", "w2") != nil || lab.Instance("host", "w1") == nil || lab.Instance("cluster", "") == nil || len(lab.Steps[1].Instances) != 1 {
		t.Errorf("left of host: %+v", lab.Steps[1].Instances)
	}
}
