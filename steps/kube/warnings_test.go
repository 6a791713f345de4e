package kube

import (
	"testing"

	"github.com/labrun/labrun/pipeline/event"
)

func TestWarningsAreTold(t *testing.T) {
	l := newLab(t, "warnings")
	r := l.must("warns", stub{judge: func(Seen) Verdict {
		return Verdict{State: Done, Summary: "done", Warnings: []event.Report{{Title: "it stays as it was"}}}
	}})
	var told []string
	for _, e := range r.told.events {
		if e.Type == event.StepWarned {
			told = append(told, e.Report.Title)
		}
	}
	if len(told) != 1 || told[0] != "it stays as it was" {
		t.Errorf("warned of %q", told)
	}
}
