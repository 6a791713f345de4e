package pipeline

import (
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

type kept struct{ events []event.Event }

func (k *kept) Take(e event.Event) error {
	k.events = append(k.events, e)
	return nil
}
